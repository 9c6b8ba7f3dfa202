"""JOSE as it is published: signatures, encryptions and keys, of which we take none."""

import json
from collections.abc import Iterator
from typing import Any

from tests.shared import shared

WYCHEPROOF = ("json_web_signature", "json_web_crypto", "json_web_key")
COOKBOOK = ("jws", "rfc7797", "curve25519")


def messages() -> list[str]:
    """Each signature and encryption, as text; those in JSON serialization as JSON text."""
    found = [*_wycheproof(), *_cookbook()]
    return list(dict.fromkeys(found))


def keys() -> list[str]:
    """Each JSON Web Key or key set, private or public, as JSON text."""
    found = []
    for name in WYCHEPROOF:
        for group in _groups(name):
            found += [group[half] for half in ("private", "public") if half in group]
    found += [json.loads(path.read_text()) for path in sorted(_jose().glob("jwk/*.json"))]
    return list(dict.fromkeys(json.dumps(each) for each in found))


def _wycheproof() -> Iterator[str]:
    for name in WYCHEPROOF:
        for group in _groups(name):
            for case in group["tests"]:
                yield from (_text(case[kind]) for kind in ("jws", "jwe") if kind in case)


def _cookbook() -> Iterator[str]:
    for folder in COOKBOOK:
        for path in sorted(_jose().glob(f"{folder}/*.json")):
            yield from map(_text, json.loads(path.read_text())["output"].values())


def _groups(name: str) -> list[dict[str, Any]]:
    path = shared(f"data/vectors/wycheproof/{name}_test.json")
    found: list[dict[str, Any]] = json.loads(path.read_text())["testGroups"]
    return found


def _jose() -> Any:
    return shared("data/vectors/jose")


def _text(sample: object) -> str:
    return sample if isinstance(sample, str) else json.dumps(sample)
