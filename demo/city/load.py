"""Filling real database servers with the sources that live in one."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import create_engine, select

from demo.city import dstk_schema, ppkb
from demo.city.build import City
from demo.city.disdik import COLUMNS

_TABLES = """
CREATE TABLE sekolah (
  npsn char(8) PRIMARY KEY, nama text, bentuk_pendidikan text, status_sekolah text,
  alamat_jalan text, desa_kelurahan text, kode_wilayah char(6));
CREATE TABLE peserta_didik (
  peserta_didik_id uuid PRIMARY KEY, nama varchar(100), jenis_kelamin char(1), nisn varchar(10),
  nik varchar(16), no_kk varchar(16), tempat_lahir varchar(40), tanggal_lahir date,
  alamat_jalan varchar(80), rt smallint, rw smallint, nama_dusun varchar(60),
  desa_kelurahan varchar(60), kecamatan varchar(60), kode_wilayah char(6), nama_ayah varchar(100),
  nik_ayah varchar(16), nama_ibu_kandung varchar(100), nik_ibu varchar(16),
  nomor_telepon_seluler varchar(20), penerima_kps smallint, no_kps varchar(20),
  layak_pip smallint, soft_delete smallint, last_update timestamp, last_sync timestamp);
CREATE TABLE registrasi_peserta_didik (
  registrasi_id uuid PRIMARY KEY, peserta_didik_id uuid REFERENCES peserta_didik,
  npsn char(8) REFERENCES sekolah, tingkat smallint, nama_rombel varchar(10), tanggal_masuk date,
  tanggal_keluar date, jenis_keluar varchar(20), soft_delete smallint, last_update timestamp);
CREATE TABLE program_bantuan (
  kode varchar(10) PRIMARY KEY, nama varchar(80), tahun_anggaran smallint, sumber_dana varchar(20),
  tanggal_mulai date, tanggal_selesai date, kuota int, terpakai int, pagu numeric(15,2),
  terserap numeric(15,2), nominal_min numeric(12,2), nominal_max numeric(12,2),
  jenjang varchar(4), status varchar(10), kode_katalog varchar(20));
CREATE TABLE bsm_penerima (
  bsm_id int PRIMARY KEY, kode_program varchar(10), tahun smallint, semester smallint,
  nisn varchar(10), nama_siswa varchar(100), npsn char(8), nominal numeric(12,2),
  tanggal_cair date, no_sk varchar(20), last_update timestamp);
CREATE TABLE usulan_pip (
  usulan_id int PRIMARY KEY, peserta_didik_id uuid REFERENCES peserta_didik,
  kode_program varchar(10), status varchar(12), tanggal_usul date, last_update timestamp);
"""
_VIEWS = """
CREATE VIEW v_peserta AS
  SELECT p.*, r.npsn, s.nama AS nama_sekolah, s.bentuk_pendidikan, r.tingkat, r.nama_rombel,
         CASE WHEN r.tanggal_keluar IS NULL THEN 1 ELSE 0 END AS masih_sekolah
  FROM peserta_didik p
  JOIN registrasi_peserta_didik r USING (peserta_didik_id)
  JOIN sekolah s USING (npsn);
CREATE VIEW v_bsm AS
  SELECT b.*, p.peserta_didik_id, k.kode_katalog
  FROM bsm_penerima b
  LEFT JOIN (
    SELECT DISTINCT ON (d.nisn) d.nisn, d.peserta_didik_id
    FROM peserta_didik d JOIN registrasi_peserta_didik r USING (peserta_didik_id)
    WHERE d.soft_delete = 0 AND d.nisn IS NOT NULL
    ORDER BY d.nisn, (r.tanggal_keluar IS NOT NULL), d.peserta_didik_id
  ) p USING (nisn)
  LEFT JOIN program_bantuan k ON k.kode = b.kode_program;
CREATE VIEW v_usulan AS
  SELECT u.*, k.kode_katalog FROM usulan_pip u
  LEFT JOIN program_bantuan k ON k.kode = u.kode_program;
"""
_PPKB_TABLES = """
CREATE TABLE keluarga (
  kode_keluarga char(13) PRIMARY KEY, no_kk varchar(16), nama_kepala varchar(100),
  alamat varchar(100), rt smallint, rw smallint, kode_desa char(10), tahapan varchar(12),
  jml_jiwa smallint, no_hp varchar(20), tgl_sensus date);
CREATE TABLE anggota (
  kode_keluarga char(13) REFERENCES keluarga, no_urut smallint, nama varchar(100),
  nik varchar(16), jk smallint, tgl_lahir date, hub smallint, status_kawin smallint,
  PRIMARY KEY (kode_keluarga, no_urut));
CREATE TABLE kasus_kekerasan (
  no_kasus varchar(10) PRIMARY KEY, kode_keluarga char(13) REFERENCES keluarga, no_urut smallint,
  tgl_lapor date, bentuk varchar(40), pelaku varchar(40), kronologi text);
