"""The scale beside a score: what it says, what stays within it, and that foreign names stay text."""

import re
from dataclasses import replace

import numpy as np
import pytest

from metaiqa_core.assess import Assessor
from pages.shared.score_scale import density, scale_html, scale_in_words


@pytest.fixture(scope="module")
def assessor():
    return Assessor.load()


@pytest.fixture(scope="module")
def assessment(assessor):
    return assessor.assess(np.random.default_rng(0).integers(0, 256, (600, 800, 3), dtype=np.uint8))


def test_the_dot_and_the_interval_stand_where_the_numbers_are(assessment, assessor):
    shown = replace(assessment, score=60.0, interval_low=50.0, interval_high=75.5, interval_level=0.9)
    picture = scale_html(shown, assessor.card.calibration)
    assert 'title="score 60.0" style="left:60.00%' in picture
    assert 'title="90 % interval: 50.0 to 75.5" style="left:50.00%;width:25.50%' in picture
    assert scale_in_words(shown).endswith("the 90 % interval reaches from 50 to 76.")
    assert f'aria-label="{scale_in_words(shown)}"' in picture


def test_what_lies_beyond_the_scale_is_drawn_to_its_end(assessment):
    shown = replace(assessment, score=104.0, interval_low=-8.0, interval_high=130.0, interval_level=0.9)
    picture = scale_html(shown, None)
    assert 'style="left:0.00%;width:100.00%' in picture
    assert 'title="score 104.0" style="left:100.00%' in picture
    assert "population" not in picture


def test_the_name_of_a_population_is_text(assessment, assessor):
    foreign = replace(assessor.card.calibration, population='"><img src=x onerror=alert(1)>')
    picture = scale_html(assessment, foreign)
    assert "<img" not in picture
    assert "&quot;&gt;&lt;img" in picture


def test_the_population_is_highest_where_most_photos_score(assessment, assessor):
    quantiles = tuple(np.clip(np.random.default_rng(1).normal(70, 8, 101), 0, 100).tolist())
    heights = density(tuple(sorted(quantiles)))
    assert heights.max() == 1
    assert abs(int(heights.argmax()) - 70) <= 5
    corners = re.findall(r"(\d+)% ([\d.]+)%", scale_html(assessment, assessor.card.calibration))
    assert all(0 <= float(y) <= 100 for _, y in corners)
    assert len(corners) >= 103
