"""How long the keys that speak now still have, by agency and purpose: what an alarm watches.

Source: trust.md 1.1 (periods), 1.6 (warnings).
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from gateway.trust import inventory, query
from gateway.trust.keylist import KeyLine, keys
from gateway.trust.model import AgencyState
from keys.keyset import State
from keys.vault import Vault

SIGN = "sign"
_CENTRE = {"G-log": "log", "G-rcpt": "receipt", "house": "house"}


def seconds_left(
    session: Session, vault: Vault, log_origin: str, now: datetime
) -> Mapping[tuple[str, str], float]:
    """Seconds by (agency, purpose); negative where the last one has ended.

    Of an agency it is the key without successor that ends first; of the centre, each key whose
    making is known. Agencies that have left are not named.
    """
    found: dict[tuple[str, str], float] = {}
    for line in inventory.signers(vault, log_origin):
        if line.expires is not None:
            found[line.holder, _CENTRE[line.kind]] = (line.expires - now).total_seconds()
    states = {row.code: row.state for row in query.agencies(session)}
    by_agency: dict[str, list[KeyLine]] = {}
    for key in keys(session, now):
        if states[key.agency] is AgencyState.ACTIVE and key.approved:
            by_agency.setdefault(key.agency, []).append(key)
    for agency, held in by_agency.items():
        speaking = [key.ends_at for key in held if key.state is State.ACTIVE]
        end = min(speaking) if speaking else max(key.ends_at for key in held)
        if not speaking:
            end = min(end, now)  # silenced or revoked: nothing of it speaks
        found[agency, SIGN] = (end - now).total_seconds()
    return found
