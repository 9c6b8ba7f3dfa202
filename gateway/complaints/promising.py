"""What must hold before an agency or a partner promises aid, and what a promise reserves.

The rules of programmes stand in `gateway.programs`; here they meet a need: which programme, how
much, for whom. Guards say beforehand what a button says; `reserve` decides, under the lock.

Source: design/domain.md §2.4 (N06–N25), §5.9; decisions.md (quota truth).
"""

from uuid import UUID

from gateway.access import weighing
from gateway.complaints.model import Case, Need
from gateway.complaints.moving import Moving
from gateway.errors import Conflict, Refused
from gateway.index.radar import Kind
from gateway.index.view import PersonView
from gateway.programs import aid, facts, query
from gateway.programs import service as programs
from gateway.programs.aid import Beside
from gateway.programs.model import GOVERNMENT, LAST_RESORT, ZAKAT, Truth, When
from gateway.programs.query import Wish
from gateway.programs.service import Duplicate, Wanted
from schemas.codes import lists


def can_promise(moving: Moving) -> None:
    """The programme runs, has a place and the money, and nothing excludes it."""
    truth, today = chosen(moving), moving.desk.now.today
    programs.check_open(truth, today)
    programs.check(truth, wanted(moving, truth), today)
    if not _override(moving):
        _check_duplicates(moving, truth)


def no_mayor(moving: Moving) -> None:
    """The agency decides alone."""
    if chosen(moving).program.needs_mayor:
        raise Conflict(
            "need.mayor",
            "Program ini memerlukan persetujuan Wali Kota. Ajukan ke Wali Kota.",
            instead="recommend_to_mayor",
        )


def asks_mayor(moving: Moving) -> None:
    """The mayor decides."""
    if not chosen(moving).program.needs_mayor:
        raise Conflict("need.no_mayor", "Program ini tidak memerlukan persetujuan Wali Kota.")


def closed_or_spent(moving: Moving) -> None:
    """No programme of the agency for this kind still runs with room that is known."""
    if any(_has_known_room(t, moving) for t in _own(moving)):
        raise Conflict(
            "need.still_running",
            "Program masih berjalan dan masih ada sisa. Setujui, tolak, atau kembalikan.",
            instead="approve",
        )


def running_but_full(moving: Moving) -> None:
    """A programme of the agency runs, and its quota or fund is used up."""
    today, own = moving.desk.now.today, _own(moving)
    if not any(t.program.is_running(today) for t in own):
        raise Conflict(
            "need.not_running",
            "Tidak ada program yang berjalan. Usulkan untuk tahun anggaran berikutnya.",
            instead="propose_next_fy",
        )
    closed_or_spent(moving)


def room_again(moving: Moving) -> None:
    """A programme runs with room, and the person is alive and lives here."""
    today = moving.desk.now.today
    if not any(t.when(today) is When.RUNNING for t in _own(moving)):
        raise Conflict("need.no_room_yet", "Belum ada program berjalan yang masih ada sisa.")
    view = view_of(moving)
    known = {} if view is None else facts.of_view(view, moving.desk.profile, today)
    if known.get("alive") is False or known.get("lives_here") is False:
        raise Conflict(
            "need.person_gone",
            "Orangnya tercatat meninggal atau pindah. Periksa dahulu sebelum merujuk kembali.",
        )


def no_public_programme(moving: Moving) -> None:
    """No government programme for this kind is in the catalogue of this year."""
    assert moving.need is not None  # noqa: S101 -- a move of a need
    today = moving.desk.now.today
    for truth in query.catalogue(moving.session, Wish(need_kind=moving.need.kind), today):
        if truth.program.funder in GOVERNMENT and truth.when(today) is When.RUNNING:
            raise Conflict(
                "need.public_programme",
                "Ada program pemerintah yang berjalan untuk kebutuhan ini. Rujuk ke sana dahulu.",
                program=truth.program.code,
            )


def partner_may(moving: Moving) -> None:
    """What a partner's own money asks for: LKS two guards, BAZ the asnaf, a donor his purpose."""
    program = chosen(moving).program
    if program.funder == LAST_RESORT:
        _last_resort(moving)
    elif program.funder == ZAKAT:
        if moving.act.data.get("asnaf") not in lists.load("asnaf"):
            raise Refused("need.asnaf", "Pilih asnaf penerima sebelum menyetujui.")
    elif moving.need is not None and moving.need.kind not in program.need_kinds:
        raise Refused("need.earmark", "Dana donatur ini bukan untuk kebutuhan seperti ini.")


GUARDS = (
    *(can_promise, no_mayor, asks_mayor, closed_or_spent, running_but_full),
    *(room_again, no_public_programme, partner_may),
)


def reserve(moving: Moving) -> Truth:
    """Reserve the place and the money of a promise that is being made; what stood before.

    Raises:
        GatewayError: as `programs.reserve`; then nothing of the move stands.
    """
    truth = chosen(moving)
    today, now = moving.desk.now.today, moving.desk.now.moment
    return programs.reserve(moving.session, wanted(moving, truth), today, now)


def release(moving: Moving) -> None:
    """Give back what the need holds, if anything."""
    assert moving.need is not None  # noqa: S101 -- a move of a need
    programs.release(moving.session, moving.need.id, moving.desk.now.moment)


