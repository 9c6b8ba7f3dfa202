"""The command ``titian-verify``: checks evidence with no network, no database and no gateway.

    titian-verify FILE… [--policy FILE] [--json] [--lang id|en]

Each file says what it is: a record's or keyset's ``.titianproof``, a batch, a keyset, a receipt, or
a checkpoint. Exit status: 0 all valid, 1 something invalid, 2 not enough evidence, 3 usage.

Source: trust.md 3.7.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from keys.errors import TrustError
from keys.verdict import Policy, Report, Verdict, judge

EXIT = {Verdict.VALID: 0, Verdict.INVALID: 1, Verdict.NOT_ENOUGH: 2}
USAGE = 3
_SIGN = {Verdict.VALID: "[v]", Verdict.INVALID: "[x]", Verdict.NOT_ENOUGH: "[?]"}
_RESULT = {
    Verdict.VALID: {"id": "SAH", "en": "VALID"},
    Verdict.INVALID: {"id": "TIDAK SAH", "en": "INVALID"},
    Verdict.NOT_ENOUGH: {"id": "BUKTI BELUM CUKUP", "en": "NOT ENOUGH EVIDENCE"},
}
# step → language → (valid, invalid, not enough evidence); empty where it cannot come out so
_SENTENCES: dict[str, dict[str, tuple[str, str, str]]] = {
    "format": {
        "id": ("Berkas dapat dibaca.", "Berkas rusak atau bukan berkas Titian.", ""),
        "en": ("The file can be read.", "The file is damaged or not one of Titian's.", ""),
    },
    "kind": {
        "id": ("", "Pernyataan ini bukan jenis yang dapat diperiksa.", ""),
        "en": ("", "The statement is not of a kind that can be checked.", ""),
    },
    "envelope": {
        "id": ("Pernyataan yang ditandatangani lengkap.", "Pernyataan rusak atau kurang.", ""),
        "en": ("The signed statement is complete.", "The statement is damaged or lacking.", ""),
    },
    "line": {
        "id": (
            "Baris ini bagian dari kiriman yang ditandatangani.",
            "Baris ini telah diubah atau bukan bagian dari kiriman itu.",
            "",
        ),
        "en": (
            "The line is part of the signed batch.",
            "The line was altered or is not part of that batch.",
            "",
        ),
    },
    "lines": {
        "id": (
            "Seluruh baris sama dengan yang ditandatangani.",
            "Isi kiriman tidak sama dengan yang ditandatangani.",
            "",
        ),
        "en": (
            "All lines are those that were signed.",
            "The content is not what was signed.",
            "",
        ),
    },
    "aud": {
        "id": (
            "Ditujukan kepada gerbang ini.",
            "Ditujukan kepada gerbang lain.",
            "Nama gerbang tidak diketahui; sertakan berkas kebijakan (--policy).",
        ),
        "en": (
            "It is meant for this gateway.",
            "It is meant for another gateway.",
            "The gateway's name is not known; give a policy file (--policy).",
        ),
    },
    "signature": {
        "id": (
            "Kiriman ditandatangani dengan kunci instansi.",
            "Tanda tangan kiriman tidak cocok dengan kunci instansi.",
            "Kunci instansi pada saat itu tidak diketahui.",
        ),
        "en": (
            "The batch is signed by a key of the agency.",
            "The batch's signature does not fit the agency's keys.",
            "The agency's keys at that time are not known.",
        ),
    },
    "keyset": {
        "id": (
            "Daftar kunci instansi ditandatangani oleh kuncinya sendiri.",
            "Daftar kunci instansi rusak, terputus, atau tidak ditandatangani kuncinya.",
            "Daftar kunci instansi tidak disertakan.",
        ),
        "en": (
            "The agency's keyset is signed by its own keys.",
            "The agency's keyset is damaged, out of order, or not signed by its keys.",
            "The agency's keyset does not come with the file.",
        ),
    },
    "keyset_known": {
        "id": (
            "Kunci-kuncinya dikenal oleh berkas kebijakan.",
            "",
            "Tidak ada bukti bahwa kunci ini milik instansi tersebut.",
        ),
        "en": (
            "Its keys are known by the policy file.",
            "",
            "Nothing shows that these keys belong to the agency.",
        ),
    },
    "keyset_log": {
        "id": (
            "Daftar kunci tercatat dalam log.",
            "Daftar kunci tidak terbukti tercatat dalam log.",
            "",
        ),
        "en": ("The keyset is in the log.", "The keyset is not proved to be in the log.", ""),
    },
    "order": {
        "id": ("", "Kiriman diterima sebelum kunci instansi tercatat dalam log.", ""),
        "en": ("", "The batch was accepted before the log knew the agency's keys.", ""),
    },
    "accept": {
        "id": (
            "Catatan penerimaan menyebut kiriman ini.",
            "Catatan penerimaan menyebut kiriman lain.",
            "Catatan penerimaan tidak disertakan.",
        ),
        "en": (
            "The accept entry names this batch.",
            "The accept entry names another batch.",
            "No accept entry comes with the file.",
        ),
    },
    "accept_log": {
        "id": (
            "Penerimaan tercatat dalam log.",
            "Penerimaan tidak terbukti tercatat dalam log.",
            "",
        ),
        "en": ("The acceptance is in the log.", "The acceptance is not proved to be logged.", ""),
    },
    "checkpoint": {
        "id": (
            "Tonggak log ditandatangani kunci log.",
            "Tonggak log tidak ditandatangani kunci log.",
            "Kunci log tidak diketahui; sertakan berkas kebijakan (--policy).",
        ),
        "en": (
            "The checkpoint is signed by the log's key.",
            "The checkpoint is not signed by the log's key.",
            "The log's key is not known; give a policy file (--policy).",
        ),
    },
    "receipt": {
        "id": (
            "Tanda terima ditandatangani gerbang.",
            "Tanda terima tidak ditandatangani gerbang.",
            "Kunci tanda terima tidak diketahui; sertakan berkas kebijakan (--policy).",
        ),
        "en": (
            "The receipt is signed by the gateway.",
            "The receipt is not signed by the gateway.",
            "The receipt key is not known; give a policy file (--policy).",
        ),
    },
    "lost": {
        "id": ("", "Kunci dinyatakan bocor sejak sebelum kiriman diterima.", ""),
        "en": ("", "The key was declared lost from before the batch was accepted.", ""),
    },
    "fork": {
        "id": ("", "Log bercabang: dua tonggak berukuran sama dengan isi berbeda.", ""),
        "en": ("", "The log is forked: two checkpoints of one size with different roots.", ""),
    },
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
        print(f"titian-verify: {err.filename}: {err.strerror}", file=sys.stderr)
        return USAGE
    except TrustError as err:
        print(f"titian-verify: {args.policy}: {err}", file=sys.stderr)
        return USAGE
    reports = judge(files, policy)
    if args.json:
        print(json.dumps(_as_json(args.files, reports), indent=1))
    else:
        print(
            "\n\n".join(
                _as_text(*each, args.lang) for each in zip(args.files, reports, strict=True)
            )
        )
    return _exit_status([report.verdict for report in reports])


def _arguments() -> argparse.ArgumentParser:
    parser = _Parser(prog="titian-verify", description="Check Titian evidence offline.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--policy", type=Path, help="JSON file of trust anchors")
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


def _as_text(path: Path, report: Report, lang: str) -> str:
    lines = [f"{path}  ({report.check})"]
    for finding in report.findings:
        sentence = _SENTENCES[finding.step][lang][EXIT[finding.verdict]]
        code = f" ({finding.detail})" if finding.detail else ""
        lines.append(f"  {_SIGN[finding.verdict]} {sentence}{code}")
    lines.append(f"  = {_RESULT[report.verdict][lang]}")
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
