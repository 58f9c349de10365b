"""What can be ranked within a distortion type at most, computed from people's scores."""

import numpy as np
import pandas as pd
import pytest

from metaiqa_core.results.ceilings import CONTENT, JUDGED, LEVEL, ORDER, SROCC, WITHIN, ceilings, ranked_by


def images(order=(5, 4, 3, 2, 1), content=0.1):
    """Three contents at five levels: the score is the level's, and a little more for each content."""
    rows = [
        {"distortion_type": "tid2013:CTC", "level": level, "reference": f"i{number}", "opinion_score": place + shift}
        for number, shift in enumerate(content * np.arange(3))
        for level, place in enumerate(order, start=1)
    ]
    return pd.DataFrame(rows)


def test_who_knows_levels_and_contents_knows_all_of_additive_scores():
    found = ceilings(images()).loc["tid2013:CTC"]
    assert found[CONTENT] == pytest.approx(1)
    assert 0.9 < found[LEVEL] < 1
    assert found[LEVEL] == pytest.approx(found[JUDGED])


def test_a_type_that_lessens_and_raises_is_ranked_by_the_order_in_which_people_like_its_levels():
    found = ceilings(images(order=(2, 5, 1, 4, 3))).loc["tid2013:CTC"]
    assert found[LEVEL] < 0.2
    assert found[JUDGED] > 0.9


def test_a_ceiling_that_nothing_tells_apart_is_not_a_number():
    one_level = images().assign(level=3)
    assert ceilings(one_level).loc["tid2013:CTC", [LEVEL, JUDGED]].isna().all()


def test_predictions_can_order_the_levels_and_rank_the_contents_upside_down():
    table = images()
    upside_down = -table["reference"].str[1:].astype(int)
    found = ranked_by(table.assign(predicted_score=-10 * table["level"] + upside_down)).loc["tid2013:CTC"]
    assert (found[ORDER], found[WITHIN]) == (pytest.approx(1), pytest.approx(-1))
    assert 0.5 < found[SROCC] < 1
