"""Evidence has to tell a map that knows the model from one that does not."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_explain_methods import NATIVE, LinearScore, map_of, photo_of, small_network

from metaiqa_core.errors import ExplanationError
from metaiqa_core.explain import measured
from metaiqa_core.explain.damage import DAMAGES, damage_region, random_square
from metaiqa_core.explain.evidence import deletion_insertion, randomisation, rank_correlation
from metaiqa_core.explain.gradient_maps import GradientMap
from metaiqa_core.explain.methods import METHODS
from metaiqa_core.explain.regions import Region
from metaiqa_core.explain.settings import MapSettings
from metaiqa_core.progress import finish


class CornerScore(torch.nn.Module):
    """Looks at the 20 x 20 pixels at the top left and at nothing else."""

    def forward(self, images):
        return (images[:, :, :20, :20] - 0.5).abs().mean((1, 2, 3))


def made_map(values, method="saliency"):
    values = np.asarray(values, dtype=np.float32)
    return GradientMap(values, method, "", {}, (80, 64), (80, 64), 0.5, 0.1, {}, None)


def corner(inside, outside):
    values = np.full((64, 80), outside, dtype=np.float32)
    values[:20, :20] = inside
    return values + np.random.default_rng(5).uniform(0, 1e-3, values.shape).astype(np.float32)


def test_a_map_of_where_the_network_looks_beats_random_maps_both_ways():
    curves = finish(deletion_insertion(CornerScore(), photo_of(), NATIVE, made_map(corner(1, 0))))
    assert curves.beats_random
    assert curves.deletion_gain > 1.2
    assert curves.insertion_gain > 1.2
    assert len(curves.shares) == len(curves.deletion.scores) == 11
    assert len(curves.random_deletion) == 5


def test_a_map_of_everywhere_else_is_worse_than_random_maps():
    curves = finish(deletion_insertion(CornerScore(), photo_of(), NATIVE, made_map(corner(0, 1))))
    assert not curves.beats_random
    assert curves.deletion_gain < 0.8


def test_both_curves_run_between_the_photo_and_the_blurred_photo():
    curves = finish(deletion_insertion(CornerScore(), photo_of(), NATIVE, made_map(corner(1, 0)), steps=4))
    assert curves.deletion.scores[0] == pytest.approx(curves.insertion.scores[-1])
    assert curves.deletion.scores[-1] == pytest.approx(curves.insertion.scores[0])
    again = finish(deletion_insertion(CornerScore(), photo_of(), NATIVE, made_map(corner(1, 0)), steps=4))
    assert again == curves


def test_evidence_reports_every_step_and_can_be_stopped():
    work = deletion_insertion(CornerScore(), photo_of(), NATIVE, made_map(corner(1, 0)), steps=4, random_maps=2)
    seen = [next(work) for _ in range(9)]
    assert [progress.step for progress in seen] == list(range(1, 10))
    assert {progress.total for progress in seen} == {9}
    work.close()


def test_an_engine_gives_the_same_curves_as_torch():
    network, photo, result = CornerScore(), photo_of(), made_map(corner(1, 0))

    def unit_score(pixels):
        return float(network(torch.from_numpy(pixels.transpose(2, 0, 1)[None] / np.float32(255)))[0])

    by_torch, by_engine = (
        finish(deletion_insertion(network, photo, NATIVE, result, steps=4, random_maps=1, unit_score=scorer))
        for scorer in (None, unit_score)
    )
    assert by_engine.deletion.scores == pytest.approx(by_torch.deletion.scores, abs=2e-3)  # blurred to whole levels
    assert by_engine.insertion.area == pytest.approx(by_torch.insertion.area, abs=0.02)


def test_random_weights_are_reported_as_one_piece_of_work():
    network, photo = small_network(), photo_of()
    result = map_of(network, photo, "smoothgrad", MapSettings(smoothing=0, samples=4, batch=2))
    seen = list(randomisation(network, photo, NATIVE, result))
    assert [(each.stage, each.step, each.total) for each in seen] == [
        ("last layers random", 2, 8),
        ("last layers random", 4, 8),
        ("all weights random", 6, 8),
        ("all weights random", 8, 8),
    ]


def test_the_gradient_changes_with_the_weights_and_a_map_of_edges_would_not():
    network, photo = small_network(), photo_of()
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    result = map_of(network, photo, "hirescam")
    check = finish(randomisation(network, photo, NATIVE, result))
    assert -1 <= check.backbone <= 1
    assert check == finish(randomisation(network, photo, NATIVE, result))
    assert check != finish(randomisation(network, photo, NATIVE, result, seed=1))
    assert all(torch.equal(before[name], weight) for name, weight in network.state_dict().items())


def test_a_network_without_weights_to_randomise_keeps_its_map():
    network, photo = LinearScore(), photo_of()  # its weight belongs to no layer
    check = finish(randomisation(network, photo, NATIVE, map_of(network, photo, "saliency")))
    assert check.backbone == pytest.approx(1)
    assert not check.looks_at_model


def test_rank_correlation_is_spearmans():
    first = np.random.default_rng(0).normal(size=(20, 30))
    assert rank_correlation(first, np.exp(first)) == pytest.approx(1)
    assert rank_correlation(first, -(first**3)) == pytest.approx(-1)
    assert rank_correlation(first, np.ones((20, 30))) == 0


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_stays_in_its_region_and_has_no_hard_edge(damage):
    pixels = np.full((120, 160, 3), 100, dtype=np.uint8)
    pixels[::2] = 140
    region = Region(20, 40, 80, 100)
    damaged = damage_region(pixels, damage, region, seed=1)
    changed = np.abs(damaged.astype(int) - pixels).max(2)
    inside = np.zeros((120, 160), dtype=bool)
    inside[20:80, 40:100] = True
    assert changed[~inside].max() == 0
    assert changed[35:65, 55:85].mean() > 3 * changed[20, 40:100].mean()
    np.testing.assert_array_equal(damaged, damage_region(pixels, damage, region, seed=1))


@settings(max_examples=50, deadline=None)
@given(st.integers(200, 2000), st.integers(200, 2000), st.integers(0, 2**31))
def test_the_damaged_square_has_its_share_of_the_area_and_lies_inside(height, width, seed):
    region = random_square(height, width, seed)
    assert 0 <= region.top < region.bottom <= height
    assert 0 <= region.left < region.right <= width
    if max(height, width) < 5 * min(height, width):
        assert 1 / 9.5 < region.area / (height * width) < 1 / 5.5


def table(tmp_path, low):
    path = tmp_path / "maps.csv"
    row = ("saliency", "all", "24", "1.4", str(low), "1.7", "1", "tiny", "ab12", "0", "2026-01-01")
    path.write_text(",".join(measured.LOCALISATION_COLUMNS) + "\n" + ",".join(row) + "\n", encoding="utf-8")
    return path


def test_a_method_informs_where_its_whole_interval_is_above_chance(tmp_path):
    assert measured.informative("tiny", "saliency", path=table(tmp_path, 1.1)) is True
    assert measured.informative("tiny", "saliency", path=table(tmp_path, 0.95)) is False
    assert measured.informative("tiny", "saliency", path=table(tmp_path, 1.0)) is False
    assert measured.informative("another", "saliency", path=table(tmp_path, 1.1)) is None
    assert measured.informative("tiny", "saliency", path=tmp_path / "none.csv") is None


def test_methods_stand_in_the_order_of_their_reliability_and_those_without_a_measurement_last(tmp_path):
    lows = {"grad-cam": 0.7, "deeplift": 1.8, "hirescam": 1.2}
    path = tmp_path / "maps.csv"
    rows = [f"{key},all,24,2.5,{low},3,1,tiny,ab12,0,2026-01-01" for key, low in lows.items()]
    path.write_text("\n".join([",".join(measured.LOCALISATION_COLUMNS), *rows]) + "\n", encoding="utf-8")
    ordered = measured.by_reliability("tiny", path=path)
    assert ordered[:3] == ["deeplift", "hirescam", "grad-cam"]
    assert ordered[3:] == [key for key in METHODS if key not in lows]
    grades = [measured.localisation_of("tiny", key, path=path).reliability for key in ordered[:3]]
    assert grades == ["good", "fair", "poor"]
    assert measured.by_reliability("another", path=path) == list(METHODS)


def test_a_damaged_table_is_refused(tmp_path):
    path = tmp_path / "maps.csv"
    path.write_text("method,damage\nsaliency,all\n", encoding="utf-8")
    with pytest.raises(ExplanationError, match=r"maps\.csv is not the table that benchmarks/maps\.py writes"):
        measured.informative("tiny", "saliency", path=path)
