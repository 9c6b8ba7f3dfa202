"""From the agency's rows to settled evidence, through the command itself and a real HTTP gateway."""

from keys import merkle
from tests.connectors import gateway as fake


def test_the_first_publish_sends_everything_and_settles_it(enrolled, gateway):
    answer = enrolled.run("publish", "--json")
    assert answer.code == 0, answer.err
    told = answer.json
    assert (told["sent"], told["batches"], told["settled"], told["open"]) == (120, 3, 3, 0)
    assert len(gateway.records("baz", "person")) == 120


def test_nothing_changed_sends_nothing(enrolled, gateway):
    enrolled.run("publish")
    told = enrolled.run("publish", "--json").json
    assert (told["sent"], told["unchanged"], told["batches"]) == (0, 120, 0)
    assert len(gateway.batches("baz", "target")) == 3


def test_only_what_changed_is_sent(enrolled, gateway):
    enrolled.run("publish")
    enrolled.sql("UPDATE mustahik SET nama = 'Nama Baru' WHERE id = 7")
    told = enrolled.run("publish", "--json").json
    assert (told["sent"], told["unchanged"]) == (1, 119)
    assert gateway.records("baz", "person")["7"]["name_source"] == "Nama Baru"


def test_a_row_that_is_gone_becomes_a_tombstone(enrolled, gateway):
    enrolled.run("publish")
    enrolled.sql("DELETE FROM mustahik WHERE id IN (1, 2)")
    told = enrolled.run("publish", "--json").json
    assert told["deleted"] == 2
    assert "1" not in gateway.records("baz", "person")
    enrolled.sql("INSERT INTO mustahik(id, nama) VALUES(1, 'Kembali')")
    enrolled.run("publish")
    assert gateway.records("baz", "person")["1"]["name_source"] == "Kembali"


def test_a_soft_deleted_row_becomes_a_tombstone(enrolled, gateway):
    enrolled.settings(more='[[publish.delete]]\ncolumn = "hapus"\nis = "1"')
    enrolled.run("publish")
    enrolled.sql("UPDATE mustahik SET hapus = 1 WHERE id = 5")
    assert enrolled.run("publish", "--json").json["deleted"] == 1
    assert "5" not in gateway.records("baz", "person")
    assert enrolled.run("publish", "--json").json["deleted"] == 0


def test_a_watermark_reads_only_what_is_newer(enrolled, gateway):
    enrolled.settings(more='mode = "watermark"\nwatermark = "diubah"')
    enrolled.run("publish")
    enrolled.sql("UPDATE mustahik SET nama = 'Nama Baru', diubah = 500 WHERE id = 3")
    told = enrolled.run("publish", "--json").json
    assert (told["read"], told["sent"], told["deleted"]) == (2, 1, 0)
    assert len(gateway.records("baz", "person")) == 120


def test_a_full_snapshot_tells_its_totals(enrolled, gateway):
    enrolled.run("publish")
    enrolled.sql("DELETE FROM mustahik WHERE id = 9")
    assert enrolled.run("publish", "--full").code == 0
    *_, begin, one, two, three, end = gateway.batches("baz", "target")
    assert [b.payload.kind for b in (begin, one, end)] == [
        "snapshot_begin",
        "snapshot",
        "snapshot_end",
    ]
    said = end.payload.snapshot
    assert (said.parts, said.total) == (3, 119)
    roots = [merkle.leaf_hash(bytes.fromhex(b.payload.root)) for b in (one, two, three)]
    assert said.root_of_roots == merkle.root(roots).hex()
    assert "9" not in gateway.records("baz", "person")


def test_a_block_of_snapshots_sends_one_only_when_something_changed(enrolled, gateway):
    enrolled.settings(more='mode = "snapshot"')
    enrolled.run("publish")
    count = len(gateway.batches("baz", "target"))
    assert enrolled.run("publish", "--json").json["batches"] == 0
    enrolled.sql("UPDATE mustahik SET nama = 'Nama Baru' WHERE id = 7")
    enrolled.run("publish")
    assert len(gateway.batches("baz", "target")) == 2 * count


