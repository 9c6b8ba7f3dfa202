"""What must hold before a move: one named function each, which raises where it does not.

The registry is filled here and nowhere else; another room's rules come in as functions of theirs.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from gateway.access.model import Role
from gateway.complaints import promising, store, store_surveys
from gateway.complaints.lifecycle import Kind, lifecycle
from gateway.complaints.model import Case
from gateway.complaints.moving import Moving
from gateway.complaints.store_surveys import Sheet
from gateway.errors import Conflict, Forbidden, Refused

OBJECTION_DAYS = 30
_PROMISED = frozenset(("approved", "in_delivery"))


Guard = Callable[[Moving], None]


def listed(moving: Moving) -> None:
    _verdict(moving, "listed")


def ambiguous(moving: Moving) -> None:
    _verdict(moving, "ambiguous")


def unlisted(moving: Moving) -> None:
    _verdict(moving, "unlisted")


def fresh(moving: Moving) -> None:
    """The index is as new as it should be at the agencies whose silence would mislead."""
    stale = moving.case.ticket.body and moving.case.ticket.body.check.get("stale")
    if stale:
        raise Conflict(
            "ticket.stale",
            f"Data {', '.join(stale)} basi. Pengaduan tetap tersimpan; cek ulang nanti, atau mulai "
            "survei dengan alasan.",
            names=", ".join(stale),
        )


def stale(moving: Moving) -> None:
    """Somebody is silent; otherwise the ordinary way is open."""
    body = moving.case.ticket.body
    if body is None or not body.check.get("stale"):
        raise Refused("ticket.not_stale", "Data instansi segar; lakukan cek ulang seperti biasa.")


def asked_here(moving: Moving) -> None:
    """What was asked for goes back to the state that asked."""
    if moving.case.ticket.asked_from != moving.move.target:
        raise Conflict("ticket.asked_elsewhere", "Kelengkapan ini diminta pada tahap lain.")


def reminded_twice(moving: Moving) -> None:
    rows = store.history(moving.session, moving.case.ticket.id, moving.desk.vault)
    since = moving.case.ticket.since.moment
    if sum(row.event == "remind" and row.at >= since for row in rows) < 2:
        raise Refused("ticket.not_reminded", "Pengadu belum dua kali diingatkan.")


def thirty_days(moving: Moving) -> None:
    if moving.days < OBJECTION_DAYS:
        raise Refused("ticket.too_early", "Belum lewat 30 hari.")


def within_thirty_days(moving: Moving) -> None:
    if moving.days > OBJECTION_DAYS:
        raise Refused("ticket.objection_over", "Masa keberatan 30 hari sudah lewat.")


def objection_over(moving: Moving) -> None:
    if moving.days <= OBJECTION_DAYS:
        raise Refused("ticket.objection_open", "Masa keberatan 30 hari belum lewat.")


def thirty_days_or_fact(moving: Moving) -> None:
    """Within 30 days, or for a fact that was not known."""
    if moving.days > OBJECTION_DAYS and not moving.act.data.get("new_fact"):
        raise Refused("ticket.needs_fact", "Sudah lewat 30 hari: tuliskan fakta baru.")


def within_a_year(moving: Moving) -> None:
    if moving.desk.now.today - moving.case.ticket.since.today > timedelta(days=366):
        raise Refused("ticket.too_old", "Sudah lewat 12 bulan: buat pengaduan baru.")


def other_surveyor(moving: Moving) -> None:
    """Who surveyed does not decide, unless he says that nobody else is on duty (§2.7)."""
    rows = store.history(moving.session, moving.case.ticket.id, moving.desk.vault)
    surveyor = next((r.officer_id for r in reversed(rows) if r.event == "submit_survey"), None)
    if surveyor is not None and surveyor == moving.desk.actor.officer_id:
        _single_handed(moving)


def something_proposed(moving: Moving) -> None:
    if not any(n.state in ("proposed", "referred", "fallback_review") for n in moving.case.needs):
        raise Refused("ticket.nothing_to_refer", "Tidak ada kebutuhan yang dapat dirujuk.")


def all_fulfilled(moving: Moving) -> None:
    _ended(moving, lambda met, live: 0 < met == live)


def some_fulfilled(moving: Moving) -> None:
    _ended(moving, lambda met, live: 0 < met < live)


def none_fulfilled(moving: Moving) -> None:
    _ended(moving, lambda met, live: met == 0 < live)


def all_cancelled(moving: Moving) -> None:
    _ended(moving, lambda _, live: live == 0)


def same_day(moving: Moving) -> None:
    if moving.case.ticket.entered_on != moving.desk.now.today:
        raise Refused("ticket.not_today", "Salah input hanya dapat dibatalkan pada hari yang sama.")


def nothing_referred(moving: Moving) -> None:
    if any(n.state not in ("proposed", "cancelled") for n in moving.case.needs):
        raise Refused("ticket.referred", "Sudah ada rujukan; pengaduan tidak dapat dibatalkan.")


def nothing_promised(moving: Moving) -> None:
    """What was approved or is being delivered is reversed first."""
    if any(n.state in _PROMISED for n in moving.case.needs):
        raise Refused(
            "ticket.promised",
            "Ada kebutuhan yang sudah disetujui atau sedang disalurkan. Batalkan itu dahulu.",
        )


def master_open(moving: Moving) -> None:
    """The other ticket is of the same person, for the same need, and still open."""
    own = moving.case.ticket
    other_id = store.id_of(moving.session, str(moving.act.data.get("master", "")))
    other = None if other_id is None else store.get(moving.session, other_id, moving.desk.vault)
    if other is None or other.ticket.id == own.id:
        raise Refused("ticket.no_master", "Tiket induk itu tidak ada.")
    if lifecycle()[Kind.COMPLAINT].states[other.ticket.state].closed:
        raise Refused("ticket.master_closed", "Tiket induk sudah ditutup.")
    kinds = {n.kind for n in moving.case.needs}
    if not kinds & {n.kind for n in other.needs} or not _same_person(moving, other):
        raise Refused("ticket.other_case", "Orang atau kebutuhannya tidak sama.")


def served(moving: Moving) -> None:
    """The person is verified."""
    if moving.case.ticket.state not in ("verified", "in_service"):
        raise Conflict("ticket.not_verified", "Orangnya belum terverifikasi; rujukan menunggu.")


def agency_chosen(moving: Moving) -> None:
    """An agency of the profile is named, by the act or on the need already."""
    chosen = moving.act.data.get("agency") or (moving.need and moving.need.agency)
    if chosen not in moving.desk.profile.agencies:
        raise Refused("need.no_agency", "Pilih instansi yang dituju.")


def own_agency(moving: Moving) -> None:
    """An agency decides what was referred to it; our own people are not asked whose they are."""
    if moving.desk.actor.holds(Role.UPT_COORDINATOR):
        return
    if moving.need is None or moving.need.agency != moving.desk.actor.unit:
        raise Forbidden("need.other_agency", "Rujukan ini ditujukan kepada instansi lain.")


def sheet_kept(moving: Moving) -> None:
    """A whole survey sheet was kept for this ticket; of this visit, while one is under way."""
    sheet, ticket = _sheet(moving), moving.case.ticket
    if sheet is None or (ticket.state == "surveying" and sheet.made_at < ticket.since.moment):
        raise Refused("survey.none", "Belum ada lembar survei. Isi formulirnya di halaman Survei.")


def survey_entered(moving: Moving) -> None:
    """The records of the survey entered the index by the unit's own signed batch, with this act."""
    sheet = _sheet(moving)
    if sheet is None or sheet.leaf is None:
        raise Refused("survey.not_entered", "Putuskan hasil survei di halaman Telaah survei.")


