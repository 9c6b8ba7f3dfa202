"""Builds the whole demo city: eight sources, the truth and the planted facts, from one seed."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

from demo.city import baz, csr, dinkes, disdik, dstk, dukcapil, lks, ppkb, words
from demo.city.people import populate
from demo.city.places import Places
from demo.city.planted import AGENCIES, plant
from demo.city.programs import programs
from demo.city.scene import Scene
from schemas.profile import Profile

_WRITERS: Mapping[str, Callable[[Scene, Path], None]] = {
    "dukcapil": dukcapil.write,
    "disdik": disdik.write,
    "dstk": dstk.write,
    "dinkes": dinkes.write,
    "baz": baz.write,
    "ppkb": ppkb.write,
    "lks-mk": lks.write,
    "csr-bri": csr.write,
}


@dataclass(frozen=True, slots=True)
class City:
    """Where everything lies, and how much of it there is."""

    seed: int
    today: date
    folders: Mapping[str, Path]
    """Agency code to its folder."""
    truth: Path
    planted: Path
    persons: int
    households: int
    counts: Mapping[str, Mapping[str, int]]
    """Agency to table to rows."""

    @property
    def dstk(self) -> Path:
        return self.folders["dstk"] / "dstk.sqlite"

    @property
    def baz(self) -> Path:
        return self.folders["baz"] / "baz.sqlite"


def build_city(seed: int, out: Path, profile: Profile) -> City:
    """Write the city under `out`; the same arguments always give the same content.

    Args:
        seed: any number; it alone decides who lives here.
        out: folder to write to; older files of the same names are replaced.
        profile: gives places, NIK prefixes and the business date.

    Raises:
        LookupError: the profile follows the calendar; a demo city needs a fixed day.
    """
    today = profile.business_date
    if today is None:
        raise LookupError("the city profile has no business_date: a demo city needs a fixed day")
    lexicon, places = words.load(), Places.load(profile)
    population = populate(Random(f"{seed}:people"), lexicon, places, today)
    cast = plant(Random(f"{seed}:planted"), population, lexicon, today)
    catalogues = {agency: programs(agency, today.year) for agency in AGENCIES}
    scene = Scene(seed, lexicon, places, population, population.members(), cast, today, catalogues)
    folders = {agency: out / agency for agency in AGENCIES}
    for agency, write in _WRITERS.items():
        write(scene, folders[agency])
    truth, planted = out / "truth.csv", out / "planted.json"
    scene.truth.write(truth)
    planted.write_text(json.dumps(_planted(scene), indent=1) + "\n", encoding="utf-8")
    return City(
        seed=seed,
        today=today,
        folders=folders,
        truth=truth,
        planted=planted,
        persons=len(population.people),
        households=len(population.homes),
        counts=_counts(scene),
    )


def _planted(scene: Scene) -> list[dict[str, object]]:
    told: list[dict[str, object]] = []
    for story in scene.cast.stories:
        persons = []
        for number in story.persons:
            person = scene.population.people[number]
            persons.append(
                {
                    "person_id": f"p{number:05d}",
                    "name": person.name,
                    "nik": person.nik,
                    "old_nik": person.old_nik or None,
                    "born": f"{person.born}",
                    "rows": [[r.agency, r.table, r.source_key] for r in scene.truth.about(number)],
                    "events": [
                        [e.agency, e.table, e.source_key]
                        for e in scene.truth.events
                        if e.person_id == number
                    ],
                }
            )
        programs = [
            {"agency": agency, "code": code, "catalogue": scene.program(agency, code).catalogue}
            for agency, code in story.programs
        ]
        told.append(
            {"name": story.name, "see": story.see, "persons": persons, "programs": programs}
        )
    return told


def _counts(scene: Scene) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {agency: Counter() for agency in AGENCIES}
    for row in (*scene.truth.rows, *scene.truth.events):
        counts[row.agency][row.table] += 1
    for agency in AGENCIES:
        counts[agency]["program"] = len(scene.programs(agency))
    return {agency: dict(counter) for agency, counter in counts.items()}