CREATE TABLE program_kb (
  kode varchar(10) PRIMARY KEY, nama varchar(80), tahun smallint, mulai date, akhir date,
  sasaran int, tercapai int, pagu bigint, sumber varchar(10), satuan varchar(10),
  kode_katalog varchar(20));
"""
_PPKB_VIEWS = """
CREATE VIEW v_kepala AS
  SELECT k.*, a.nik, a.jk, a.tgl_lahir, a.status_kawin
  FROM keluarga k JOIN anggota a ON a.kode_keluarga = k.kode_keluarga AND a.no_urut = 1;
"""


@dataclass(frozen=True, slots=True)
class _Shape:
    """One agency's schema, and what of it the connector's role may read."""

    tables: str
    views: str
    columns: Mapping[str, str]
    readable: tuple[str, ...]


_DISDIK = _Shape(_TABLES, _VIEWS, COLUMNS, (*COLUMNS, "v_peserta", "v_bsm", "v_usulan"))
_PPKB = _Shape(_PPKB_TABLES, _PPKB_VIEWS, ppkb.COLUMNS, ("v_kepala", "program_kb"))


def sources(city: City, database: Callable[[str], str]) -> dict[str, str]:
    """What each agency's connector has to be told of its source; fills the databases of two.

    Args:
        city: where the files lie.
        database: gives the DSN of an empty database of an agency, of a role that may create roles.
    """
    return {
        "dukcapil": str(city.folders["dukcapil"]),
        "dstk": f"sqlite:///{city.dstk}",
        "disdik": load_disdik(city.folders["disdik"], database("disdik")),
        "dinkes": str(city.folders["dinkes"]),
        "ppkb": load_ppkb(city.folders["ppkb"], database("ppkb")),
        "baz": f"sqlite:///{city.baz}",
        "lks-mk": str(city.folders["lks-mk"]),
        "csr-bri": str(city.folders["csr-bri"]),
    }


def load_disdik(folder: Path, dsn: str, *, reader: str = "titian_baca", password: str = "") -> str:
    """Fill the (empty or earlier) database at `dsn` and return the DSN of its read-only role.

    Args:
        folder: the city's `disdik/` folder of CSV files.
        dsn: of a role that may create tables and roles.
        reader: name of the role for the connector; it may only SELECT.
        password: of that role; a fresh random one if empty.
    """
    return _load(_DISDIK, folder, dsn, (reader, password))


def load_ppkb(folder: Path, dsn: str, *, reader: str = "titian_baca_ppkb") -> str:
    """The same for PPKB; its role has no right to the cases of violence."""
    return _load(_PPKB, folder, dsn, (reader, ""))


def _load(shape: _Shape, folder: Path, dsn: str, role: tuple[str, str]) -> str:
    reader, password = role[0], role[1] or secrets.token_urlsafe(18)
    with psycopg.connect(dsn) as connection:
        for name in reversed((*shape.columns, *shape.readable)):
            kind = sql.SQL("VIEW" if name.startswith("v_") else "TABLE")
            drop = sql.SQL("DROP {} IF EXISTS {} CASCADE")
            connection.execute(drop.format(kind, sql.Identifier(name)))
        connection.execute(shape.tables)
        for table in shape.columns:
            _copy(connection, table, folder / f"{table}.csv")
        connection.execute(shape.views)
        _let_read(connection, shape.readable, reader, password)
        database = connection.info.dbname
    return make_conninfo(dsn, user=reader, password=password, dbname=database)


def load_dstk(path: Path, url: str) -> None:
    """Copy `dstk.sqlite` into the database at the SQLAlchemy `url` (MariaDB, PostgreSQL …)."""
    source, target = create_engine(f"sqlite:///{path}"), create_engine(url)
    with source.connect() as read, target.begin() as write:
        dstk_schema.create(write)
        for table in dstk_schema.metadata.sorted_tables:
            rows = [dict(row) for row in read.execute(select(table)).mappings()]
            write.execute(table.insert(), rows)
    source.dispose()
    target.dispose()


def _copy(connection: psycopg.Connection, table: str, path: Path) -> None:
    statement = sql.SQL("COPY {} FROM STDIN WITH (FORMAT csv, HEADER true)")
    with connection.cursor().copy(statement.format(sql.Identifier(table))) as copy:
        copy.write(path.read_bytes())


def _let_read(
    connection: psycopg.Connection, readable: Sequence[str], reader: str, password: str
) -> None:
    role = sql.Identifier(reader)
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (reader,)).fetchone()
    if not found:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN NOINHERIT").format(role))
    secret = sql.Literal(password)
    connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, secret))
    connection.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(role))
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
    tables = sql.SQL(", ").join(map(sql.Identifier, readable))
    connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(tables, role))