def first_partner(moving: Moving) -> str:
    """The first agency of the kind, in the profile's order, whose own money runs for it.

    Raises:
        Refused: there is none (`need.no_partner`).
    """
    need, today = moving.need, moving.desk.now.today
    assert need is not None  # noqa: S101 -- a move of a need
    found = query.catalogue(moving.session, Wish(need_kind=need.kind, level="partner"), today)
    running = {t.program.agency for t in found if t.program.is_running(today)}
    for agency in moving.desk.profile.need_kinds[need.kind].agencies:
        if agency in running and agency != need.agency:
            return agency
    raise Refused(
        "need.no_partner",
        "Tidak ada lembaga mitra yang dananya sedang berjalan untuk kebutuhan ini. Masukkan ke "
        "daftar tunggu atau usulkan untuk tahun berikutnya.",
        instead="queue propose_next_fy",
    )


def chosen(moving: Moving) -> Truth:
    """The programme that is meant: named, kept on the need, or the only one that runs.

    Raises:
        Refused: several or none could be meant (`need.no_program`), or it is another agency's.
    """
    need, given = moving.need, moving.act.data.get("program_code")
    assert need is not None  # noqa: S101 -- a move of a need
    code = str(given or need.program_code or "")
    if code:
        found = query.truth_of(moving.session, code)
        if found.program.agency != need.agency:
            raise Refused("need.foreign_program", "Program itu milik instansi lain.")
        return found
    own = [t for t in _own(moving) if t.program.is_running(moving.desk.now.today)]
    if len(own) != 1:
        raise Refused("need.no_program", "Pilih program yang akan menanggung kebutuhan ini.")
    return own[0]


def wanted(moving: Moving, truth: Truth) -> Wanted:
    """What a promise reserves.

    Raises:
        Refused: no amount is given where several are possible (`need.no_amount`).
    """
    need, data = moving.need, moving.act.data
    assert need is not None  # noqa: S101 -- a move of a need
    kind = moving.desk.profile.need_kinds[need.kind]
    usual = (kind.amount_min, kind.amount_max)
    least, most = truth.program.range_of(usual)
    given = data.get("amount_idr", need.amount_idr)
    if (given is None and least != most) or not str(given or 0).isdigit():
        raise Refused("need.no_amount", "Isikan jumlah bantuan dalam rupiah.")
    amount = int(given if given is not None else least or 0)
    person = person_of(moving.case, need)
    if not _override(moving):
        return Wanted(need.id, truth.program.code, amount, person, usual)
    beside = tuple(b.program for b in besides(moving, truth) if b.kind is Kind.DUPLICATE)
    return Wanted(need.id, truth.program.code, amount, person, usual, bool(beside), beside)


def besides(moving: Moving, truth: Truth) -> list[Beside]:
    """What the person has already beside the programme, published or reserved by the desk."""
    view = view_of(moving)
    if view is None:
        return []
    held = query.reserved_for(moving.session, view.person_id)
    return aid.beside(truth.program, view, held, moving.desk.now.today)


def person_of(case: Case, need: Need) -> UUID | None:
    """The person of the index for whom the need is; the complainant where it names nobody else."""
    if need.person_id is not None or need.subject:
        return need.person_id
    return case.ticket.person_id


def view_of(moving: Moving) -> PersonView | None:
    """What the index holds of that person, for a rule to judge."""
    desk, need = moving.desk, moving.need
    assert need is not None  # noqa: S101 -- a move of a need
    person = person_of(moving.case, need)
    return weighing.view(moving.session, person, desk.vault, desk.profile)


def _last_resort(moving: Moving) -> None:
    """A card of this city, by its address, and no public programme for this very need."""
    view, today = view_of(moving), moving.desk.now.today
    known = {} if view is None else facts.of_view(view, moving.desk.profile, today)
    if known.get("ktp_here") is not True:
        elsewhere = known.get("ktp_here") is False
        raise Conflict(
            "need.ktp_elsewhere" if elsewhere else "need.ktp_unknown",
            "Alamat KTP orang ini di luar kota, jadi dana lembaga tidak dapat dipakai. Tetapkan "
            "tetap menunggu, atau tolak dengan alasan."
            if elsewhere
            else "Alamat KTP orang ini belum diketahui. Mintalah UPT memastikan identitasnya.",
            instead="partner_keep_waiting partner_decline",
        )
    assert view is not None  # noqa: S101 -- something is known of him
    assert moving.need is not None  # noqa: S101 -- a move of a need
    covered = aid.covered_by(moving.need.kind, view, today)
    if covered is not None:
        raise Conflict(
            "need.covered",
            "Kebutuhan ini sudah ditanggung program pemerintah. Tolak dengan alasan itu.",
            program=covered,
        )


def _check_duplicates(moving: Moving, truth: Truth) -> None:
    for each in besides(moving, truth):
        if each.kind is Kind.DUPLICATE:
            raise Duplicate(
                "aid.duplicate",
                "Orang ini sudah mendapat program lain yang tidak boleh bersamaan. Periksa "
                "dahulu; bila tetap disetujui, tuliskan alasannya.",
                program=each.program,
                agency=each.agency,
            )


def _override(moving: Moving) -> bool:
    """Somebody stands behind aid that excludes other aid, with his reason."""
    return bool(moving.act.data.get("override")) and bool(moving.act.reason.strip())


def _own(moving: Moving) -> list[Truth]:
    need = moving.need
    assert need is not None  # noqa: S101 -- a move of a need
    wish = Wish(need_kind=need.kind, agency=need.agency or "-")
    return query.catalogue(moving.session, wish, moving.desk.now.today)


def _has_known_room(truth: Truth, moving: Moving) -> bool:
    known = truth.quota_left is not None or truth.budget_left is not None
    return known and truth.when(moving.desk.now.today) is When.RUNNING
