"""Reasons in words and as a tree: why a record was found, and by which links a person hangs."""

from collections.abc import Iterable, Sequence

from gateway.index.scoring import Reason
from gateway.index.view import Evidence

_FIELDS = {
    "nik": "NIK",
    "no_kk": "No. KK",
    "name": "nama",
    "birth_date": "tanggal lahir",
    "sex": "jenis kelamin",
    "kelurahan": "kelurahan",
    "address": "alamat",
    "phone": "telepon",
}
_LEVELS = {
    "same": "sama",
    "slip": "beda satu angka",
    "same day": "sama tanggal lahir di dalamnya",
    "near, other first word": "mirip, kata pertama lain",
    "different": "berbeda",
    "same words": "kata-katanya sama",
    "near": "mirip",
    "shared word": "sama satu kata",
    "vague": "kurang pasti",
    "same year": "sama tahunnya",
    "same house": "sama rumah",
    "same street": "sama jalan",
    "same RT": "sama RT",
}
_NOT_OF_THE_RECORDS = frozenset(("prior", "alternatives"))


def evidence(reasons: Iterable[Reason]) -> tuple[Evidence, ...]:
    """All entries of an explanation; they sum to the score."""
    return tuple(Evidence(r.field, r.level, r.bits) for r in reasons)


def of_records(found: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Only what the two records themselves say."""
    return tuple(e for e in found if e.field not in _NOT_OF_THE_RECORDS)


def words(found: Iterable[Evidence]) -> tuple[str, ...]:
    """Short phrases, the strongest first: `NIK sama`, `nama mirip`."""
    strongest = sorted(found, key=lambda e: -e.bits)
    return tuple(
        f"{_FIELDS.get(e.field, e.field)} {_LEVELS.get(e.level, e.level)}" for e in strongest
    )


def tree(count: int, pairs: Sequence[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """The strongest pairs that connect all `count` records, strongest first.

    Its last pair is the weakest link: without it the records would be two groups.
    """
    group = list(range(count))

    def root(x: int) -> int:
        while group[x] != x:
            group[x] = group[group[x]]
            x = group[x]
        return x

    chosen = []
    for a, b, bits in sorted(pairs, key=lambda p: (-p[2], p[0], p[1])):
        left, right = root(a), root(b)
        if left != right:
            group[max(left, right)] = min(left, right)
            chosen.append((a, b, bits))
    return chosen
