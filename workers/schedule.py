"""The beat table: which periodic duty is asked for how often (seconds)."""

TIDY = "tidy"

TABLE = {"tidy": {"task": TIDY, "schedule": 300.0, "options": {"expires": 300}}}
