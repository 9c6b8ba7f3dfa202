"""That a person or a household takes part in a programme."""

from schemas.fields import Code, Day, Ref, Text, Token
from schemas.kinds import S1, About, Kind
from schemas.records.program.program import PROGRAM_CODE
from schemas.records.rules import exactly_one_of, in_order
from schemas.wire import WireSchema


class EnrolmentSchema(WireSchema):
    """`enrolment/1`."""

    rules = (exactly_one_of("person", "household"), in_order("start", "end"))

    person = Ref("Orang")
    household = Ref("Rumah tangga")
    program_code = Token("program", PROGRAM_CODE, About("Program", Kind.CODE), required=True)
    status = Code("enrolment_status", About("Status", Kind.CODE), required=True)
    start = Day(About("Mulai"))
    end = Day(About("Selesai"))
    reason = Text(200, About("Alasan"))
    complaint_need_id = Token(
        "need_id", "[A-Za-z0-9-]{1,40}", About("Kebutuhan pengaduan", Kind.NONE, S1)
    )
