"""The beat table: which periodic duty is asked for how often (seconds)."""

TIDY = "tidy"
DEADLINES = "deadlines"
YEAR = "year"
HAND_OVER = "hand_over"
DIGEST = "digest"


def _every(seconds: int, name: str) -> dict[str, object]:
    return {"task": name, "schedule": float(seconds), "options": {"expires": seconds}}


TABLE = {
    TIDY: _every(300, TIDY),
    DEADLINES: _every(300, DEADLINES),
    YEAR: _every(3600, YEAR),
    HAND_OVER: _every(600, HAND_OVER),
    DIGEST: _every(3600, DIGEST),
}
