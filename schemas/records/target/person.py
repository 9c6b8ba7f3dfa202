"""A person as one agency knows them: what its source says, nothing derived."""

from schemas.fields import (
    Code,
    Day,
    Flag,
    Many,
    Nik,
    NoKk,
    PartialDate,
    Phone,
    Struct,
    Text,
    Token,
)
from schemas.kinds import S1, S3, About, Kind
from schemas.records.rules import nik_agrees_with_status
from schemas.records.target.address import AddressSchema
from schemas.wire import WireSchema


class SchoolSchema(WireSchema):
    """Where and what a pupil attends."""

    npsn = Token("npsn", "[0-9A-Z]{8}", About("NPSN", Kind.CODE, S3))
    nisn = Token("nisn", "[0-9]{10}", About("NISN", Kind.CODE, S3))
    level = Code("school_level", About("Jenjang", Kind.CODE, S3))
    class_name = Text(30, About("Kelas", Kind.NONE, S3))
    still_attending = Flag(About("Masih bersekolah", Kind.NONE, S3))
    as_of = Day(About("Keadaan tanggal", Kind.NONE, S1))


class DisabilitySchema(WireSchema):
    """One kind of disability, since when, and the device it asks for."""

    kind = Code("disability", About("Ragam disabilitas", Kind.CODE, S3), required=True)
    since = PartialDate(About("Sejak", Kind.NONE, S3))
    device_needed = Text(80, About("Alat bantu yang dibutuhkan", Kind.NONE, S3))


class HealthCoverSchema(WireSchema):
    """Who pays for care."""

    kind = Code("health_cover", About("Jaminan kesehatan", Kind.CODE, S3), required=True)
    card_no = Token("card", "[0-9A-Z./-]{1,30}", About("Nomor kartu", Kind.CODE, S3))
    as_of = Day(About("Keadaan tanggal", Kind.NONE, S1))


class PersonSchema(WireSchema):
    """`person/1`."""

    rules = (nik_agrees_with_status,)

    nik = Nik()
    nik_raw = Text(32, About("NIK menurut sumber"))
    nik_status = Code("nik_status", About("Keadaan NIK", Kind.NONE, S1))
    no_kk = NoKk()
    name_source = Text(120, About("Nama", Kind.NAME), required=True)
    aliases = Many(
        Text(120, About("Nama lain", Kind.NAME), required=True), 10, About("Nama lain", Kind.NAME)
    )
    sex = Code("sex", About("Jenis kelamin", Kind.SEX))
    birth_place = Text(80, About("Tempat lahir", Kind.TEXT))
    birth_date = PartialDate(About("Tanggal lahir", Kind.DATE))
    birth_date_precision = Code("birth_date_precision", About("Ketelitian tanggal lahir"))
    mother_name = Text(120, About("Nama ibu kandung", Kind.NAME, S3))
    marital = Code("marital", About("Status kawin", Kind.CODE))
    family_relation = Code("family_relation", About("Hubungan keluarga", Kind.CODE))
    family_relation_bps = Code("family_relation_bps", About("Hubungan keluarga (8 kode)"))
    education = Code("education", About("Pendidikan", Kind.CODE))
    school = Struct(SchoolSchema, About("Sekolah", Kind.NONE, S3))
    occupation = Text(80, About("Pekerjaan", Kind.TEXT))
    disability = Many(
        Struct(DisabilitySchema, About("Disabilitas", Kind.NONE, S3), required=True),
        7,
        About("Disabilitas", Kind.NONE, S3),
    )
    chronic_illness = Flag(About("Penyakit menahun", Kind.NONE, S3))
    pmks = Many(
        Code("pmks", About("PMKS", Kind.CODE, S3), required=True),
        17,
        About("PMKS", Kind.NONE, S3),
    )
    address_ktp = Struct(AddressSchema, About("Alamat KTP", Kind.ADDRESS))
    address_domicile = Struct(AddressSchema, About("Alamat domisili", Kind.ADDRESS))
    phone = Phone()
    vital_status = Code("vital_status", About("Status hidup", Kind.CODE))
    vital_date = PartialDate(About("Tanggal status hidup"))
    residency_status = Code("residency_status", About("Status kependudukan", Kind.CODE))
    residency_date = PartialDate(About("Tanggal status kependudukan"))
    health_cover = Struct(HealthCoverSchema, About("Jaminan kesehatan", Kind.NONE, S3))
