"""`python -m demo.city --seed 7 --out DIR`: write a city's source databases, to look at them."""

from pathlib import Path
from time import perf_counter

import click

from demo.city.build import build_city
from schemas.profile import Profile


@click.command()
@click.option("--seed", default=7, show_default=True)
@click.option("--profile", default="payakumbuh", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
def main(seed: int, profile: str, out: Path) -> None:
    """Write the demo city's sources, its truth and its planted facts under OUT."""
    started = perf_counter()
    city = build_city(seed, out, Profile.load(profile))
    click.echo(f"{city.persons} persons, {city.households} households, seed {seed}: {out}")
    for agency, tables in city.counts.items():
        for table, rows in tables.items():
            click.echo(f"  {agency:<9} {table:<16} {rows:>6}")
    click.echo(f"{perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
