"""`titian jobs`: what was set aside, and taking it up again. For the operator."""

import sys

import click

from gateway.settings import Settings
from gateway.storage import engine, ids, outbox


@click.group()
def jobs() -> None:
    """Background jobs that failed too often."""


@jobs.command("list")
def list_() -> None:
    """Jobs that were set aside, oldest first."""
    made = engine.connect(Settings.from_env())
    with engine.sessions(made)() as session:
        found = outbox.parked(session)
    for job in found:
        click.echo(
            f"{ids.show(job.id)}  {job.job:<10} {job.made_at:%Y-%m-%d %H:%M} UTC  {job.reason}"
        )
    if not found:
        click.echo("no job is set aside")


@jobs.command()
@click.argument("job_id", required=False)
@click.option("--all", "every", is_flag=True, help="Every job that is set aside.")
def retry(job_id: str | None, *, every: bool) -> None:
    """Take job JOB_ID up again, once the cause of its failures is mended."""
    made = engine.connect(Settings.from_env())
    with engine.sessions(made)() as session:
        parked = {ids.show(job.id): job.id for job in outbox.parked(session)}
        chosen = list(parked.values()) if every else [parked[j] for j in (job_id,) if j in parked]
        for promise_id in chosen:
            outbox.retry(session, promise_id)
        session.commit()
    if not chosen:
        click.echo("titian: no such job is set aside; see `titian jobs list`", err=True)
        sys.exit(1)
    click.echo(f"{len(chosen)} taken up again")
