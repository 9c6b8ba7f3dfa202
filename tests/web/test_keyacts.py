"""Silencing and revoking keys through the pages: one person stops, two revoke, all of it confirmed."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.trust import query
from keys.signers import Ed25519Signer
from tests.trust.test_keylife import Owner, State
from tests.web.test_agencies import app, clock, confirmed, page, person  # noqa: F401 -- fixtures


@pytest.fixture
def owner(database, clock):  # noqa: F811 -- the fixture
    return Owner(database, now=clock.now).active()


def waiting(owner):
    with owner.database.session() as session:
        return query.pending(session, owner.code)


def test_one_person_silences_a_key(person, owner):  # noqa: F811 -- the fixture
    admin = person("tiga")
    path = f"/instansi/{owner.code}"
    assert "Bekukan kunci" in page(admin.get(path))
    done = confirmed(admin, f"{path}/kunci/bekukan", kid=owner.signer.kid)
    assert "Kunci dibekukan di semua proses" in page(done)
    assert owner.state() is State.SUSPENDED
    head = page(admin.get(path)).partition("<h2>")[0]
    assert "kunci dibekukan" in head
    assert "2/2" not in head
    again = confirmed(admin, f"{path}/kunci/bekukan", kid=owner.signer.kid)
    assert again.status_code == 409


def test_two_persons_revoke_through_the_pages(person, owner, clock):  # noqa: F811 -- fixtures
    admin, second = person("tiga"), person("dua")
    path = f"/instansi/{owner.code}"
    since = f"{clock.now - timedelta(days=1):%Y-%m-%dT%H:%M}"
    done = confirmed(admin, f"{path}/kunci/cabut", kid=owner.signer.kid, since=since)
    made = waiting(owner)
    assert made.fingerprint in page(done), "who drew it up reads it out"
    assert owner.state() is State.SUSPENDED
    shown = page(second.get(path))
    assert "Pencabutan kunci menunggu persetujuan." in shown
    assert made.fingerprint not in shown
    wrong = confirmed(second, f"{path}/kunci/setujui", groups="aaaa aaaa")
    assert "Itu bukan akhir" in page(wrong)
    end = " ".join(made.fingerprint.split()[-2:])
    done = confirmed(second, f"{path}/kunci/setujui", groups=end)
    assert "perubahan berlaku" in page(done)
    assert owner.state() is State.COMPROMISED
    assert "dicabut" in page(second.get(path))


def test_a_change_can_be_rejected(person, owner, clock):  # noqa: F811 -- fixtures
    path = f"/instansi/{owner.code}"
    since = f"{clock.now:%Y-%m-%dT%H:%M}+00:00"
    confirmed(person("satu"), f"{path}/kunci/cabut", kid=owner.signer.kid, since=since)
    assert waiting(owner) is not None
    confirmed(person("dua"), f"{path}/kunci/tolak")
    assert waiting(owner) is None
    assert owner.state() is State.SUSPENDED


@pytest.mark.parametrize("name", ["dua", "auditor", "loket"])
def test_who_may_not(person, owner, name):  # noqa: F811 -- the fixture
    answer = person(name).post(f"/instansi/{owner.code}/kunci/bekukan", kid=owner.signer.kid)
    assert answer.status_code == 403
    assert owner.speaks()


@pytest.mark.parametrize(
    ("since", "says"),
    [
        ("", "Isilah tanggal dan jam"),
        ("kemarin", "tanpa zona berarti WIB"),
        ("2999-01-01T00:00", "masih akan datang"),
    ],
)
def test_a_moment_that_cannot_be(person, owner, since, says):  # noqa: F811 -- the fixture
    answer = person("satu").post(
        f"/instansi/{owner.code}/kunci/cabut", kid=owner.signer.kid, since=since, reason="uji coba"
    )
    assert says in page(answer)
    assert owner.speaks()


@pytest.mark.parametrize(
    ("zone", "stated"), [("", "01:00:00Z"), ("WIB", "01:00:00Z"), ("UTC", "08:00:00Z")]
)
def test_the_moment_is_taken_in_its_zone(person, owner, zone, stated):  # noqa: F811 -- fixture
    path = f"/instansi/{owner.code}/kunci/cabut"
    said = {"since": "2026-01-05T08:00", "zone": zone, "reason": "uji coba"}
    shown = page(person("satu").post(path, kid=owner.signer.kid, **said))
    assert f"2026-01-05T{stated}" in shown
    assert "WIB&#34;" in shown


def test_another_key_or_nothing_to_approve(person, owner):  # noqa: F811 -- the fixture
    admin = person("satu")
    for act in ("bekukan", "setujui", "tolak"):
        answer = admin.post(f"/instansi/{owner.code}/kunci/{act}", kid="x:y", reason="uji coba")
        assert answer.status_code == 404


def test_two_persons_let_an_agency_leave_through_the_pages(person, owner):  # noqa: F811 -- fixture
    admin, second = person("tiga"), person("dua")
    path = f"/instansi/{owner.code}"
    none = admin.post(f"{path}/kunci/keluar", reason="perjanjian berakhir")
    assert "disimpan atau ditarik" in page(none)
    done = confirmed(admin, f"{path}/kunci/keluar", fate="withdraw")
    assert "menunggu orang kedua" in page(done)
    made = waiting(owner)
    assert made.fingerprint in page(done)
    assert owner.speaks()
    shown = page(second.get(path))
    assert "Instansi ingin keluar." in shown
    assert made.fingerprint not in shown
    end = " ".join(made.fingerprint.split()[-2:])
    done = page(confirmed(second, f"{path}/kunci/setujui", groups=end))
    assert "sudah keluar" in done
    assert "ditarik dari tampilan" in done
    assert not owner.speaks()
    assert "sudah keluar" in page(admin.get("/instansi"))
    again = confirmed(admin, f"{path}/kunci/keluar", fate="keep")
    assert "Instansi ini sudah keluar" in page(again)


def test_two_persons_let_a_key_speak_again_each_at_his_screen(person, owner):  # noqa: F811
    admin, second = person("tiga"), person("dua")
    path = f"/instansi/{owner.code}"
    assert "Hidupkan kunci lagi" not in page(admin.get(path))
    confirmed(admin, f"{path}/kunci/bekukan", kid=owner.signer.kid)
    assert "Hidupkan kunci lagi" in page(second.get(path))
    again = f"{path}/kunci/hidupkan"
    said = page(confirmed(admin, again, kid=owner.signer.kid))
    assert "sampai seorang lagi" in said
    assert again not in said, "he has said it; the form would only refuse him"
    assert "Anda sudah menegaskan" in said
    assert again in page(second.get(path))
    assert confirmed(admin, again, kid=owner.signer.kid).status_code == 409
    assert not owner.speaks()
    assert "Kunci berlaku lagi" in page(confirmed(second, again, kid=owner.signer.kid))
    assert owner.speaks()
    assert confirmed(second, again, kid=owner.signer.kid).status_code == 409


@pytest.mark.parametrize("name", ["auditor", "loket"])
def test_who_lets_no_key_speak(person, owner, name):  # noqa: F811 -- the fixture
    path = f"/instansi/{owner.code}/kunci/hidupkan"
    assert person(name).post(path, kid=owner.signer.kid).status_code == 403


def test_an_administrator_asks_for_a_new_key(person, owner, clock):  # noqa: F811 -- fixtures
    admin, path = person("tiga"), f"/instansi/{owner.code}"
    asked = f"{path}/kunci/ganti"
    assert "Minta ganti kunci" in page(admin.get(path))
    done = confirmed(admin, asked)
    assert "Permintaan tercatat di log" in page(done)
    assert "Penggantian kunci diminta" in page(admin.get(path))
    logged = "select count(*) from log_pending where convert_from(entry, 'UTF8') like :e"
    entry = f'%"agency":"{owner.code}","kind":"rotate","t":"wish"%'
    with owner.database.session() as session:
        assert session.scalar(text(logged), {"e": entry}) == 1
    assert person("dua").post(asked).status_code == 403
    owner.submit(owner.rotation(Ed25519Signer.generate(owner.code)))
    again = confirmed(admin, asked)
    assert again.status_code == 409
    assert "kurang dari sehari" in page(again)
    clock.now += timedelta(days=1, minutes=1)
    assert confirmed(admin, asked).status_code == 200
