"""One place on a list: a person or a household that a list holds, proposes, or has taken out."""

from schemas.fields import Code, Day, Ref, Text, Token, Whole
from schemas.kinds import S1, About, Kind
from schemas.records.rules import decided, exactly_one_of
from schemas.wire import WireSchema


class ListingSchema(WireSchema):
    """`listing/1`."""

    rules = (exactly_one_of("person", "household"), decided)

    person = Ref("Orang")
    household = Ref("Rumah tangga")
    list_code = Code("list_code", About("Daftar", Kind.CODE), required=True)
    list_period = Token(
        "period", r"[0-9]{4}(?:-(?:0[1-9]|1[0-2]|[ST][1-4]))?", About("Periode", Kind.CODE)
    )
    desil = Whole(1, 10, About("Desil", Kind.NUMBER))
    welfare_status = Code("welfare_status", About("Status kesejahteraan", Kind.CODE))
    listing_status = Code("listing_status", About("Status daftar", Kind.CODE), required=True)
    status_reason = Code("status_reason", About("Alasan", Kind.CODE))
    decided_by = Text(120, About("Diputuskan oleh", Kind.NONE, S1))
    decided_at = Day(About("Tanggal keputusan", Kind.NONE, S1))
    evidence = Text(200, About("Bukti", Kind.NONE))
    rule_set_version = Text(40, About("Versi kriteria", Kind.NONE, S1))
