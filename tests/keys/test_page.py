"""`keys/verify.html` as a file: it runs only its own script, and says what `titian-verify` says."""

import base64
import hashlib
import json
import re

import pytest

from keys.sentences import SENTENCES
from tests.shared import ROOT

PAGE = (ROOT / "keys" / "verify.html").read_text(encoding="utf-8")
DATA = re.compile(r'<script type="application/json" id="sentences">(.*?)</script>', re.DOTALL)
LARGEST = 150_000


def _sources(element: str) -> list[str]:
    """The hash of each inline element, as a policy of the browser spells it."""
    found = re.findall(rf"<{element}>(.*?)</{element}>", PAGE, re.DOTALL)
    digests = [hashlib.sha256(each.encode("utf-8")).digest() for each in found]
    return [f"'sha256-{base64.b64encode(each).decode()}'" for each in digests]


def test_the_browser_runs_only_what_stands_in_the_page() -> None:
    """After a change of script or style, the policy at the top of the page is this."""
    assert len(_sources("script")) == 2
    wanted = (
        f"default-src 'none'; script-src {' '.join(_sources('script'))}; "
        f"style-src {' '.join(_sources('style'))}; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    found = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', PAGE)
    assert found == [wanted]


def test_the_page_asks_for_nothing_and_handles_nothing_in_its_markup() -> None:
    markup = re.sub(r"<(script|style)\b.*?</\1>", "", PAGE, flags=re.DOTALL)
    assert not re.search(r"\s(src|href|srcset|style|on[a-z]+)=", markup)


def test_files_are_never_read_as_markup() -> None:
    sinks = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(")
    assert not [sink for sink in sinks if sink in PAGE]


def test_the_sentences_are_those_of_the_command() -> None:
    (data,) = DATA.findall(PAGE)
    spelled = {
        s: {lang: list(text) for lang, text in each.items()} for s, each in SENTENCES.items()
    }
    assert json.loads(data) == spelled


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_text_stands_in_both_languages(language: str) -> None:
    other = {"id": "en", "en": "id"}[language]
    body = PAGE[PAGE.index("<body>") : PAGE.index("<script")]
    spans = re.findall(r'<span lang="(id|en)">', body)
    assert spans.count(language) == spans.count(other) > 10


def test_the_page_is_small() -> None:
    assert len(PAGE.encode("utf-8")) < LARGEST


def test_what_others_wrote_is_named_with_its_licence() -> None:
    assert "fzstd 0.1.1" in PAGE
    assert "Copyright (c) 2020 Arjun Barrett" in PAGE
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert "fzstd 0.1.1" in notice
    assert "Copyright (c) 2020 Arjun Barrett" in notice
