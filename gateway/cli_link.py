"""`titian link`: which rows of a file speak of the same person."""

import time
from pathlib import Path

import click

from gateway.errors import Refused
from gateway.index import offline

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("source", metavar="INPUT", type=_FILE)
@click.option(
    "--map", "link_map", required=True, type=_FILE, help="TOML: our fields, your columns."
)
@click.option("--out", required=True, type=_FILE, help="CSV to write: id,cluster_id.")
@click.option(
    "--threshold",
    default=offline.DEFAULT_THRESHOLD,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Chance of being one person, on average, from which two groups join.",
)
@click.option("--json", "stats", type=_FILE, help="Also write figures of the run to this file.")
def link(source: Path, link_map: Path, out: Path, threshold: float, stats: Path | None) -> None:
    """Link the persons of a CSV or Parquet file; no database, no broker.

    Writes CLUSTERS.csv, and beside it CLUSTERS.review.csv with the pairs that a person should
    look at; those are not linked.
    """
    started = time.perf_counter()
    job = offline.Job(source, link_map, out, threshold)
    _check_places(job, stats)

    def progress(line: str) -> None:
        click.echo(f"{time.perf_counter() - started:6.1f} s  {line}", err=True)

    try:
        figures = offline.run(job, progress)
    except Refused as err:
        raise click.ClickException(err.sentence) from err
    except FileNotFoundError as err:
        raise click.ClickException(f"There is no file {err.filename}.") from err
    if stats is not None:
        seconds = round(time.perf_counter() - started, 2)
        offline.write_figures(stats, {**figures, "seconds": seconds})


def _check_places(job: offline.Job, stats: Path | None) -> None:
    """Refuse before any work to write over what is read, or where nothing can be written."""
    written = [job.out, job.review, *([] if stats is None else [stats])]
    read = {job.source.resolve(), job.link_map.resolve()}
    places = [path.resolve() for path in written]
    if read & set(places) or len(set(places)) < len(places):
        raise click.ClickException(
            "An output would overwrite an input or another output; nothing was written. "
            "Choose other names for --out and --json."
        )
    for place in places:
        if not place.parent.is_dir():
            raise click.ClickException(f"There is no folder {place.parent}; make it first.")
