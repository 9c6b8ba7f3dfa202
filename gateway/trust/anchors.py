"""What the centre tells an agency to trust, out of its settings and its vault."""

from typing import Any

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.settings import Settings
from gateway.trust import centre, query
from gateway.trust.model import Anchors
from keys.canonical import to_base64
from keys.vault import Vault


def anchors(settings: Settings, vault: Vault) -> Anchors:
    """Our address, name, log and receipt key, as a ticket carries them."""
    receipt = vault.signer("receipt")
    return Anchors(
        gateway_url=settings.origin,
        aud=settings.aud,
        log_origin=settings.log_origin,
        log_vkey=vault.log_signer(settings.log_origin).vkey,
        receipt_kid=receipt.kid,
        receipt_key=receipt.public,
    )


def policy(
    session: Session, settings: Settings, vault: Vault, quorum: int | None = None
) -> dict[str, Any]:
    """The same as the policy file of `titian-verify`, with the witnesses of all agencies.

    `quorum`: how many witnesses must have seen a checkpoint; more than half unless given.

    Raises:
        Refused: more than there are (`policy.quorum`).
    """
    ours = anchors(settings, vault)
    witnesses = sorted(
        key.vkey()
        for agency in query.agencies(session)
        for key in query.keyset_witnesses(session, agency.code).values()
    )
    wanted = len(witnesses) // 2 + 1 if quorum is None and witnesses else quorum or 0
    if wanted > len(witnesses):
        raise Refused("policy.quorum", f"There are {len(witnesses)} witnesses; ask for fewer.")
    receipts = {
        kid: {"alg": key.alg, "pub": to_base64(key.raw)}
        for kid, key in centre.receipt_keys(session, vault).items()
    }
    return {
        "titian_policy": 1,
        "aud": ours.aud,
        "log_vkey": ours.log_vkey,
        "receipt": receipts,
        "witnesses": witnesses,
        "quorum": wanted,
    }
