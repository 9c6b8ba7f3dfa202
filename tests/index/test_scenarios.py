"""Scenarios 30 and 31 of the domain, in memory: damaged numbers, and codes of two epochs."""

import numpy as np
import pytest

from gateway.index import blocking, features, keystore, modelfile
from gateway.index.model import Batch, Pairs, PersonFeatures
from gateway.index.scoring import Scorer
from schemas.profile import Profile

PLACES = Profile.load("payakumbuh").wilayah
MERGED = [u for u in PLACES.units if u.is_old and u.successor and u.bps and u.kemendagri]
LOST = [u for u in PLACES.units if u.is_old and u.successor is None]


def jamkesda(source_id: str, name: str, born: str) -> PersonFeatures:
    """A row whose NIK a spreadsheet has cut to fifteen digits."""
    values = {
        "nik_raw": "1376011203600000",
        "nik_status": "truncated_excel",
        "name_source": name,
        "sex": "L",
        "birth_date": born,
    }
    return features.read(source_id, "dinkes", values, is_register=False)


def test_scenario_30_a_cut_nik_is_no_identifier_yet_its_owner_is_met_by_name_and_date() -> None:
    register = features.read(
        "dukcapil/1",
        "dukcapil",
        {
            "nik": "1376011203600002",
            "nik_status": "valid_form",
            "name_source": "UJANG EFENDI",
            "sex": "L",
            "birth_date": "1960-03-12",
        },
        is_register=True,
    )
    own = jamkesda("dinkes/1", "Ujang Efendi", "1960-03-12")
    stranger = jamkesda("dinkes/2", "Bagindo Zulkifli", "1971-08-30")
    for cut in (own, stranger):
        assert (cut.nik, cut.nik_stem, cut.registered) == (None, "137601120360000", False)
    batch = Batch.of([own, stranger, register])
    store = keystore.ArrayKeyStore()
    store.put(blocking.keys(batch))
    met = store.pairs()
    assert list(zip(met.left.tolist(), met.right.tolist(), strict=True)) == [(0, 2)]
    all_pairs = Pairs(np.array([0, 0, 1]), np.array([1, 2, 2]))
    alike, same, other = Scorer(modelfile.load()).score_pairs(batch, all_pairs).tolist()
    assert same > 0 > max(alike, other)


@pytest.mark.parametrize("unit", MERGED[:6], ids=lambda unit: unit.name)
def test_scenario_31_old_bps_and_kemendagri_codes_lead_to_one_kelurahan(unit) -> None:
    by_code = PLACES.resolve(kemendagri=unit.kemendagri)
    by_bps = PLACES.resolve(bps=unit.bps[0])
    assert by_code.kelurahan == by_bps.kelurahan == unit.successor


@pytest.mark.parametrize("unit", LOST, ids=lambda unit: unit.name)
def test_scenario_31_undetermined_units_lead_to_their_kecamatan_and_say_so(unit) -> None:
    place = PLACES.resolve(name=unit.name, kecamatan=unit.kecamatan)
    assert (place.kelurahan, place.kecamatan) == (None, unit.kecamatan)
    assert place.findings == ("KEL_OLD",)
