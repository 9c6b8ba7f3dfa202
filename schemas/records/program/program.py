"""A programme: what help there is, for whom, from whose money, and until when."""

from schemas.fields import Code, Day, Flag, Many, Predicate, Rupiah, Text, Token, Whole
from schemas.kinds import S0, About, Kind
from schemas.records.rules import in_order
from schemas.wire import WireSchema

PROGRAM_CODE = r"[A-Za-z0-9_-]{1,40}-[0-9]{4}-[0-9]{2,4}"
MOST_PEOPLE = 10_000_000


def _about(label_id: str, kind: Kind = Kind.NONE) -> About:
    return About(label_id, kind, S0)


class ProgramSchema(WireSchema):
    """`program/1`; its agency is the one that signs."""

    rules = (in_order("period_start", "period_end"), in_order("period_start", "delivery_end"))

    program_code = Token("program", PROGRAM_CODE, _about("Kode program", Kind.CODE), required=True)
    name = Text(160, _about("Nama program", Kind.TEXT), required=True)
    bidang = Code("bidang", _about("Bidang", Kind.CODE), required=True)
    need_kinds = Many(
        Token("need", "[a-z0-9_]{1,40}", _about("Jenis kebutuhan"), required=True),
        20,
        _about("Jenis kebutuhan"),
    )
    funder = Code("funder", _about("Sumber dana", Kind.CODE), required=True)
    legal_basis = Text(200, _about("Dasar hukum"))
    fiscal_year = Whole(2000, 2100, _about("Tahun anggaran", Kind.NUMBER), required=True)
    period_start = Day(_about("Mulai pendaftaran"))
    period_end = Day(_about("Akhir pendaftaran"))
    delivery_end = Day(_about("Akhir penyaluran"))
    budget_total = Rupiah(_about("Anggaran", Kind.NUMBER))
    budget_reserved = Rupiah(_about("Anggaran dipesan", Kind.NUMBER))
    budget_spent = Rupiah(_about("Anggaran terpakai", Kind.NUMBER))
    unit = Code("program_unit", _about("Satuan"))
    quota_total = Whole(0, MOST_PEOPLE, _about("Kuota", Kind.NUMBER))
    quota_reserved = Whole(0, MOST_PEOPLE, _about("Kuota dipesan", Kind.NUMBER))
    quota_used = Whole(0, MOST_PEOPLE, _about("Kuota terpakai", Kind.NUMBER))
    amount_min = Rupiah(_about("Bantuan terkecil", Kind.NUMBER))
    amount_max = Rupiah(_about("Bantuan terbesar", Kind.NUMBER))
    amount_fixed = Rupiah(_about("Bantuan tetap", Kind.NUMBER))
    frequency = Code("frequency", _about("Frekuensi"))
    form = Code("aid_form", _about("Bentuk bantuan"))
    criteria = Predicate(5, _about("Kriteria"))
    documents = Many(Text(120, _about("Syarat"), required=True), 30, _about("Berkas syarat"))
    exclusive_group = Text(60, _about("Kelompok saling meniadakan"))
    complements = Many(
        Token("program", PROGRAM_CODE, _about("Pelengkap"), required=True),
        30,
        _about("Boleh bersama program"),
    )
    needs_mayor_approval = Flag(_about("Perlu persetujuan wali kota"))
    residency_rule = Code("residency_rule", _about("Syarat tempat tinggal"))
    status = Code("program_status", _about("Status program", Kind.CODE), required=True)
    contact = Text(160, _about("Kontak"))
