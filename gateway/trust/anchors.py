"""What the centre tells an agency to trust, out of its settings and its vault."""

from gateway.settings import Settings
from gateway.trust.model import Anchors
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
