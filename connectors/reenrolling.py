"""Before new keys take their place, the old ones are put aside: evidence is never thrown away.

What was read and sent stays known, and so does the secret that record ids are made with: after the
re-enrolment the connector goes on where it stopped.

Source: trust.md 1.4 (rule R6).
"""

import json
from datetime import datetime
from pathlib import Path

from connectors import alarms
from connectors.config import Config
from connectors.countersigning import FACT as RECOVERY
from connectors.memory import Memory
from keys.privatefile import write_private

_FACTS = (
    *("keyset", "keyset_proof", "enrolment", "rotations", "revoking", "monitor_base"),
    RECOVERY,
)


def put_aside(config: Config, memory: Memory, now: datetime) -> Path:
    """Moves the keys, and what their enrolment rests on, into a folder beside them; its path."""
    folder = config.places.keys / f"old-{now:%Y%m%dT%H%M%SZ}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = {name: memory.fact(name) for name in _FACTS}
    write_private(folder / "evidence.json", json.dumps(kept, indent=2).encode("utf-8"))
    for path in (config.places.key_file, config.places.anchors):
        if path.exists():
            path.rename(folder / path.name)
    with memory.change():
        for name in _FACTS:
            memory.drop_fact(name)
        # What they say is about keys that end with the approval of the new ones.
        for code in (alarms.FOREIGN, alarms.FOREIGN_OPEN):
            alarms.drop(memory, code)
    return folder
