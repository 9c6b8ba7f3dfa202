"""Reserving a place and money for one need, and giving them back.

1. the programme's row is held, so whoever comes second sees what the first has taken;
2. what is left is counted anew, under that row;
3. the programme runs, a place is left, the amount is in range, the money is there;
4. the person holds no other programme of an exclusive group, unless somebody overrides it;
5. the reservation is written; the caller commits it together with the decision.

Source: design/decisions.md (quota truth); domain.md §2.4 (N10), §3.3 (invariant).
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from gateway.errors import Conflict, Refused
from gateway.programs import query, store
from gateway.programs.model import LAST_RESORT, Program, Truth

_INSTEAD = "Masukkan ke daftar tunggu, atau usulkan untuk tahun anggaran berikutnya."
INSTEAD = "queue propose_next_fy"
"""What is possible instead, as events of a need."""


class NothingLeft(Conflict):
    """No place or no money is left; `instead` names the moves that are possible."""


class Duplicate(Conflict):
    """The person holds another programme of the group; an override needs a reason."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be reserved for one need; `usual` is the range of its kind in rupiah.

    Attributes:
        override: the person may hold another programme of the group; somebody gave a reason.
        beside: the programmes that this sets aside.
    """

    need_id: UUID
    program_code: str
    amount_idr: int
    person_id: UUID | None = None
    usual: tuple[int | None, int | None] = (None, None)
    override: bool = False
    beside: tuple[str, ...] = ()


def reserve(session: Session, wanted: Wanted, today: date, now: datetime) -> Truth:
    """Reserve a place and the money; returns what stood before it. The caller commits.

    Raises:
        NotFound: nobody publishes the programme.
        NothingLeft: `program.full`, `program.spent`, or it does not run today (`program.closed`).
        Refused: the amount is not in range (`program.amount`), or no fund is published.
        Duplicate: the person holds another of the group (`aid.duplicate`).
        Conflict: the need holds something already (`program.reserved`).
    """
    store.hold(session, wanted.program_code)  # 1
    truth = query.truth_of(session, wanted.program_code)  # 2
    check(truth, wanted, today)  # 3
    program = truth.program
    key = program.exclusive_key
    if wanted.person_id is not None and key is not None and not wanted.override:  # 4
        held = store.exclusive(session, wanted.person_id, key)
        if held is not None:
            raise _duplicate(held)
    values = {
        "need_id": wanted.need_id,
        "program_code": program.code,
        "agency": program.agency,
        "amount_idr": wanted.amount_idr,
        "person_id": wanted.person_id,
        "exclusive_key": key,
        "overridden": wanted.override,
        "beside": list(wanted.beside),
        "made_at": now,
    }
    try:
        if not store.put(session, values):  # 5
            raise Conflict("program.reserved", "Kebutuhan ini sudah mendapat tempat.")
    except IntegrityError as err:
        raise _duplicate(program.code) from err
    return truth


def release(session: Session, need_id: UUID, now: datetime) -> bool:
    """Give back what a need holds; False where it holds nothing. The caller commits."""
    return store.release(session, need_id, now)


def check(truth: Truth, wanted: Wanted, today: date) -> None:
    """Return if the programme runs and has a place and the money; the order is that of `reserve`.

    Raises:
        NothingLeft, Refused: as `reserve`.
    """
    check_open(truth, today)
    program = truth.program
    _check_amount(program, wanted)
    if program.funder == LAST_RESORT and truth.budget_left is None:
        raise Refused(
            "program.no_fund",
            "Saldo dana lembaga belum diterbitkan, jadi belum dapat dijanjikan. Tidak ada yang "
            "diubah.",
        )
    if truth.budget_left is not None and wanted.amount_idr > truth.budget_left:
        raise NothingLeft(
            "program.spent",
            f"Dana yang tersisa tidak cukup. {_INSTEAD}",
            program=program.code,
            left=truth.budget_left,
            instead=INSTEAD,
        )


def check_open(truth: Truth, today: date) -> None:
    """Return if the programme runs and has a place.

    Raises:
        NothingLeft: it does not run (`program.closed`) or is full (`program.full`).
    """
    program = truth.program
    if not program.is_running(today):
        raise NothingLeft(
            "program.closed",
            "Program ini tidak sedang berjalan. Usulkan untuk tahun anggaran berikutnya, atau "
            "ajukan ke lembaga mitra.",
            program=program.code,
            instead="propose_next_fy no_government_programme",
        )
    if truth.quota_left == 0:
        raise NothingLeft(
            "program.full",
            f"Kuota habis. {_INSTEAD}",
            program=program.code,
            instead=INSTEAD,
        )


def _check_amount(program: Program, wanted: Wanted) -> None:
    least, most = program.range_of(wanted.usual)
    if wanted.amount_idr < (least or 0) or (most is not None and wanted.amount_idr > most):
        raise Refused(
            "program.amount",
            "Jumlah itu di luar rentang program. Isikan jumlah di dalam rentang.",
            least=least or 0,
            most=most,
        )


def _duplicate(held: str) -> Duplicate:
    return Duplicate(
        "aid.duplicate",
        "Orang ini sudah mendapat program lain yang tidak boleh bersamaan. Periksa dahulu; "
        "bila tetap disetujui, tuliskan alasannya.",
        program=held,
    )