def test_the_version_of_a_record_is_that_of_its_batch(enrolled, gateway):
    enrolled.run("publish")
    for stored in gateway.batches("baz", "target"):
        assert stored.payload.version == (1 << 32) + stored.payload.seq


def test_a_row_that_cannot_be_mapped_is_left_out_and_told(enrolled, gateway):
    enrolled.sql("UPDATE mustahik SET nama = NULL WHERE id = 11")
    told = enrolled.run("publish", "--json").json
    assert (told["sent"], told["refused"]) == (119, 1)
    shown = enrolled.run("preview", "--json").json
    assert shown[0]["findings"]["schema.missing"]["rows"] == ["11"]


def test_a_row_that_became_bad_keeps_its_last_good_record(enrolled, gateway):
    enrolled.run("publish")
    enrolled.sql("UPDATE mustahik SET nama = NULL WHERE id = 11")
    assert enrolled.run("publish", "--json").json["deleted"] == 0
    assert gateway.records("baz", "person")["11"]["name_source"] == "Orang 00011"


def test_too_many_bad_rows_send_nothing(enrolled, gateway):
    enrolled.sql("UPDATE mustahik SET nama = NULL WHERE id <= 60")
    answer = enrolled.run("publish")
    assert answer.code == 3
    assert "60 of 120 rows" in answer.err
    assert gateway.batches("baz", "target") == []
    enrolled.sql("UPDATE mustahik SET nama = 'X' WHERE id <= 60")
    assert enrolled.run("publish", "--json").json["sent"] == 120


def test_many_vanished_rows_need_a_word(enrolled, gateway):
    enrolled.run("publish")
    enrolled.sql("DELETE FROM mustahik WHERE id <= 50")
    answer = enrolled.run("publish")
    assert answer.code == 3
    assert "50 of 120 records" in answer.err
    assert len(gateway.records("baz", "person")) == 120
    assert enrolled.run("publish", "--accept-vanished", "--json").json["deleted"] == 50
    assert len(gateway.records("baz", "person")) == 70


def test_a_preview_sends_and_keeps_nothing(enrolled, gateway):
    shown = enrolled.run("preview", "--json").json
    assert (shown[0]["read"], shown[0]["sent"]) == (120, 120)
    assert "Orang" not in str(shown[0]["sample"])
    assert enrolled.run("preview", "--json").json == shown
    assert [path for method, path in gateway.requests if method == "PUT"] == []
    assert enrolled.run("publish", "--json").json["sent"] == 120


def test_a_keyed_id_hides_the_key_and_comes_back_with_it(enrolled, gateway):
    enrolled.settings(more='key_form = "hmac"')
    gateway.rejects = lambda parsed: (
        "nik.serial" if parsed.values["name_source"].endswith(("007", "008")) else None
    )
    enrolled.run("publish")
    assert all(len(key) == 32 for key in gateway.records("baz", "person"))
    assert enrolled.run("status", "--json").json["rejected"] == [
        {"row": "7", "code": "nik.serial", "field": None},
        {"row": "8", "code": "nik.serial", "field": None},
    ]


def test_the_gateway_is_busy_and_the_outbox_waits(enrolled, gateway):
    gateway.faults += fake.refuse(503, "storage.full")
    answer = enrolled.run("publish")
    assert answer.code == 5
    assert enrolled.run("status", "--json").json["outbox"]["waiting"] == 3
    assert enrolled.run("publish", "--json").json["settled"] == 3
    assert len(gateway.records("baz", "person")) == 120


def test_a_lost_answer_doubles_nothing(enrolled, gateway):
    gateway.faults += fake.lose_answer()
    assert enrolled.run("publish").code == 5
    assert enrolled.run("publish", "--json").json["settled"] == 3
    assert len(gateway.batches("baz", "target")) == 3


def test_the_screen_speaks_both_languages(agency):
    assert "Nothing is sent" in agency.run("preview", "--help").out
    assert "Tidak ada yang dikirim" in agency.run("preview", "--help", lang="id").out
