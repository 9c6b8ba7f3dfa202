"""The JSON bodies that a connector reads besides signed statements: heads, findings, problems."""

from marshmallow import Schema, fields, validate


class HeadAnswer(Schema):
    """The last batch accepted in a stream; `seq` 0 and a null hash before the first."""

    epoch = fields.Integer(required=True)
    seq = fields.Integer(required=True)
    payload_sha256 = fields.String(required=True, allow_none=True)
    suspended = fields.String(required=True, allow_none=True)
    leaf = fields.String(allow_none=True)
    receipt = fields.String(allow_none=True)


class QuarantinedAnswer(Schema):
    """A batch in quarantine, as an `attest` names it."""

    epoch = fields.Integer(required=True)
    seq = fields.Integer(required=True)
    payload_sha256 = fields.String(required=True)


class RecoveryAnswer(Schema):
    """The ways out of quarantine: the epoch that may begin and its `prev`; what may be attested."""

    epoch = fields.Integer(required=True, allow_none=True)
    prev = fields.String(required=True, allow_none=True)
    quarantined = fields.List(fields.Nested(QuarantinedAnswer), required=True)


class DispositionAnswer(Schema):
    """What was found about line `i` (from 0) of a batch: never a value."""

    i = fields.Integer(required=True)
    code = fields.String(required=True)
    level = fields.String(required=True)
    field = fields.String(allow_none=True)


class DispositionsAnswer(Schema):
    """All that was found about a batch's lines, at most 5,000 a page."""

    dispositions = fields.List(fields.Nested(DispositionAnswer), required=True)
    next = fields.Integer(allow_none=True)


class DispositionsQuery(Schema):
    """Where to go on: the number after which the page begins."""

    after = fields.Integer(load_default=-1)


class LoggedAnswer(Schema):
    """An entry of the log and its C2SP log proof; the entry's bytes in base64."""

    entry = fields.String(required=True)
    proof = fields.String(required=True)


class DeliveryAnswer(Schema):
    """One request: its number, its envelope in base64, and the two entries that it rests on."""

    n = fields.Integer(required=True)
    envelope = fields.String(required=True)
    query = fields.Nested(LoggedAnswer, required=True)
    request = fields.Nested(LoggedAnswer, required=True)


class InboxAnswer(Schema):
    """What waits for an agency; where `full` is true nobody could wait, so ask again later."""

    requests = fields.List(fields.Nested(DeliveryAnswer), required=True)
    full = fields.Boolean(required=True)


class PlaceAnswer(Schema):
    """A line by its position: `i` from 0 in batch (epoch, seq) of a stream."""

    stream = fields.String(required=True)
    epoch = fields.Integer(required=True)
    seq = fields.Integer(required=True)
    i = fields.Integer(required=True)


class FindingAnswer(PlaceAnswer):
    """What was found about a line that counts now; `other` where it is a double of that line."""

    code = fields.String(required=True)
    field = fields.String(required=True, allow_none=True)
    other = fields.Nested(PlaceAnswer, required=True, allow_none=True)


class FindingsAnswer(Schema):
    """All findings that stand."""

    findings = fields.List(fields.Nested(FindingAnswer), required=True)


class InboxQuery(Schema):
    """The number after which to go on, and the seconds to wait for something."""

    after = fields.Integer(load_default=0, validate=validate.Range(0, 2**53))
    wait = fields.Integer(load_default=0, validate=validate.Range(0, 25))


class StateAnswer(Schema):
    """A batch whose result is not there yet."""

    state = fields.String(required=True)


_TICKET_ID = validate.Regexp(r"[A-Za-z0-9_-]{1,64}\Z")
_SIZE = validate.Range(0, 2**53)


class ProofQuery(Schema):
    """Which leaf is meant."""

    leaf = fields.String(required=True, validate=validate.Regexp(r"\A[0-9a-f]{64}\Z"))


class ConsistencyQuery(Schema):
    """From which size to which."""

    from_ = fields.Integer(required=True, data_key="from", validate=_SIZE)
    to = fields.Integer(required=True, validate=_SIZE)


class ChallengeRequest(Schema):
    """Which ticket its holder wants to use."""

    ticket_id = fields.String(required=True, validate=_TICKET_ID)


class ChallengeAnswer(Schema):
    """What the proof of possession must answer; good for ten minutes.

    `follows` is the keyset in force (a DSSE envelope in base64) where the agency had keys before.
    """

    nonce = fields.String(required=True)
    follows = fields.String(allow_none=True)


class EnrolmentRequest(Schema):
    """The keyset and the proof, both DSSE envelopes in base64."""

    keyset = fields.String(required=True, validate=validate.Length(max=65_536))
    proof = fields.String(required=True, validate=validate.Length(max=65_536))


class EnrolmentQuery(Schema):
    """By which ticket the enrolment was begun."""

    ticket_id = fields.String(required=True, validate=_TICKET_ID)


class EnrolmentAnswer(Schema):
    """How far an enrolment is; the proof once the keyset stands in a signed checkpoint."""

    state = fields.String(required=True)
    approvals = fields.Integer(required=True)
    fingerprint = fields.String(allow_none=True)
    keyset_leaf = fields.String(allow_none=True)
    envelope = fields.String(allow_none=True)
    proof = fields.String(allow_none=True)


class KeysetAnswer(Schema):
    """A keyset statement as it stands: `state` is `active` once it counts, else `pending`."""

    version = fields.Integer(required=True)
    rule = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(("active", "pending")))
    payload_sha256 = fields.String(required=True)
    approvals = fields.Integer(required=True)
    needed = fields.Integer(required=True)
    leaf = fields.String(required=True, allow_none=True)
    proof = fields.String(required=True, allow_none=True)
    envelope = fields.String()


class KeysetsAnswer(Schema):
    """The keysets of an agency that count, version 1 first."""

    keysets = fields.List(fields.Nested(KeysetAnswer), required=True)


class SuspensionAnswer(Schema):
    """A key after a statement about it."""

    kid = fields.String(required=True)
    action = fields.String(required=True)


class CosignatureRequest(Schema):
    """A witness's line under the checkpoint of `size` (C2SP tlog-cosignature)."""

    size = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    line = fields.String(required=True, validate=validate.Length(min=1, max=1000))


class EntriesQuery(Schema):
    """How many entries of the bundle the reader has already."""

    from_ = fields.Integer(load_default=0, data_key="from", validate=validate.Range(0, 255))


class HeardAnswer(Schema):
    """A witness's newest line, and the checkpoint that it stands under."""

    note = fields.String(required=True)
    line = fields.String(required=True)


class CosignaturesAnswer(Schema):
    """What each witness said last, of the last quarter of an hour."""

    cosignatures = fields.List(fields.Nested(HeardAnswer), required=True)


class SizeQuery(Schema):
    """A moment of the past."""

    since = fields.AwareDateTime(required=True)


class SizeAnswer(Schema):
    """How large the log was when a witness last cosigned it by then; 0 if none did."""

    size = fields.Integer(required=True)


class ProblemSchema(Schema):
    """An RFC 9457 problem; `code` is stable, further members are public values."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String()
    detail = fields.String()
    errors = fields.Dict()
