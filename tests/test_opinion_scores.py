"""What people said of each type and level, as it ships."""

import csv
from pathlib import Path

import pytest

from metaiqa_core.distortions import CATALOGUE, LEVELS, find_distortion
from metaiqa_core.distortions.opinion_scores import RAW_RANGES, OpinionScore, opinion_curve, opinion_of
from metaiqa_core.errors import DistortionError

TABLE = Path(__file__).resolve().parents[1] / "assets" / "labels" / "opinion_by_type_and_level.csv"
PHOTOS = {"tid2013": 25, "kadid10k": 81}


@pytest.fixture(scope="module")
def rows():
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_one_row_for_each_type_and_level_of_the_catalogue(rows):
    wanted = sorted((entry.database, entry.id, level) for entry in CATALOGUE for level in LEVELS)
    assert sorted((row["database"], int(row["type_id"]), int(row["level"])) for row in rows) == wanted


def test_raw_and_unit_numbers_are_the_same_opinions_over_all_photos_of_the_database(rows):
    for row in rows:
        low, high = RAW_RANGES[row["database"]]
        assert int(row["count"]) == PHOTOS[row["database"]]
        assert float(row["mean_unit"]) == pytest.approx((float(row["mean_raw"]) - low) / (high - low), abs=1e-5)
        assert float(row["std_unit"]) == pytest.approx(float(row["std_raw"]) / (high - low), abs=1e-5)


def test_opinions_are_those_of_the_published_files():
    # By hand from the published scores: the 81 images I??_01_05.png of KADID-10k, the 25 i??_24_5.bmp of TID2013.
    blurred = opinion_of(find_distortion("kadid10k:GB"), 5)
    sparse = opinion_of(find_distortion("tid2013:SSR"), 5)
    assert (1 + 4 * blurred.mean, blurred.count) == (pytest.approx(1.30272, abs=1e-4), 81)
    assert (9 * sparse.mean, sparse.count) == (pytest.approx(0.95651, abs=1e-4), 25)


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.key)
def test_every_opinion_is_a_unit_score_and_people_see_the_worst_level_of_what_only_gets_worse(entry):
    curve = opinion_curve(entry)
    assert [opinion_of(entry, level) for level in LEVELS] == list(curve)
    assert all(
        isinstance(opinion, OpinionScore) and 0 < opinion.mean < 1 and 0 < opinion.std < 0.5 for opinion in curve
    )
    if entry.monotone and entry.key != "kadid10k:MS":
        means = [opinion.mean for opinion in curve]
        assert all(later < earlier + 0.03 for earlier, later in zip(means, means[1:], strict=False))
        assert means[4] < means[0] - 0.05


def test_mean_shift_is_best_in_the_middle_and_local_blocks_grow_less_annoying():
    shift = [opinion.mean for opinion in opinion_curve(find_distortion("kadid10k:MS"))]
    blocks = [opinion.mean for opinion in opinion_curve(find_distortion("tid2013:Block"))]
    assert max(shift) == shift[2]
    assert blocks == sorted(blocks)


@pytest.mark.parametrize("level", [0, 6, 2.5, None])
def test_a_level_that_does_not_exist_is_refused(level):
    with pytest.raises(DistortionError) as caught:
        opinion_of(CATALOGUE[0], level)
    assert str(caught.value) == f"Expected a level from 1 to 5, got {level!r}."
