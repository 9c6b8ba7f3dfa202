"""The command ``titian-verify``: checks evidence with no network, no database and no gateway.

    titian-verify FILE… [--policy FILE] [--show] [--json] [--lang id|en]

Each file says what it is: a ``.titianproof`` (of a record, a batch, a keyset, a query, a decision),
a batch's frame, a keyset statement, a receipt, or a checkpoint. Exit status: 0 all valid,
1 something invalid, 2 not enough evidence, 3 usage.

Source: trust.md 3.7.
"""

import argparse
import errno
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from keys.contents import contents
from keys.errors import TrustError
from keys.findings import Report, Verdict
from keys.policy import Policy
from keys.sentences import SENTENCES
from keys.verdict import judge

EXIT = {Verdict.VALID: 0, Verdict.INVALID: 1, Verdict.NOT_ENOUGH: 2}
USAGE = 3
_UNREADABLE: dict[int | None, str] = {
    errno.ENOENT: "berkas tidak ada",
    errno.EISDIR: "ini folder, bukan berkas",
    errno.EACCES: "berkas tidak boleh dibaca",
}
_SIGN = {Verdict.VALID: "[v]", Verdict.INVALID: "[x]", Verdict.NOT_ENOUGH: "[?]"}
_RESULT = {
    Verdict.VALID: {"id": "SAH", "en": "VALID"},
    Verdict.INVALID: {"id": "TIDAK SAH", "en": "INVALID"},
    Verdict.NOT_ENOUGH: {"id": "BUKTI BELUM CUKUP", "en": "NOT ENOUGH EVIDENCE"},
}


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command and leave with its exit status."""
    sys.exit(run(argv))


def run(argv: Sequence[str] | None = None) -> int:
    """Check the files and print what was found; the exit status."""
    args = _arguments().parse_args(argv)
    try:
        policy = Policy() if args.policy is None else Policy.parse(args.policy.read_bytes())
        files = [path.read_bytes() for path in args.files]
    except OSError as err:
        said = _UNREADABLE.get(err.errno) if args.lang == "id" else None
        print(f"titian-verify: {err.filename}: {said or err.strerror}", file=sys.stderr)
        return USAGE
    except TrustError as err:
        print(f"titian-verify: {args.policy}: {err}", file=sys.stderr)
        return USAGE
    reports = judge(files, policy)
    if args.json:
        print(json.dumps(_as_json(args.files, reports), indent=1))
    else:
        each = zip(args.files, files, reports, strict=True)
        print("\n\n".join(_as_text(p, d if args.show else b"", r, args.lang) for p, d, r in each))
    return _exit_status([report.verdict for report in reports])


def _arguments() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="titian-verify",
        description="Check Titian evidence offline: no network, no gateway, no database.",
        epilog="Exit status: 0 all valid, 1 something invalid, 2 not enough evidence, 3 usage. "
        "The policy file names what you trust (the log's key, the receipt key); have it from "
        "somebody other than whoever gave you the evidence.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--policy", type=Path, help="JSON file of trust anchors")
    parser.add_argument("--show", action="store_true", help="print what the files say, too")
    parser.add_argument("--json", action="store_true", help="print findings as JSON")
    parser.add_argument("--lang", choices=("id", "en"), default="id", help="language of the text")
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Leave with our status for usage, not argparse's 2, which here means something else."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"titian-verify: {message}\n")


def _exit_status(verdicts: Sequence[Verdict]) -> int:
    if Verdict.INVALID in verdicts:
        return EXIT[Verdict.INVALID]
    return max(EXIT[verdict] for verdict in verdicts)


def _as_text(path: Path, shown: bytes, report: Report, lang: str) -> str:
    lines = [f"{path}  ({report.check})"]
    for finding in report.findings:
        sentence = SENTENCES[finding.step][lang][EXIT[finding.verdict]]
        code = f" ({finding.detail})" if finding.detail else ""
        lines.append(f"  {_SIGN[finding.verdict]} {sentence}{code}")
    lines.append(f"  = {_RESULT[report.verdict][lang]}")
    lines += [f"  {what}: {text}" for what, text in contents(shown)]
    return "\n".join(lines)


def _as_json(paths: Sequence[Path], reports: Sequence[Report]) -> dict[str, object]:
    return {
        "files": [
            {
                "file": str(path),
                "check": report.check,
                "verdict": report.verdict,
                "findings": [asdict(finding) for finding in report.findings],
            }
            for path, report in zip(paths, reports, strict=True)
        ],
        "exit": _exit_status([report.verdict for report in reports]),
    }
