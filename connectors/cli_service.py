"""`titian-connector service`: the file that makes this connector a service of the machine."""

import getpass
import sys
from pathlib import Path

import click

from connectors import servicing
from connectors.desk import Desk
from connectors.screen import say
from connectors.servicing import Service


def service_command(lang: str) -> click.Command:
    @click.command("service", help=say("service", lang))
    @click.option(
        "--kind",
        type=click.Choice(servicing.KINDS),
        default="windows" if sys.platform == "win32" else "systemd",
        help=say("service.kind", lang),
    )
    @click.option("--user", help=say("service.user", lang))
    @click.option("--out", type=click.Path(path_type=Path), help=say("service.out", lang))
    @click.pass_obj
    def command(desk: Desk, kind: str, user: str | None, out: Path | None) -> None:
        service = _service(desk, user or getpass.getuser())
        if kind == "windows":
            text, encoding = servicing.windows(service), "utf-16"
        else:
            text, encoding = servicing.systemd(service), "utf-8"
        if out is None:
            click.echo(text, nl=False)
        else:
            out.write_text(text, encoding=encoding)
        desk.tell_aside(f"service.{kind}", name=service.name, file=out or f"{service.name}.service")

    return command


def _service(desk: Desk, user: str) -> Service:
    config = desk.config()
    path, state = config.path.resolve(), config.places.state.resolve()
    words = ["-m", "connectors", "--config", str(path), "--state", str(state)]
    return Service(
        agency=config.agency,
        command=(sys.executable, *words, "--lang", desk.lang, "run"),
        config=path,
        state=state,
        user=user,
    )
