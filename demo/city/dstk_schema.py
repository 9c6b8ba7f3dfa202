"""DSTK's tables and views: the same for MariaDB, PostgreSQL and SQLite."""

from collections.abc import Mapping

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    Select,
    SmallInteger,
    String,
    Table,
    cast,
    func,
    select,
    text,
)

metadata = MetaData()


def _table(name: str, *columns: Column[object]) -> Table:
    return Table(name, metadata, *columns)


def _text(name: str, length: int, *, key: bool = False) -> Column[object]:
    return Column(name, String(length), primary_key=key, nullable=not key)


def _number(name: str, *, key: bool = False) -> Column[object]:
    return Column(name, Integer, primary_key=key, nullable=not key, autoincrement=False)


def _money(name: str) -> Column[object]:
    return Column(name, BigInteger)


def _small(name: str, *, key: bool = False) -> Column[object]:
    return Column(name, SmallInteger, primary_key=key, nullable=not key, autoincrement=False)


def _member(*more: Column[object]) -> tuple[Column[object], ...]:
    return (
        _text("idruta", 18, key=True), _small("nuart", key=True), _text("nama", 60),
        _text("nik", 20), _text("jk", 1), _text("tgl_lhr", 8), _text("hub", 1),
        _text("sts_kawin", 1), _text("pend", 1), _text("kerja", 40), _text("cacat", 1), *more,
    )  # fmt: skip


ruta = _table(
    "pls_ruta", _text("idruta", 18, key=True), _text("kdprop", 2), _text("kdkab", 2),
    _text("kdkec", 3), _text("kddes", 3), _text("nm_krt", 60), _text("alamat", 80), _text("sls", 6),
    _text("stat_rumah", 1), _text("lantai", 1), _text("dinding", 1), _text("atap", 1),
    _text("air", 1), _text("listrik", 1), _text("wc", 1), _small("jml_art"), _small("desil"),
    _text("sts_sm", 2), _text("tgl_data", 8),
)  # fmt: skip
art = _table("pls_art", *_member())
keluar = _table("pls_keluar", *_member(_text("alasan", 20), _text("tgl_keluar", 8)))
dtks = _table(
    "dtks_2021", _text("id_dtks", 16, key=True), _text("nama", 60), _text("nik", 20),
    _text("no_kk", 20), _text("jk", 1), _text("tgl_lhr", 10), _text("nama_ibu", 60),
    _text("alamat", 80), _text("rt", 3), _text("rw", 3), _text("kode_kel", 10), _text("no_hp", 20),
    _text("sts", 10), _text("thp", 7),
)  # fmt: skip
pmks = _table(
    "pmks", _number("no", key=True), _text("nama", 60), _text("nik", 20), _text("jk", 1),
    _text("tgl_lhr", 8), _text("alamat", 80), _text("kel", 40), _text("kec", 40),
    _text("jns_pmks", 60), _small("thn"),
)  # fmt: skip
peserta = _table(
    "peserta_program", _number("id", key=True), _text("kode_prog", 8), _text("idruta", 18),
    _small("nuart"), _text("status", 1), _text("tgl_mulai", 8), _text("tgl_akhir", 8),
)  # fmt: skip
bansos = _table(
    "bansos_2025", _number("id", key=True), _text("kode_prog", 8), _text("idruta", 18),
    _small("nuart"), _text("nama_penerima", 60), _text("kel", 40), _text("tgl_salur", 8),
    _small("tahap"), _money("nilai"), _text("ket", 60),
)  # fmt: skip
program = _table(
    "program", _text("kode", 8, key=True), _text("nama", 80), _small("thn"), _text("sumber", 10),
    _text("mulai", 8), _text("akhir", 8), _number("kuota"), _number("terpakai"), _money("pagu"),
    _money("terserap"), _money("nilai_min"), _money("nilai_maks"), _text("satuan", 10),
    _text("sts", 1), _text("kode_katalog", 16),
)  # fmt: skip


def create(connection: Connection) -> None:
    """Fresh tables and the views that DSTK's own staff made for readers."""
    for name in _views():
        connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
    metadata.drop_all(connection)
    metadata.create_all(connection)
    for name, query in _views().items():
        body = query.compile(connection, compile_kwargs={"literal_binds": True})
        connection.execute(text(f"CREATE VIEW {name} AS {body}".replace(":", r"\:")))


def _views() -> Mapping[str, Select[tuple[object, ...]]]:
    code = (ruta.c.kdprop + ruta.c.kdkab + ruta.c.kdkec + ruta.c.kddes).label("kode_bps")
    where = (ruta.c.kdprop, ruta.c.kdkab, ruta.c.kdkec, ruta.c.kddes, ruta.c.alamat, ruta.c.sls,
             ruta.c.desil, ruta.c.sts_sm, code)  # fmt: skip

    def members(table: Table) -> Select[tuple[object, ...]]:
        return select(table, *where).join(ruta, ruta.c.idruta == table.c.idruta)

    def with_program(table: Table) -> Select[tuple[object, ...]]:
        key = (table.c.idruta + "|" + cast(table.c.nuart, String(4))).label("kunci")
        joined = table.join(program, program.c.kode == table.c.kode_prog, isouter=True)
        return select(table, key, program.c.kode_katalog).select_from(joined)

    first = func.min(cast(art.c.nuart, Integer)).label("pertama")
    heads = select(art.c.idruta, first).group_by(art.c.idruta).subquery("kepala")
    head = (heads.c.idruta + "|" + cast(heads.c.pertama, String(4))).label("kunci_krt")
    with_head = ruta.join(heads, heads.c.idruta == ruta.c.idruta, isouter=True)
    return {
        "v_ruta": select(ruta, code, head).select_from(with_head),
        "v_art": members(art),
        "v_keluar": members(keluar),
        "v_peserta_program": with_program(peserta),
        "v_bansos": with_program(bansos).where(bansos.c.idruta.is_not(None)),
        "v_bansos_lepas": with_program(bansos).where(bansos.c.idruta.is_(None)),
    }
