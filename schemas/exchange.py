"""The JSON bodies that a connector reads besides signed statements: stream heads, dispositions."""

from marshmallow import Schema, fields


class HeadAnswer(Schema):
    """The last batch accepted in a stream; `seq` 0 and a null hash before the first."""

    epoch = fields.Integer(required=True)
    seq = fields.Integer(required=True)
    payload_sha256 = fields.String(required=True, allow_none=True)
    suspended = fields.String(required=True, allow_none=True)
    leaf = fields.String(allow_none=True)
    receipt = fields.String(allow_none=True)


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


class StateAnswer(Schema):
    """A batch whose result is not there yet."""

    state = fields.String(required=True)
