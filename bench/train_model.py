"""Make the shipped model `gateway/index/models/default.json`.

The population comes from the project's generator of truth-labelled records:

    python gen_population.py --records 100000 --seed 8 --out pop8.parquet
    python -m bench.train_model pop8.parquet --population "gen_population, 100000 records, seed 8"

The truth is used for one thing only: to give the generated persons a telephone, which the
generator does not know. A quarter of the addresses lose their street, as in lists that give RT
and RW alone. Then the engine learns without labels. What belongs to the generated city and not to
any city is left out of the table: names of places and streets, and days of birth other than
those that clerks put down for want of a better one.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from demo.city import words
from gateway.index import linking, linkmap, modelfile, normalise, reading, training
from gateway.index.frequency import Frequency
from gateway.index.model import FIELDS
from gateway.index.scoring import FieldModel, Model
from schemas.kinds import Kind

VERSION = "city-1"
SEED = 1376
OUT = Path(__file__).parent.parent / "gateway" / "index" / "models" / "default.json"
RARE_WORD = 14.0
LEAST_COUNT_BITS = 15.0
COUNTED = frozenset((Kind.NAME, Kind.DATE))
MAP = """
[columns]
id = "record_id"
source = "agency"
nik = "nik"
no_kk = "kk"
name = "name"
birth_date = "birth_date"
sex = "sex"
kelurahan = "kelurahan"
address = "address"
phone = "phone"
[options]
register = "dukcapil"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--population", required=True, help="how the file was made, for the notes")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        enriched = Path(folder) / "enriched.parquet"
        pq.write_table(enrich(pq.read_table(args.path)), enriched)
        persons = reading.read(enriched, linkmap.parse(MAP))
    random, population = training.random_pairs(persons.batch, within_sources=True)
    candidates = linking.candidate_pairs(persons.batch, ())
    sample = training.Sample(persons.batch, FIELDS, population, candidates, random, COUNTED)
    learned, _ = training.train(sample, VERSION)
    model = for_any_city(learned)
    notes = {"population": args.population, "seed": SEED, "script": "bench/train_model.py"}
    text = modelfile.dump(model, notes=notes)
    args.out.write_text(text, encoding="utf-8")
    print(f"{args.out}: {len(text.encode()) // 1024} KiB, match prior {model.match:.2e}")


def enrich(table: pa.Table) -> pa.Table:
    """Telephones: a person's own or the household's, given by half of the records, some old."""
    rng = np.random.default_rng(SEED)
    numbers: dict[str, str] = {}
    phones: list[str | None] = []
    addresses: list[str | None] = []
    truth = zip(table["truth_id"].to_pylist(), table["truth_household"].to_pylist(), strict=True)
    for (person, household), address in zip(truth, table["address"].to_pylist(), strict=True):
        draw = rng.random(4)
        owner = person if hash_share(person) < 0.6 else household
        if draw[0] < 0.1:
            owner = f"{person} {draw[1]}"
        made = numbers.setdefault(owner, f"08{rng.integers(10**9, 10**10)}")
        phones.append(made if draw[2] < 0.5 else None)
        short = address is not None and " RT " in address and draw[3] < 0.25
        addresses.append("RT " + address.split(" RT ")[1] if short else address)
    column = table.column_names.index("address")
    table = table.set_column(column, "address", pa.array(addresses, pa.string()))
    return table.append_column("phone", pa.array(phones, pa.string()))


def hash_share(text: str) -> float:
    """A number from 0 to 1 that belongs to this text."""
    return (int("".join(c for c in text if c.isdigit())) * 2_654_435_761 % 2**32) / 2**32


def for_any_city(model: Model) -> Model:
    return replace(model, fields=tuple(_general(f) for f in model.fields))


def _general(field: FieldModel) -> FieldModel:
    table = field.frequency
    if table is None:
        return field
    if field.field.kind is Kind.DATE:
        typical = float(np.median(list(table.known.values())))
        known = {v: b for v, b in table.known.items() if b < typical - 1.5}
        return replace(field, frequency=Frequency(by_word=False, known=known, unknown=typical))
    known = {v: b for v, b in table.known.items() if b < LEAST_COUNT_BITS}
    for word, bits in demo_words().items():
        known[word] = min(known.get(word, bits), bits)
    unknown = min(RARE_WORD, table.unknown)
    return replace(field, frequency=Frequency(by_word=True, known=known, unknown=unknown))


def demo_words() -> dict[str, float]:
    """Bits of the words that the demo city draws names from; some are not the generator's."""
    city = words.load()
    found: dict[str, float] = {}
    for pool in (*city.given.values(), *city.last.values()):
        weights = np.diff(np.array([0.0, *pool.weights])) / pool.weights[-1] / 2
        for word, share in zip(pool.words, weights.tolist(), strict=True):
            folded = normalise.fold(word.lower())
            found[folded] = found.get(folded, 0.0) + share
    return {word: float(-np.log2(share)) for word, share in found.items()}


if __name__ == "__main__":
    main()
