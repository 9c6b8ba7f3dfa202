"""Scenarios 28 to 38 of the domain model: which tests carry each, and that these are there."""

import ast

import pytest

from tests.shared import ROOT

CARRIED = {
    28: [
        "intake/test_accept.py::test_batch_wrong_key_that_nobody_enrolled",
        "intake/test_accept.py::test_an_altered_record_is_refused",
    ],
    29: [
        "keys/test_rotation.py::test_the_overlap_ends_with_the_old_key",
        "connectors/test_rotating.py::test_queued_batches_of_a_key_that_may_speak_go_as_they_are",
        "intake/test_reevaluation.py::test_a_batch_that_comes_after_the_revocation_is_refused",
    ],
    30: [
        "connectors/test_agencies.py::test_an_agency_of_the_demo_city_publishes_unattended",
        "connectors/test_bad_input.py::test_excel_damage_keeps_the_cell_as_a_hint_only",
    ],
    31: [
        "schemas/test_wilayah.py::test_a_kelurahan_of_today_is_found_by_either_code_and_by_its_name",
        "schemas/test_wilayah.py::test_the_sixteen_whose_successor_is_not_known_lead_to_their_kecamatan_only",
    ],
    32: [
        "intake/test_apply.py::test_batches_in_any_order_end_the_same",
        "index_db/test_partition.py::test_scenario_32_every_order_and_batch_size_gives_the_partition_of_a_rebuild",
        "connectors/test_publish.py::test_a_lost_answer_doubles_nothing",
    ],
    33: [
        "stewards/test_scenarios.py::test_scenario_33_a_death_is_a_task_for_each_paying_agency_and_no_relative_is_touched"
    ],
    34: [
        "stewards/test_scenarios.py::test_scenario_34_two_people_of_one_nik_are_not_merged_and_both_carry_the_warning"
    ],
    35: ["index_db/test_judgements.py::test_any_judgements_undone_in_any_order_restore_the_state"],
    36: [
        "connectors/test_withheld.py::test_no_settings_give_a_case_of_violence_away",
        "demo/test_quirks.py::test_ppkb_counts_families_of_its_own_and_lets_nobody_read_its_cases",
    ],
    37: [
        "connectors/test_derived_keys.py::test_a_fifth_of_the_pupils_vanishing_is_held_until_a_person_agrees",
        "intake/test_apply.py::test_too_many_records_gone_at_once_are_held_until_confirmed",
    ],
    38: [
        "connectors/test_derived_keys.py::test_a_corrected_row_loses_its_finding_without_anybody_closing_it"
    ],
}


def test_every_scenario_of_data_exchange_is_carried():
    assert list(CARRIED) == list(range(28, 39))


@pytest.mark.parametrize("number", CARRIED)
def test_the_tests_that_carry_a_scenario_are_there(number):
    for place in CARRIED[number]:
        path, _, name = place.partition("::")
        tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
