"""The bodies of `POST /v1/verifications`: who is asked for and why, and who may be meant."""

from marshmallow import RAISE, Schema, fields, validate

PURPOSES = ("pengaduan_baru", "cek_mandiri", "telaah_data")


class VerificationRequest(Schema):
    """One question: what would be typed into the counter's box, and the purpose."""

    class Meta:
        """Unknown members refuse the request."""

        unknown = RAISE

    query = fields.String(required=True, validate=validate.Length(min=3, max=120))
    purpose = fields.String(required=True, validate=validate.OneOf(PURPOSES))


class VerificationCandidate(Schema):
    """A person who may be meant; the NIK is masked."""

    person_id = fields.String(required=True)
    name = fields.String(allow_none=True)
    birth_date = fields.String(allow_none=True)
    sex = fields.String(allow_none=True)
    kelurahan = fields.String(allow_none=True)
    nik_masked = fields.String(allow_none=True)
    score = fields.Float(metadata={"description": "bits of evidence in what was typed"})
    why = fields.List(fields.String())
    sources = fields.List(fields.String())
    badges = fields.List(fields.String())


class VerificationAnswer(Schema):
    """The answer and where it stands in the log: `query_id` names the logged question."""

    query_id = fields.String(required=True)
    leaf = fields.String(required=True, metadata={"description": "hex leaf hash of the result"})
    candidates = fields.List(fields.Nested(VerificationCandidate), required=True)
