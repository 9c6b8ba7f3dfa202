"""What was really handed over, once, to whom and on what evidence."""

from schemas.fields import Code, Day, Ref, Rupiah, Text, Token, Whole
from schemas.kinds import S1, About, Kind
from schemas.records.program.program import PROGRAM_CODE
from schemas.records.rules import exactly_one_of
from schemas.wire import WireSchema

PERIOD = r"[0-9]{4}(?:-(?:0[1-9]|1[0-2]|S[12]|T[1-4]))?"


class BenefitSchema(WireSchema):
    """`benefit/1`: under an enrolment, or directly to a person or a household."""

    rules = (exactly_one_of("enrolment", "person", "household"),)

    enrolment = Ref("Kepesertaan")
    person = Ref("Penerima (orang)")
    household = Ref("Penerima (rumah tangga)")
    program_code = Token("program", PROGRAM_CODE, About("Program", Kind.CODE))
    period = Token("period", PERIOD, About("Periode", Kind.CODE))
    date = Day(About("Tanggal penyaluran", Kind.DATE), required=True)
    form = Code("aid_form", About("Bentuk bantuan", Kind.CODE), required=True)
    amount_idr = Rupiah(About("Jumlah (Rp)", Kind.NUMBER))
    goods = Text(160, About("Barang atau jasa"))
    quantity = Whole(0, 1_000_000, About("Banyaknya", Kind.NUMBER))
    evidence_no = Text(60, About("Nomor bukti", Kind.NONE, S1))
    recipient = Text(120, About("Yang menerima", Kind.NAME))
    complaint_need_id = Token(
        "need_id", "[A-Za-z0-9-]{1,40}", About("Kebutuhan pengaduan", Kind.NONE, S1)
    )
    reversed_by = Ref("Dibatalkan oleh")
