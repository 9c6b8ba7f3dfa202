"""`link_public`: public sets with known truth, by `titian link` with a map of columns only.

Nothing is tuned for a set and the threshold is the default; Splink has its own model for each and
the best threshold that an oracle can choose.
"""

from collections.abc import Mapping

import pyarrow.parquet as pq

from bench import linkers, partitions, populations
from bench.figure import Figure
from bench.lab import Lab
from bench.linkers import Task
from gateway.index.model import Ints
from gateway.index.offline import DEFAULT_THRESHOLD

MAPS: Mapping[str, str] = {
    "febrl4": """
[columns]
id = "unique_id"
source = "source"
name = ["given_name", "surname"]
birth_date = "date_of_birth"
address = ["street_number", "address_1", "address_2"]
kelurahan = "suburb"
[extra.number]
column = "soc_sec_id"
kind = "code"
[extra.postcode]
column = "postcode"
kind = "code"
[options]
within_sources = false
""",
    "fake_1000": """
[columns]
id = "unique_id"
name = ["first_name", "surname"]
birth_date = "dob"
[extra.email]
column = "email"
kind = "text"
[extra.city]
column = "city"
kind = "text"
""",
    "historical_50k": """
[columns]
id = "unique_id"
name = "full_name"
birth_date = "dob"
sex = "gender"
[extra.birth_place]
column = "birth_place"
kind = "text"
[extra.postcode]
column = "postcode_fake"
kind = "code"
[extra.occupation]
column = "occupation"
kind = "text"
""",
}
_GRID = tuple(float(bits) for bits in range(-6, 30))


def run(lab: Lab) -> list[Figure]:
    """F1 on each set, beside Splink's best."""
    return [_figure(lab, name) for name in (["fake_1000"] if lab.quick else MAPS)]


def _figure(lab: Lab, name: str) -> Figure:
    path = populations.there(populations.SHARED / "linkage" / f"{name}.parquet")
    folder = lab.var.resolve() / "link"
    task = Task(str(path), MAPS[name], DEFAULT_THRESHOLD, name, str(folder))
    given = pq.read_table(path)
    truth = partitions.numbered(given["truth"].to_pylist())
    sources: Ints | None = None
    if "source" in given.column_names:
        sources = partitions.numbered(given["source"].to_pylist())
    labels = linkers.run("own", task).labels[str(DEFAULT_THRESHOLD)]
    theirs = linkers.run("splink", task)
    ours = partitions.judged(truth, labels, sources)
    peer = partitions.best(truth, theirs.edges, _GRID, sources)
    return Figure(
        name=f"link {name}",
        value=round(ours.f1, 4),
        unit="F1",
        peer="Splink, best threshold",
        peer_value=round(peer.f1, 4),
        bar=round(peer.f1, 4),
        holds=ours.f1 >= peer.f1,
    )
