"""An address: as it was written, and where it lies today."""

from schemas.fields import Text, Token, Wilayah
from schemas.kinds import About, Kind
from schemas.wire import WireSchema


class AddressSchema(WireSchema):
    """`kelurahan` is today's Kemendagri code; `kelurahan_raw` what the source had for it."""

    street = Text(200, About("Jalan", Kind.ADDRESS))
    number = Text(20, About("Nomor", Kind.ADDRESS))
    rt = Token("rt", "[0-9]{3}", About("RT", Kind.CODE))
    rw = Token("rw", "[0-9]{3}", About("RW", Kind.CODE))
    kelurahan = Wilayah(4, "Kelurahan")
    kecamatan = Wilayah(3, "Kecamatan")
    kelurahan_raw = Text(80, About("Kelurahan menurut sumber", Kind.TEXT))
    postcode = Token("postcode", "[0-9]{5}", About("Kode pos"))
    note = Text(300, About("Catatan alamat"))
