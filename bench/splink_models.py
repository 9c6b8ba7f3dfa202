"""Splink as a careful analyst would set it up, one model for each set; the peer of the figures.

Sets that Splink's own demos treat are configured as there; the others in the same style. Nothing
of ours is known here but the names of the normalised columns.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from gateway.index import clustering
from gateway.index.model import Ints, Pairs
from gateway.index.questions import Edges

_LEAST = 0.001
_MEMORY = "10GB"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is set up and trained.

    Attributes:
        certain: rules that find one person for sure, and the share of pairs that they find.
        random_pairs: how many pairs the chances between strangers are counted on.
        blocks: what expectation maximisation blocks on, one run each.
    """

    settings: SettingsCreator
    certain: Sequence[Any]
    recall: float
    random_pairs: float
    blocks: Sequence[Any]


def table(model: str, path: Path) -> pa.Table:
    """The file, its rows numbered as `row`, without the truth."""
    given = pq.read_table(path)
    if model == "historical_50k":
        joined = pc.binary_join_element_wise(given["first_name"], given["surname"], " ")
        given = given.append_column("first_name_surname_concat", joined)
    known = [c for c in given.column_names if c not in {"truth", "truth_id", "truth_household"}]
    return given.select(known).append_column("row", pa.array(np.arange(given.num_rows)))


def run(model: str, given: pa.Table, threshold: float) -> tuple[Edges, Ints]:
    """Train, predict and cluster; all edges above 1 in 1,000, and the groups at the threshold."""
    recipe = RECIPES[model]()
    connection = duckdb.connect()
    connection.execute(f"set memory_limit='{_MEMORY}'")
    connection.execute("set threads=2")
    api = DuckDBAPI(connection=connection)
    linker = Linker(_registered(api, given, recipe), recipe.settings)
    train = linker.training
    train.estimate_probability_two_random_records_match(list(recipe.certain), recall=recipe.recall)
    train.estimate_u_using_random_sampling(max_pairs=recipe.random_pairs, seed=1)
    for block in recipe.blocks:
        train.estimate_parameters_using_expectation_maximisation(
            block, estimate_without_term_frequencies=True
        )
    found = linker.inference.predict(threshold_match_probability=_LEAST)
    linker.clustering.cluster_pairwise_predictions_at_threshold(
        found, threshold_match_probability=threshold
    )
    query = f'select row_l, row_r, match_weight from "{found.physical_name}"'  # noqa: S608
    columns = connection.execute(query).fetchnumpy()
    left, right = (columns[n].astype(np.int64) for n in ("row_l", "row_r"))
    weights = columns["match_weight"].astype(np.float64)
    pairs = Pairs(np.minimum(left, right), np.maximum(left, right))
    strong = weights >= np.log2(threshold / (1 - threshold))
    return Edges(pairs, weights), clustering.components(given.num_rows, pairs.where(strong))


def _registered(api: DuckDBAPI, given: pa.Table, recipe: Recipe) -> Any:
    """The table as Splink knows it; two where records of one source are never compared."""
    if recipe.settings.link_type != "link_only":
        return api.register(given, dataset_display_name="d0")
    sources = pc.unique(given["source"]).to_pylist()
    parts = [given.filter(pc.equal(given["source"], s)).drop_columns(["source"]) for s in sources]
    return [api.register(part, dataset_display_name=f"d{i}") for i, part in enumerate(parts)]


def population() -> Recipe:
    """Exact and near levels, frequencies of names and places, ten blocking rules."""
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_id",
        additional_columns_to_retain=["row"],
        blocking_rules_to_generate_predictions=[
            block_on("nik"),
            block_on("name_norm", "birth_date"),
            block_on("kk"),
            block_on("birth_date", "first_token"),
            block_on("birth_date", "kelurahan_norm", "sex"),
            block_on("name_norm", "kelurahan_norm"),
            block_on("substr(nik,1,12)", "first_token"),
            block_on("substr(nik,7,10)", "sex"),
            block_on("last_token", "birth_date"),
            block_on("kelurahan_norm", "substr(name_norm,1,4)", "substr(birth_date,1,4)"),
        ],
        comparisons=[
            cl.JaroWinklerAtThresholds("name_norm", [0.95, 0.88, 0.75]).configure(
                term_frequency_adjustments=True
            ),
            cl.DateOfBirthComparison(
                "birth_date", input_is_string=True, invalid_dates_as_null=True
            ),
            cl.DamerauLevenshteinAtThresholds("nik", [1, 2]),
            cl.DamerauLevenshteinAtThresholds("kk", [1]),
            cl.ExactMatch("sex"),
            cl.JaroWinklerAtThresholds("kelurahan_norm", [0.9]).configure(
                term_frequency_adjustments=True
            ),
        ],
    )
    certain = [
        block_on("nik", "first_token"),
        block_on("name_norm", "birth_date", "kelurahan_norm"),
        block_on("kk", "name_norm"),
    ]
    blocks = [
        block_on("nik"),
        block_on("birth_date", "first_token"),
        block_on("name_norm", "kelurahan_norm"),
    ]
    return Recipe(settings, certain, 0.7, 1e7, blocks)