GUARDS: Mapping[str, Guard] = {
    each.__name__: each
    for each in (
        *(listed, ambiguous, unlisted, fresh, stale, asked_here, reminded_twice, thirty_days),
        *(within_thirty_days, objection_over, thirty_days_or_fact, within_a_year),
        *(other_surveyor, something_proposed, all_fulfilled, some_fulfilled, none_fulfilled),
        *(all_cancelled, same_day, nothing_referred, nothing_promised, master_open, served),
        *(agency_chosen, own_agency, sheet_kept, survey_entered, *promising.GUARDS),
    )
}


def _sheet(moving: Moving) -> Sheet | None:
    return store_surveys.last(moving.session, moving.case.ticket.id, moving.desk.vault)


def _verdict(moving: Moving, wanted: str) -> None:
    body = moving.case.ticket.body
    if body is None or body.check.get("verdict") != wanted:
        raise Conflict("ticket.checked_otherwise", "Hasil cek tidak menunjukkan itu.")


def _single_handed(moving: Moving) -> None:
    if not moving.act.single_handed:
        raise Forbidden(
            "ticket.same_person",
            "Anda sendiri yang menyurvei. Mintalah rekan memutuskan, atau nyatakan bahwa Anda "
            "bertugas sendiri; keputusan lalu masuk daftar uji petik.",
        )


def _ended(moving: Moving, holds: Callable[[int, int], bool]) -> None:
    """All needs ended, and of those not cancelled as many were met as `holds` says."""
    states = lifecycle()[Kind.NEED].states
    needs = moving.case.needs
    live = [n for n in needs if n.state != "cancelled"]
    met = sum(n.state == "fulfilled" for n in live)
    if not needs or any(not states[n.state].closed for n in needs) or not holds(met, len(live)):
        raise Conflict("ticket.needs_open", "Kebutuhan pada tiket ini belum selesai seperti itu.")


def _same_person(moving: Moving, other: Case) -> bool:
    own, that = moving.case.ticket, other.ticket
    if own.person_id is not None and own.person_id == that.person_id:
        return True
    a, b = own.body, that.body
    same = ("nik",), ("name", "birth_date", "kelurahan")
    return any(
        all(a and b and a.person.get(k) and a.person.get(k) == b.person.get(k) for k in group)
        for group in same
    )
