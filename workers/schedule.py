"""The beat table: which periodic duty is asked for how often (seconds)."""

TIDY, DEADLINES = "tidy", "deadlines"

TABLE = {
    name: {"task": name, "schedule": 300.0, "options": {"expires": 300}}
    for name in (TIDY, DEADLINES)
}
