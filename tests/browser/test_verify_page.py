"""`keys/verify.html` in a real Chromium: it says what `titian-verify` says, and runs nothing else."""

import base64
import hashlib
import http.server
import json
import random
import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import pytest
import zstandard
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from keys import bundle, dsse, frame
from keys.canonical import canonical
from keys.contents import contents
from keys.errors import TrustError
from keys.policy import Policy
from keys.sentences import SENTENCES
from keys.signers import Ed25519Signer
from keys.verdict import judge
from keys.verify import EXIT, _exit_status
from tests.keys import chains, city
from tests.keys.evidence_cases import NO_PINS, OTHER_LOG, WITNESSED, note, proof
from tests.keys.fixtures import FOLDER
from tests.keys.test_verify import POLICIES
from tests.shared import ROOT, shared

PAGE = ROOT / "keys" / "verify.html"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
GOOD = [name for name, each in EXPECTED.items() if each["exit"] == 0]
JUDGE = """async (cases) => {
  const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const found = [];
  for (const [files, policy] of cases) {
    const given = policy === null ? null : bytes(policy);
    found.push(await titianVerify(files.map(bytes), given).catch((error) => error.code));
  }
  return found;
}"""
Case = tuple[Sequence[bytes], bytes | None]


@pytest.fixture
def checker(chromium):
    """The page from a file, in a browser that may reach nothing and must say nothing."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    opened, said, asked = context.new_page(), [], []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    context.route("http*://**", lambda route: route.abort())
    opened.goto(PAGE.as_uri())
    opened.wait_for_selector("#work:not([hidden])")
    yield opened
    assert said == []
    assert asked == [PAGE.as_uri()]
    context.close()


def by_the_page(page, cases: Iterable[Case]) -> list:
    def spelled(data: bytes) -> str:
        return base64.b64encode(data).decode()

    return page.evaluate(JUDGE, [
        [[spelled(each) for each in files], None if policy is None else spelled(policy)]
        for files, policy in cases
    ])  # fmt: skip


def by_the_command(files: Sequence[bytes], policy: bytes | None) -> dict:
    reports = judge(files, Policy() if policy is None else Policy.parse(policy))
    told = [
        {
            "check": report.check,
            "verdict": str(report.verdict),
            "findings": [
                {"check": f.check, "step": f.step, "verdict": str(f.verdict), "detail": f.detail}
                for f in report.findings
            ],
        }
        for report in reports
    ]
    return {"files": told, "exit": _exit_status([report.verdict for report in reports])}


def without_codes(found: dict) -> dict:
    """The same without the codes of refusals: which of two faults is met first, may differ."""
    return {**found, "files": [
        {**f, "findings": list(dict.fromkeys((x["step"], x["verdict"]) for x in f["findings"]))}
        for f in found["files"]
    ]}  # fmt: skip


def agreed(page, cases: Sequence[Case]) -> list[str]:
    """The verdicts of the first files, once both verifiers have said the same of all."""
    found = by_the_page(page, cases)
    for (files, policy), mine in zip(cases, found, strict=True):
        assert without_codes(mine) == without_codes(by_the_command(files, policy)), files[0][:2000]
    return [each["files"][0]["verdict"] for each in found]


def fixture(name: str) -> Case:
    policy = EXPECTED[name]["policy"]
    return [(FOLDER / name).read_bytes()], policy and (FOLDER / policy).read_bytes()


def test_all_fixtures_come_out_as_by_the_command_and_with_its_codes(checker) -> None:
    found = by_the_page(checker, [fixture(name) for name in EXPECTED])
    for name, mine in zip(EXPECTED, found, strict=True):
        assert mine == by_the_command(*fixture(name)), name
        assert mine["exit"] == EXPECTED[name]["exit"], name


def test_500_edits_of_one_byte_come_out_alike(checker) -> None:
    rng, cases = random.Random(20261124), []
    for _ in range(500):
        files, policy = fixture(rng.choice(GOOD))
        data = bytearray(files[0])
        data[rng.randrange(len(data))] = rng.choice((rng.randrange(256), *b'"{}[],:0-.e\\u \n=A'))
        cases.append(([bytes(data)], policy))
    verdicts = agreed(checker, cases)
    assert verdicts.count("invalid") > 300


def test_histories_of_keysets_come_out_alike(checker) -> None:
    files = list(chains.histories(20261124, 300))
    unknown_centre = city.policy(agencies=None, receipt=None)
    cases = [([each], policy) for each in files for policy in (chains.POLICY, unknown_centre)]
    verdicts = agreed(checker, cases)
    assert all(verdicts.count(each) >= 10 for each in set(EXIT))


def test_new_recovery_keys_reach_their_own_threshold_for_both(checker) -> None:
    one, other = chains.OURS[7], chains.OURS[8]

    def both(said: dict) -> None:
        said["recovery"] = {**said["recovery"], "threshold": 2}

    files = [chains.of_two(both, *signers) for signers in ((one, other), (one,), (other,))]
    cases = [([each], chains.POLICY) for each in files]
    assert agreed(checker, cases) == ["valid", "invalid", "invalid"]


def test_several_files_are_held_against_each_other(checker) -> None:
    fork = note(root=bytes([1]) * 32)
    sets = [
        [note(), note()],
        [note(), note(size=6)],
        [note(), fork, city.receipt()],
        [proof(), note(size=4)],
        [note(), note(OTHER_LOG)],
        [proof(), note(size=9)],
    ]
    assert agreed(checker, [(files, city.policy()) for files in sets]) == [
        *("valid", "not enough evidence", "invalid", "invalid", "valid", "valid"),
    ]


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_that_cannot_be_used_is_refused_alike(checker, name: str) -> None:
    with pytest.raises(TrustError) as refused:
        Policy.parse(POLICIES[name])
    assert by_the_page(checker, [([note()], POLICIES[name])]) == [refused.value.code]


def test_keys_for_which_anybody_could_sign_are_refused_alike(checker) -> None:
    """All low-order and non-canonical keys, and others that are no points."""
    low = json.loads(shared("data/vectors/own/ed25519-low-order-keys.json").read_text())
    raws = [bytes.fromhex(each) for each in low["encodings"]]
    rng = random.Random(1)
    raws += [rng.randbytes(32) for _ in range(40)]
    raws += [(2**255 - n).to_bytes(32, "little") for n in range(1, 30)]
    policies = []
    for raw in raws:
        hashed = base64.b32encode(hashlib.sha256(b"ed25519\0" + raw).digest())
        kid = f"gateway:{hashed.decode().lower()[:26]}"
        key = {"alg": "ed25519", "pub": base64.b64encode(raw).decode()}
        policies.append(city.policy(receipt={kid: key}))
    found = by_the_page(checker, [([note()], policy) for policy in policies])
    assert [each if isinstance(each, str) else "" for each in found] == [
        _refusal(policy) for policy in policies
    ]
    assert all(isinstance(each, str) for each in found[: len(low["encodings"])])


def _refusal(policy: bytes) -> str:
    """The code with which a policy is refused; empty where it is taken."""
    try:
        Policy.parse(policy)
    except TrustError as err:
        return err.code
    return ""


VALUES = rb"""
1 0 -1 -0 01 +1 1.0 1e3 1E+2 .5 1. 0x1 NaN Infinity -Infinity 1_0 9007199254740991 9007199254740992
-9007199254740991 -9007199254740992 123456789012345678901 true false null True nul nulll tru
"" "a" "\u0041" "\ud83d\ude00" "\ud83d" "\ude00" "\ude00\ud83d" "\ud83dx" "\uD83D\uDE00" "\x41" "\u00g1"
"\u12" "\/" "\b\f\n\r\t" "\'" 'a' "a "a"b" [] [1] [1,] [,1] [1,2] [1 {} {"a":1} {"a":1,} {a:1} {"a"}
{"a":1,"a":2} {"a":1,"\u0061":2} {"\u0061":1,"b":2} {"__proto__":1} {"__proto__":1,"__proto__":2}
{"constructor":{"prototype":1}} {"a":{"b":1,"b":1}} {"\ud800":1} /**/1 1//x [1]] {}} [[[[[]]]]] "\u0000"
""".split()
MORE = [
    *(b'"\t"', b'"\x7f"', b'"\xc2\xa0"', b'"\xef\xbb\xbf"', b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"\xff"'),
    *(b"\xc2\xa01", b"\x0c1", b"\x0b1", b" \t\r\n1", b"1\x00", b'"\xf4\x90\x80\x80"', b'"\xe2\x80\xa8"'),
    *(b"[" * n + b"1" + b"]" * n for n in (62, 63, 64, 65, 900, 3000)),
    *(b'{"a":' * n + b"1" + b"}" * n for n in (63, 64)),
    *(b"[" + b"[]," * n + b"1]" for n in (19_997, 19_998, 19_999)),
    b'"' + b"x" * (1 << 20) + b'"',
]  # fmt: skip


def test_json_is_read_alike(checker) -> None:
    """A receipt whose one field is anything: it is valid where the reader takes the JSON."""
    whole = canonical(json.loads(dsse.parse(city.receipt()).payload))
    cases = []
    for value in [*VALUES, *MORE]:
        payload = whole.replace(b'"mmd":10', b'"mmd":' + value)
        cases.append(([dsse.seal(bundle.RECEIPT_TYPE, payload, [city.RECEIPT])], city.policy()))
    verdicts = agreed(checker, cases)
    assert min(verdicts.count("valid"), verdicts.count("invalid")) > 30


SPELLINGS = [
    lambda text: text,
    lambda text: text.rstrip("="),
    lambda text: text + "=",
    lambda text: text + "====",
    lambda text: text + "\n",
    lambda text: " " + text,
    lambda text: text[:8] + "\n" + text[8:],
    lambda text: text.replace("+", "-").replace("/", "_"),
    lambda text: text[:-3] + "B==",  # bits that say nothing
    lambda text: text[:-3] + "h==",
    lambda text: text[:4] + "\u212a" + text[5:],
    lambda text: "",
    lambda text: "=",
    lambda text: text * 2,
]


@pytest.mark.parametrize("field", ["payload", "sig"])
def test_base64_is_read_alike(checker, field: str) -> None:
    cases, unchanged = [], []
    for spell in SPELLINGS:
        envelope = json.loads(city.receipt())
        inside = envelope if field == "payload" else envelope["signatures"][0]
        unchanged.append(inside[field] == spell(inside[field]))
        inside[field] = spell(inside[field])
        cases.append(([json.dumps(envelope).encode()], city.policy()))
    assert [each == "valid" for each in agreed(checker, cases)] == unchanged


NAMES = [
    "a",
    "a" * 200,
    "a" * 201,
    "a b",
    "a+b",
    "a\x85b",
    "a\xa0b",
    "a\ufeffb",
    "a\u200bb",
    "\u2028",
    "é",
    "𝒳" * 200,
]


def test_notes_are_read_alike(checker) -> None:
    good = note().decode()
    texts = [
        *(good.replace(city.ORIGIN, name) for name in NAMES),
        *(good.replace("\n5\n", f"\n{size}\n") for size in ("05", "-1", "1e3", "9" * 18, "9" * 19, "५", "")),
        *(good.replace("— ", dash) for dash in ("- ", "—", "—  ", "")),
        *(good + tail for tail in ("x", "\n", "\n\n", good[good.index("—") :], "— a AAAAAAA=\n", "— a AAAA\n")),
        *(good.replace("\n\n", gap) for gap in ("\n", "\n\n\n", "\n\nx\n\n", "\r\n\r\n", "\n \n")),
        *(good.replace("\n", end) for end in ("\r\n", "\x00", "\u2028")),
        good + good[good.index("—") :] * 99,
        good + good[good.index("—") :] * 100,
        "\ufeff" + good,
        good + "\x7f",
    ]  # fmt: skip
    verdicts = agreed(checker, [([text.encode()], city.policy()) for text in texts])
    assert verdicts.count("valid") >= 2


def packed(data: bytes, **options: object) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True, **options).compress(data)


def records(count: int) -> list[bytes]:
    rng = random.Random(count)
    names, places = ("Siti", "Budi", "Rosmaini", "Syafri"), ("Koto Nan Ampek", "Ibuh", "Tiakar")
    return [
        canonical({
            "_s": base64.urlsafe_b64encode(rng.randbytes(16)).decode()[:22],
            "_id": str(n),
            "nama": f"{rng.choice(names)} {rng.choice(names)}",
            "kelurahan": rng.choice(places),
            "lahir": f"19{rng.randrange(100):02}-0{rng.randrange(1, 10)}-1{rng.randrange(10)}",
        })
        for n in range(count)
    ]  # fmt: skip


def framed(lines: Sequence[bytes], zstd: bytes, **change: object) -> bytes:
    """A batch over these lines with other bytes in place of its zstd frame."""
    sealed = frame.seal_batch({**city.BATCH, **change}, lines, [city.AGENCY])
    head = 8 + len(city.envelope_of(sealed))
    return sealed.body[:head] + zstd


def frames() -> Iterator[tuple[bytes, bool]]:
    """Frames, and whether each is good."""
    lines = records(3000)
    data = b"\n".join(lines) + b"\n"
    for level in (-5, 1, 3, 9, 19):
        yield framed(lines, packed(data, level=level)), True
    for log in (10, 17, 23):
        params = zstandard.ZstdCompressionParameters(window_log=log, write_checksum=True)
        yield (
            framed(lines, zstandard.ZstdCompressor(compression_params=params).compress(data)),
            True,
        )
    unsized = zstandard.ZstdCompressor(write_checksum=True, write_content_size=False)
    good = packed(data)
    yield framed(lines, unsized.compress(data)), True
    same = [b"a" * 16_000] * 4000
    yield framed(same, packed(b"\n".join(same) + b"\n")), True
    yield framed([b"x"], packed(b"x\n")), True
    wide = zstandard.ZstdCompressionParameters(window_log=24, write_checksum=True)
    stream = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    yield framed(lines, stream.compress(data) + stream.flush()), False
    yield framed(lines, zstandard.ZstdCompressor().compress(data)), False  # no checksum
    yield framed(lines, good + good), False
    half = len(data) // 2
    yield framed(lines, packed(data[:half]) + packed(data[half:])), False
    yield framed(lines, b"\x50\x2a\x4d\x18\x01\0\0\0x" + good), False  # a skippable frame
    yield framed(lines, good + b"\x50\x2a\x4d\x18\0\0\0\0"), False
    yield framed(lines, good[:-1]), False
    yield framed(lines, good[:-4] + bytes(4)), False
    yield framed(lines, b""), False
    yield framed(lines, data), False
    yield framed(lines, packed(data[:-1])), False
    yield framed(lines, packed(data + b"x\n")), False
    yield framed(lines, unsized.compress(bytes(512 << 20))), False  # a bomb
    yield framed([], good), False
    yield framed([b"a" * 16_384], packed(b"a" * 16_384 + b"\n")), True
    yield framed([b"a" * 16_385], packed(b"a" * 16_385 + b"\n")), False
    yield framed([b"", b"a"], packed(b"\na\n")), False
    many = [b"%d" % n for n in range(50_001)]
    yield framed(many, packed(b"\n".join(many) + b"\n")), False


def test_frames_come_out_alike(checker) -> None:
    made = list(frames())
    verdicts = agreed(checker, [([data], city.policy()) for data, _ in made])
    assert verdicts == ["valid" if good else "invalid" for _, good in made]


def test_400_edits_inside_a_frame_come_out_alike(checker) -> None:
    lines, rng = records(60), random.Random(5)
    zstd, cases = packed(b"\n".join(lines) + b"\n"), []
    for _ in range(400):
        edited = bytearray(zstd)
        edited[rng.randrange(len(zstd))] ^= 1 << rng.randrange(8)
        cases.append(([framed(lines, bytes(edited))], city.policy()))
    assert "valid" in agreed(checker, [*cases, ([framed(lines, zstd)], city.policy())])


# What a person sees


def choose(page, files: dict[str, bytes], policy: bytes | None = None) -> None:
    if policy is not None:
        page.set_input_files("#policy", _upload("policy.json", policy))
    page.set_input_files("#evidence", [_upload(name, data) for name, data in files.items()])
    expect(page.locator(".file")).to_have_count(len(files))


def _upload(name: str, data: bytes) -> dict:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def test_each_file_shows_its_verdict_its_steps_and_what_it_says(checker) -> None:
    names = ["valid-record", "altered-line", "query-answer-erased", "valid-decision"]
    files = {name: fixture(name)[0][0] for name in names}
    choose(checker, files, WITNESSED)
    results = {"id": ("SAH", "TIDAK SAH", "BUKTI BELUM CUKUP")}
    results["en"] = ("VALID", "INVALID", "NOT ENOUGH EVIDENCE")
    for language in ("id", "en"):
        expect(checker.locator(f"html[lang={language}]")).to_have_count(1)
        reports = judge(list(files.values()), Policy.parse(WITNESSED))
        for name, report in zip(names, reports, strict=True):
            shown = checker.locator("article", has_text=name)
            assert results[language][EXIT[report.verdict]] in shown.locator(".tag").inner_text()
            items = shown.locator(".steps li").all_inner_texts()
            for item, finding in zip(items, report.findings, strict=True):
                assert SENTENCES[finding.step][language][EXIT[finding.verdict]] in item
                assert finding.detail in item
            said = shown.locator("pre").all_text_contents()
            assert said == [text for _, text in contents(files[name])]
        checker.click("#language")


def test_what_stands_in_a_file_never_runs(checker) -> None:
    hostile = (
        "</script><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
    )
    line = canonical({"nama": hostile, "url": "javascript:alert(1)", "mark": "\u202e\u0000\u2028"})
    sealed = city.batch(lines=[line])
    evidence = bundle.RecordEvidence(line, 0, [], city.origin(sealed))
    choose(checker, {f"{hostile}.titianproof": bundle.build(evidence)}, NO_PINS)
    assert hostile in checker.locator("h3").inner_text()
    checker.locator("article summary").click()
    shown = checker.locator("pre").inner_text()
    assert json.loads(shown)["nama"] == hostile
    assert "\u202e" not in shown
    assert checker.locator(".tag").inner_text() == "● SAH"
    assert checker.locator("main img, main script, main a").count() == 0
    assert checker.title().startswith("Periksa bukti")


def test_a_policy_among_the_evidence_is_not_believed_unasked(checker) -> None:
    choose(checker, {"record": proof(), "policy.json": NO_PINS})
    record = checker.locator("article", has_text="record")
    assert "BUKTI BELUM CUKUP" in record.locator(".tag").inner_text()
    checker.get_by_role("button", name="Pakai sebagai kebijakan saya").click()
    expect(checker.locator(".tag")).to_have_text("● SAHVALID")
    expect(checker.locator("#anchors")).to_contain_text(city.LOG.vkey)


def test_a_damaged_policy_is_told_and_nothing_is_judged(checker) -> None:
    checker.set_input_files("#policy", _upload("policy.json", b"{"))
    expect(checker.locator("#anchors .problem")).to_contain_text("statement.json")
    checker.set_input_files("#evidence", _upload("record", proof()))
    checker.wait_for_timeout(200)
    assert checker.locator(".tag").count() == 0


def test_files_can_be_dropped(checker) -> None:
    spelled = base64.b64encode(proof()).decode()
    checker.evaluate(
        """(text) => {
          const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
          const carried = new DataTransfer();
          carried.items.add(new File([bytes], "dropped.titianproof"));
          document.body.dispatchEvent(
            new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
        }""",
        spelled,
    )
    expect(checker.locator(".file h3")).to_have_text("dropped.titianproof")


def test_the_keyboard_alone_is_enough(checker) -> None:
    checker.on("filechooser", lambda _: None)  # so that the browser hands them over from now on
    checker.keyboard.press("Tab")
    expect(checker.locator("#language")).to_be_focused()
    for chooser, data in (("#policy", NO_PINS), ("#evidence", proof())):
        checker.keyboard.press("Tab")
        expect(checker.locator(chooser)).to_be_focused()
        with checker.expect_file_chooser() as opened:
            checker.keyboard.press("Enter")
        opened.value.set_files(_upload(chooser, data))
    expect(checker.locator(".tag")).to_have_text("● SAHVALID")
    checker.keyboard.press("Tab")
    checker.keyboard.press("Enter")
    expect(checker.locator("article details[open]")).to_have_count(1)
    checker.keyboard.press("Tab")
    checker.keyboard.press("Enter")
    expect(checker.locator(".file")).to_have_count(0)
    expect(checker.locator("#evidence")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), (390, 844)], ids=["desk", "phone"])
def test_the_page_is_accessible_and_fits(checker, scheme: str, size: tuple[int, int]) -> None:
    checker.set_viewport_size({"width": size[0], "height": size[1]})
    checker.emulate_media(color_scheme=scheme)
    assert Axe().run(checker).response["violations"] == []
    names = ["valid-record", "altered-line", "query-answer-erased", "noise"]
    files = {name + "-x" * 40: fixture(name)[0][0] for name in names} | {"policy": NO_PINS}
    choose(checker, files, WITNESSED)
    for _ in ("id", "en"):
        for fold in checker.locator("details:not([open]) > summary:visible").all()[::-1]:
            fold.click()
        assert Axe().run(checker).response["violations"] == []
        assert checker.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        checker.click("#language")


LACKING = {
    "no ed25519": "crypto.subtle.importKey = () => Promise.reject(new DOMException('x', 'NotSupportedError'))",
    "no subtle": "Object.defineProperty(crypto, 'subtle', { value: undefined })",
    "yes to everything": "crypto.subtle.verify = () => Promise.resolve(true)",
}


@pytest.mark.parametrize("lacking", LACKING)
def test_a_browser_that_cannot_check_signatures_says_so_and_nothing_else(chromium, lacking) -> None:
    page = chromium.new_page()
    page.add_init_script(LACKING[lacking])
    page.goto(PAGE.as_uri())
    expect(page.locator("#unable")).to_be_visible()
    expect(page.locator("#work")).to_be_hidden()
    assert "titian-verify" in page.locator("#unable").inner_text()
    assert by_the_page(page, [([proof()], NO_PINS)]) == ["browser.ed25519"]
    page.close()


def test_it_runs_from_a_web_server_and_asks_it_for_nothing_more(chromium, tmp_path) -> None:
    (tmp_path / "verify.html").write_bytes(PAGE.read_bytes())
    asked = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_) -> None:
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=tmp_path)
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = chromium.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/verify.html")
        choose(page, {"record": proof()}, NO_PINS)
        expect(page.locator(".tag")).to_have_text("● SAHVALID")
        page.close()
        server.shutdown()
    assert set(asked) <= {"/verify.html", "/favicon.ico"}


def test_the_key_of_the_verifier_is_the_agencys_not_the_messages(checker) -> None:
    """A stranger's key that calls itself by the agency's kid is none of the agency's."""
    stranger = Ed25519Signer.from_seed("dinsos", bytes([77]) * 32)
    envelope = json.loads(city.envelope_of(city.batch(stranger)))
    envelope["signatures"][0]["keyid"] = city.AGENCY.kid
    forged = proof(envelope=json.dumps(envelope).encode())
    assert agreed(checker, [([forged], NO_PINS)]) == ["invalid"]