def febrl4() -> Recipe:
    """As Splink's demo of two lists to be linked."""
    rules: list[Any] = [
        block_on("given_name", "surname"),
        "l.given_name = r.surname and l.surname = r.given_name",
        block_on("date_of_birth"),
        block_on("soc_sec_id"),
        block_on("state", "address_1"),
        block_on("street_number", "address_1"),
        block_on("postcode"),
    ]
    settings = SettingsCreator(
        unique_id_column_name="unique_id",
        link_type="link_only",
        additional_columns_to_retain=["row"],
        blocking_rules_to_generate_predictions=rules,
        comparisons=[
            cl.NameComparison("given_name").configure(term_frequency_adjustments=True),
            cl.NameComparison("surname").configure(term_frequency_adjustments=True),
            cl.DateOfBirthComparison(
                "date_of_birth",
                input_is_string=True,
                datetime_format="%Y%m%d",
                invalid_dates_as_null=True,
            ),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(
                term_frequency_adjustments=True
            ),
        ],
    )
    certain = [block_on("soc_sec_id"), block_on("given_name", "surname", "date_of_birth")]
    return Recipe(settings, certain, 0.8, 1e6, [block_on("date_of_birth"), block_on("postcode")])


def fake_1000() -> Recipe:
    """As Splink's first tutorial."""
    settings = SettingsCreator(
        link_type="dedupe_only",
        additional_columns_to_retain=["row"],
        blocking_rules_to_generate_predictions=[
            block_on("first_name"),
            block_on("surname"),
            block_on("dob"),
            block_on("email"),
        ],
        comparisons=[
            cl.ForenameSurnameComparison("first_name", "surname"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.EmailComparison("email"),
        ],
    )
    certain = [
        "l.first_name = r.first_name and levenshtein(r.dob, l.dob) <= 1",
        "l.surname = r.surname and levenshtein(r.dob, l.dob) <= 1",
        "l.first_name = r.first_name and levenshtein(r.surname, l.surname) <= 2",
        "l.email = r.email",
    ]
    blocks = [block_on("dob"), block_on("email"), block_on("first_name", "surname")]
    return Recipe(settings, certain, 0.7, 1e6, blocks)


def historical_50k() -> Recipe:
    """As Splink's demo of historical persons."""
    settings = SettingsCreator(
        link_type="dedupe_only",
        additional_columns_to_retain=["row"],
        blocking_rules_to_generate_predictions=[
            block_on("substr(first_name,1,3)", "substr(surname,1,4)"),
            block_on("surname", "dob"),
            block_on("first_name", "dob"),
            block_on("postcode_fake", "first_name"),
            block_on("postcode_fake", "surname"),
            block_on("dob", "birth_place"),
            block_on("substr(postcode_fake,1,3)", "dob"),
            block_on("substr(postcode_fake,1,3)", "first_name"),
            block_on("substr(postcode_fake,1,3)", "surname"),
            block_on("substr(first_name,1,2)", "substr(surname,1,2)", "substr(dob,1,4)"),
        ],
        comparisons=[
            cl.ForenameSurnameComparison(
                "first_name",
                "surname",
                forename_surname_concat_col_name="first_name_surname_concat",
            ),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.PostcodeComparison("postcode_fake"),
            cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
            cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
        ],
    )
    certain = [
        block_on("first_name", "surname", "dob"),
        block_on("substr(first_name,1,2)", "surname", "substr(postcode_fake,1,2)"),
        block_on("dob", "postcode_fake"),
    ]
    blocks = [block_on("first_name", "surname"), block_on("dob")]
    return Recipe(settings, certain, 0.6, 1e7, blocks)


RECIPES: Mapping[str, Callable[[], Recipe]] = {
    "population": population,
    "febrl4": febrl4,
    "fake_1000": fake_1000,
    "historical_50k": historical_50k,
}
