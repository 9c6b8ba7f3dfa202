"""A household: who eats from one pot (`ruta`) or stands on one family card (`KK`), never both."""

from schemas.fields import (
    Code,
    Day,
    Decimal,
    Many,
    Predicate,
    Ref,
    Rupiah,
    Struct,
    Text,
    Whole,
)
from schemas.kinds import S1, S3, About, Kind
from schemas.records.target.address import AddressSchema
from schemas.wire import WireSchema


class MemberSchema(WireSchema):
    """One member, as a reference to a person record of the same agency."""

    person = Ref("Anggota", required=True)
    relation = Code("family_relation", About("Hubungan", Kind.CODE))
    relation_bps = Code("family_relation_bps", About("Hubungan (8 kode)"))


class DwellingSchema(WireSchema):
    """How the household lives; words of the source, for rule sets read them as they are."""

    own_status = Text(40, About("Status rumah"))
    floor_area_m2 = Whole(0, 100_000, About("Luas lantai (m²)", Kind.NUMBER))
    floor = Text(40, About("Lantai"))
    wall = Text(40, About("Dinding"))
    roof = Text(40, About("Atap"))
    toilet = Text(40, About("Jamban"))
    water = Text(40, About("Sumber air"))
    light = Text(40, About("Penerangan"))
    power_va = Whole(0, 1_000_000, About("Daya listrik (VA)", Kind.NUMBER))
    cooking_fuel = Text(40, About("Bahan bakar memasak"))


class GeoSchema(WireSchema):
    """Where the house stands; five decimals inside, three in reports."""

    lat = Decimal(5, About("Lintang"), required=True)
    lon = Decimal(5, About("Bujur"), required=True)


class SurveySchema(WireSchema):
    """The survey that this was found by; the answers are kept with the rule set they met."""

    date = Day(About("Tanggal survei", Kind.NONE, S1))
    surveyor = Text(80, About("Petugas survei", Kind.NONE, S1))
    rule_set_version = Text(40, About("Versi kriteria", Kind.NONE, S1))
    answers = Predicate(3, About("Jawaban survei", Kind.NONE, S3))


class HouseholdSchema(WireSchema):
    """`household/1`."""

    household_key = Text(64, About("Nomor rumah tangga", Kind.CODE), required=True)
    basis = Code("household_basis", About("Dasar", Kind.CODE), required=True)
    head_person = Ref("Kepala")
    members = Many(Struct(MemberSchema, About("Anggota"), required=True), 50, About("Anggota"))
    member_count = Whole(0, 100, About("Jumlah anggota", Kind.NUMBER))
    family_stage = Code("family_stage", About("Tahapan keluarga", Kind.CODE))
    address = Struct(AddressSchema, About("Alamat", Kind.ADDRESS))
    dwelling = Struct(DwellingSchema, About("Rumah"))
    assets = Many(Text(60, About("Aset"), required=True), 30, About("Aset"))
    monthly_income = Rupiah(About("Penghasilan sebulan", Kind.NUMBER, S3))
    food_share = Whole(0, 100, About("Bagian belanja makanan (%)", Kind.NUMBER, S3))
    geolocation = Struct(GeoSchema, About("Letak rumah"))
    survey = Struct(SurveySchema, About("Survei"))
