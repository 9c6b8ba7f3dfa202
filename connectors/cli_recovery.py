"""`titian-connector recovery`: the key on paper; a part of the command's root."""

import secrets
from dataclasses import asdict
from pathlib import Path

import click

from connectors import amending, countersigning, enrolment, recovery
from connectors.assembly import open_hands
from connectors.cli_keys import known_keys
from connectors.desk import Desk, hands_of, memory_of
from connectors.errors import FixSettings
from connectors.screen import say
from keys.keyset import Keyset
from keys.recovery import public_text
from keys.signers import PublicKey
from keys.suspension import Suspension

IN_A_LINE = 4


def recovery_group(lang: str) -> click.Group:
    """The commands over the agency's recovery key; `new` and `sign` run offline."""
    group = click.Group("recovery", help=say("recovery", lang))
    for make in (_new, _add, _replace, _sign, _drill):
        group.add_command(make(lang))
    return group


def _new(lang: str) -> click.Command:
    @click.command("new", help=say("recovery.new", lang))
    @click.option("--agency", required=True, help=say("recovery.agency", lang))
    @click.pass_obj
    def command(desk: Desk, agency: str) -> None:
        made = recovery.new(agency)
        numbered = [f"{n:2d} {word:<9}" for n, word in enumerate(made.words, 1)]
        rows = (numbered[at : at + IN_A_LINE] for at in range(0, len(numbered), IN_A_LINE))
        words = "\n".join("  ".join(row).rstrip() for row in rows)
        public = made.signer.public
        desk.tell("recovery.made", words=words, public=public_text(public, agency))
        click.echo(recovery.qr_text(public, agency))

    return command


def _add(lang: str) -> click.Command:
    @click.command("add", help=say("recovery.add", lang))
    @click.argument("public")
    @click.pass_obj
    def command(desk: Desk, public: str) -> None:
        config = desk.config()
        key = recovery.parse_public(public, config.agency)
        with memory_of(config) as memory:
            state = enrolment.state_of(config, memory)
            if state == "pending":
                raise FixSettings("recovery.enrolled")
            if state == "-":
                countersigning.name(memory, config.agency, public_text(key, config.agency))
                desk.tell("recovery.added", fingerprint=key.fingerprint())
                return
            hands = open_hands(config, memory, desk.outside())
            made = amending.name_recovery(hands, key, config.places.statement)
        desk.tell("recovery.named", **asdict(made))

    return command


def _replace(lang: str) -> click.Command:
    @click.command("replace", help=say("recovery.replace", lang))
    @click.argument("public")
    @click.pass_obj
    def command(desk: Desk, public: str) -> None:
        config = desk.config()
        key = recovery.parse_public(public, config.agency)
        with hands_of(desk) as hands:
            made = amending.replace_recovery(hands, key, config.places.statement)
        desk.tell("recovery.replaced", **asdict(made))

    return command


def _sign(lang: str) -> click.Command:
    @click.command("sign", help=say("recovery.sign", lang))
    @click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
    @click.pass_obj
    def command(desk: Desk, path: Path) -> None:
        said = countersigning.read_statement(path)
        if isinstance(said, Suspension):
            desk.tell("recovery.says_resume", agency=said.agency, kid=said.kid)
        else:
            _tell_keyset(desk, said)
        signer = recovery.from_words(_words(desk), said.agency)
        path.write_bytes(countersigning.with_signature(path.read_bytes(), signer))
        told = "recovery.signed"
        if isinstance(said, Keyset) and said.reason == countersigning.REPLACED:
            told += "_new" if countersigning.is_named(said, signer.kid) else "_old"
        desk.tell(told, path=path, fingerprint=signer.public.fingerprint())

    return command


def _tell_keyset(desk: Desk, said: Keyset) -> None:
    keys = [f"  {each.public.fingerprint()}" for each in said.keys.values()]
    revoked = [f"  {each.kid}, {each.since.isoformat()}" for each in said.revoked]
    papers = [] if said.recovery is None else said.recovery.keys.values()
    desk.tell(
        "recovery.says",
        agency=said.agency,
        version=said.version,
        reason=said.reason,
        keys="\n".join(keys),
        papers="\n".join(f"  {each.fingerprint()}" for each in papers) or "  –",
        revoked="\n".join(revoked) or "  –",
    )


def _drill(lang: str) -> click.Command:
    @click.command("drill", help=say("recovery.drill", lang))
    @click.argument("public", required=False)
    @click.option("--agency", help=say("recovery.agency", lang))
    @click.pass_obj
    def command(desk: Desk, public: str | None, agency: str | None) -> None:
        owner = agency or desk.config().agency
        expected = _enrolled(desk) if public is None else [recovery.parse_public(public, owner)]
        signer = recovery.from_words(_words(desk), owner)
        if signer.public not in expected:
            raise FixSettings("recovery.other")
        challenge = secrets.token_bytes(32)
        signer.public.verify(signer.sign(challenge), challenge)
        desk.tell("recovery.fits", agency=owner, fingerprint=signer.public.fingerprint())

    return command


def _enrolled(desk: Desk) -> list[PublicKey]:
    """The recovery keys of the keyset in force."""
    found = known_keys(desk.config())
    recovery_keys = None if found is None else found[0].keyset.recovery
    if recovery_keys is None:
        raise FixSettings("recovery.none")
    return list(recovery_keys.keys.values())


def _words(desk: Desk) -> str:
    return str(click.prompt(desk.say("recovery.words"), err=True))
