"""An assessment: the same score however the photo comes and in whatever company, with words that mean something."""

import io
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_fixtures import photo_pixels

from metaiqa_core import Assessor
from metaiqa_core.assess import TILE
from metaiqa_core.assessment import ROW_FIELDS, Assessment, QualityMap, failed_row, percentile_of, word_of
from metaiqa_core.errors import CheckpointError, PhotoError
from metaiqa_core.images import DecodeLimits, decode
from metaiqa_core.models.checkpoints import Checkpoint, load_checkpoint
from metaiqa_core.preprocessing import Preprocessing


@pytest.fixture(scope="module")
def assessor(tiny_checkpoint):
    return Assessor.load(tiny_checkpoint)


@pytest.fixture(scope="module")
def files(tiny_database):
    return [image.path for image in tiny_database]


@pytest.fixture(scope="module")
def alone(assessor, files):
    """Each photo's assessment, made alone."""
    return [assessor.assess(file) for file in files]


def test_the_tiny_model_tells_photos_apart(alone):
    scores = [assessment.score for assessment in alone]
    assert len(set(scores)) == len(scores)
    assert np.std(scores) > 5


def test_a_score_is_the_networks_output_on_the_preprocessed_photo(assessor, files, alone):
    with torch.no_grad():
        unit_score = assessor.network(assessor.preprocessing(decode(files[3])))
    assert alone[3].score == pytest.approx(100 * float(unit_score), abs=1e-3)


@pytest.mark.parametrize("batch", [1, 2, 5, 24])
def test_batches_of_any_size_give_the_bits_of_a_photo_alone(assessor, files, alone, batch):
    starts = range(0, len(files), batch)
    together = [one for start in starts for one in assessor.assess_many(files[start : start + batch])]
    assert together == alone


def test_the_order_of_a_batch_does_not_matter(assessor, files, alone):
    order = np.random.default_rng(0).permutation(len(files))
    assert list(assessor.assess_many([files[place] for place in order])) == [alone[place] for place in order]


def test_a_newly_loaded_model_gives_the_same_bits(tiny_checkpoint, files, alone):
    assert Assessor.load(tiny_checkpoint).assess(files[0]) == alone[0]


def test_eight_threads_at_once_get_the_results_of_one(assessor, files, alone):
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(assessor.assess, files)) == alone


def test_every_kind_of_source_gives_the_same_score(assessor, files, alone):
    content = files[5].read_bytes()
    image = Image.open(files[5])
    array = np.asarray(image)
    tensor = torch.from_numpy(array.copy()).permute(2, 0, 1).float() / 255
    sources = [str(files[5]), content, io.BytesIO(content), image, array, tensor, tensor[None], decode(files[5])]
    assert {assessor.assess(source).score for source in sources} == {alone[5].score}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_stored_in_any_orientation_has_its_upright_score(assessor, orientation):
    upright = Image.fromarray(photo_pixels(50, noise=10))
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    (upright.transpose(stored) if stored is not None else upright).save(buffer, "PNG", exif=exif)
    assessment = assessor.assess(buffer.getvalue())
    assert assessment.score == pytest.approx(assessor.assess(upright).score, abs=1e-6)
    assert (assessment.width, assessment.height) == upright.size


def test_an_assessment_says_what_was_seen(alone, files):
    assessment = alone[1]
    assert (assessment.width, assessment.height) == (96, 72)
    assert (assessment.format, assessment.model, assessment.notes) == ("PNG", "tiny", ())
    assert assessment.word == word_of(assessment.score)
    assert assessment.interval_low == max(0, assessment.score - 12.5)
    assert assessment.interval_high == min(100, assessment.score + 12.5)
    assert (assessment.interval_level, assessment.population) == (0.9, "tiny photos")
    assert assessment.percentile == pytest.approx(assessment.score)  # the tiny population's quantiles are 0 to 100
    assert assessment.at_full_size is None


def shifted(assessor, amount):
    """The same assessor with all unit scores moved."""
    checkpoint = Checkpoint(type(assessor.network)(assessor.network.config), assessor.card)
    checkpoint.network.load_state_dict(assessor.network.state_dict())
    checkpoint.network.eval().requires_grad_(False)
    checkpoint.network.head[-1].bias.add_(amount)
    return Assessor(checkpoint)


@pytest.mark.parametrize(
    ("amount", "expected"), [(5, (100, 87.5, 100, "Excellent", 100)), (-5, (0, 0, 12.5, "Bad", 0))]
)
def test_scores_and_intervals_stay_on_the_scale(assessor, files, amount, expected):
    assessment = shifted(assessor, amount).assess(files[0])
    found = (assessment.score, assessment.interval_low, assessment.interval_high, assessment.word)
    assert (*found, assessment.percentile) == expected


def test_a_model_without_calibration_promises_no_interval_and_no_percentile(assessor, files, alone):
    checkpoint = Checkpoint(assessor.network, replace(assessor.card, calibration=None))
    assessment = Assessor(checkpoint, engine=assessor.engine).assess(files[0])  # another engine has other last bits
    missing = ("interval_low", "interval_high", "interval_level", "percentile", "population")
    assert assessment == replace(alone[0], **dict.fromkeys(missing))


def test_the_words_are_fifths_of_the_scale():
    scores = [0, 19.999, 20, 39.999, 40, 59.999, 60, 79.999, 80, 100]
    words = ["Bad", "Bad", "Poor", "Poor", "Fair", "Fair", "Good", "Good", "Excellent", "Excellent"]
    assert [word_of(score) for score in scores] == words


def test_a_percentile_is_the_share_of_the_population_below():
    population = np.sort(np.random.default_rng(0).beta(2, 3, 5000) * 100)
    quantiles = tuple(np.quantile(population, np.linspace(0, 1, 101)))
    for score in (5, 20, 40, 60, 80):
        assert percentile_of(score, quantiles) == pytest.approx(100 * np.mean(population < score), abs=0.2)
    assert percentile_of(-1, quantiles) == 0
    assert percentile_of(101, quantiles) == 100
    values = [percentile_of(score, quantiles) for score in np.linspace(0, 100, 300)]
    assert values == sorted(values)


def test_a_population_with_equal_scores_has_percentiles_too():
    assert percentile_of(50.0, (50.0,) * 101) == 100
    assert percentile_of(49.0, (50.0,) * 101) == 0


def test_the_map_of_a_photo_of_the_models_size_is_its_score_on_a_screen(assessor):
    photo = photo_pixels(60, noise=12, size=(64, 64))
    assessment = assessor.assess(photo, at_full_size=True)
    assert len(assessment.at_full_size.boxes) == 1
    assert assessment.at_full_size.score == assessment.score


def test_each_tile_is_scored_as_the_photo_it_would_be(assessor):
    photo = photo_pixels(61, noise=12, size=(TILE + 60, TILE))
    quality_map = assessor.assess(photo, at_full_size=True).at_full_size
    assert [(box.left, box.top, box.width, box.height) for box in quality_map.boxes] == [
        (0, 0, TILE, TILE),
        (60, 0, TILE, TILE),
    ]
    assert quality_map.scores == (assessor.assess(photo[:, :TILE]).score, assessor.assess(photo[:, 60:]).score)
    assert quality_map.score == pytest.approx(sum(quality_map.scores) / 2)


def test_the_map_reports_each_tile(assessor):
    steps = [
        (progress.step, progress.total) for progress in assessor.map_quality(photo_pixels(62, size=(TILE + 1, 80)))
    ]
    assert steps == [(1, 2), (2, 2)]


def test_a_bad_photo_in_a_batch_is_a_row_and_the_others_survive(assessor, files, alone, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    sources = [files[0], tmp_path / "broken.jpg", tmp_path / "missing.jpg", files[1]]
    for at_full_size in (False, True):
        first, broken, missing, last = assessor.assess_many(sources, at_full_size=at_full_size)
        assert isinstance(broken, PhotoError)
        assert str(missing) == "missing.jpg does not exist: check the path."
        assert [first.score, last.score] == [alone[0].score, alone[1].score]
        assert isinstance(first, Assessment)


def test_no_photos_give_no_rows(assessor):
    assert list(assessor.assess_many([])) == []


def test_a_batch_may_be_left_early(assessor, files, alone):
    outcomes = assessor.assess_many(files)
    assert next(outcomes) == alone[0]
    outcomes.close()


@pytest.mark.parametrize("processors", ["1", "2"])
def test_a_batch_holds_only_a_few_photos_at_a_time(tiny_checkpoint, processors, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", processors)
    assessor = Assessor.load(tiny_checkpoint)
    taken, lead = 0, []

    def photos():
        nonlocal taken
        for number in range(30):
            taken += 1
            yield photo_pixels(number, size=(300, 200))

    tracemalloc.start()
    try:
        for done, _ in enumerate(assessor.assess_many(photos()), start=1):
            lead.append(taken - done)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken == 30
    assert max(lead) <= 3  # never more than three photos ahead
    assert peak < 30 * 300 * 200 * 3 * 2  # with all photos kept, sources and pixels alone would take this


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_many_photos_side_by_side_get_the_bits_of_each_alone_in_their_order(
    tiny_checkpoint, files, tmp_path, engine, monkeypatch
):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assessor = Assessor.load(tiny_checkpoint, engine=engine)
    alone = [assessor.assess(file) for file in files]
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    *outcomes, broken, wrong, last = assessor.assess_many([*files, *files[:5], tmp_path / "broken.jpg", 7, files[0]])
    assert outcomes == [*alone, *alone[:5]]
    assert str(broken).startswith("broken.jpg ")
    assert str(wrong).startswith("A photo must be a path, bytes, ")
    assert last == alone[0]
    outcomes = assessor.assess_many(files)
    assert [next(outcomes) for _ in range(12)] == alone[:12]
    outcomes.close()


def test_limits_are_the_assessors(tiny_checkpoint, files):
    strict = Assessor.load(tiny_checkpoint, limits=DecodeLimits(max_side=80))
    with pytest.raises(PhotoError, match="no side may have more than 80, please make it smaller"):
        strict.assess(files[1])


def test_a_large_jpeg_is_decoded_reduced_with_nearly_the_same_score(assessor):
    buffer = io.BytesIO()
    Image.fromarray(photo_pixels(70, noise=5, size=(1200, 900))).save(buffer, "JPEG", quality=95)
    assert decode(buffer.getvalue(), minimum_short_side=64).pixels.shape[0] < 900
    full = assessor.assess(np.asarray(Image.open(buffer)))
    assert assessor.assess(buffer.getvalue()).score == pytest.approx(full.score, abs=1.5)


def test_the_network_is_differentiable_in_the_photo(assessor, files):
    images = assessor.preprocessing(decode(files[0])).requires_grad_()
    assessor.network(images).sum().backward()
    assert images.grad.abs().sum() > 0


def test_the_preprocessing_is_the_cards(assessor):
    assert assessor.preprocessing == Preprocessing(short_side=64)


def test_an_unknown_model_is_refused():
    with pytest.raises(CheckpointError, match="^There is no model called 'nobody': expected a file"):
        Assessor.load("nobody")


def test_an_assessment_and_a_failure_are_rows_of_the_same_fields():
    assessment = Assessment(
        score=61.5,
        interval_low=None,
        interval_high=None,
        interval_level=None,
        word="Good",
        percentile=None,
        population=None,
        at_full_size=QualityMap((), (40.0, 50.0)),
        model="tiny",
        width=30,
        height=20,
        format="PNG",
        notes=("16 bits reduced to 8", "transparent areas shown on white"),
    )
    row = assessment.to_row("a.png")
    assert tuple(row) == ROW_FIELDS
    assert (row["file"], row["score"], row["score_at_full_size"], row["error"]) == ("a.png", 61.5, 45.0, None)
    assert row["notes"] == "16 bits reduced to 8; transparent areas shown on white"
    failed = failed_row("b.png", "tiny", "b.png is empty.")
    assert tuple(failed) == ROW_FIELDS
    assert {name: value for name, value in failed.items() if value is not None} == {
        "file": "b.png",
        "model": "tiny",
        "error": "b.png is empty.",
    }


def test_a_photo_smaller_than_those_that_the_interval_was_measured_on_gets_a_note_instead(tiny_checkpoint):
    checkpoint = load_checkpoint(tiny_checkpoint)
    calibration = replace(checkpoint.card.calibration, smallest_side=72)
    careful = Assessor(Checkpoint(checkpoint.network, replace(checkpoint.card, calibration=calibration)))
    small, large = careful.assess(photo_pixels(1, 5.0, (96, 71))), careful.assess(photo_pixels(1, 5.0, (96, 72)))
    assert (small.interval_low, small.interval_high, small.interval_level) == (None, None, None)
    assert small.percentile is not None
    assert "71 pixels, and how far a score can be trusted was only measured from 72 pixels on" in small.notes[-1]
    assert large.interval_low is not None
    assert not large.notes


def test_the_score_is_that_of_evaluation_mode_and_the_networks_mode_stays(tiny_checkpoint, files):
    assessor = Assessor.load(tiny_checkpoint, engine="torch")
    alone = [assessor.assess(file) for file in files[:8]]
    network = assessor.network
    for train in (network.train, network.head.train, network.backbone[0].train):
        network.eval()
        train()
        modes = [module.training for module in network.modules()]
        assert any(modes)
        before = {key: value.clone() for key, value in network.state_dict().items()}
        assert assessor.assess(files[0]) == alone[0]
        assert list(assessor.assess_many(files[:3])) == alone[:3]
        with ThreadPoolExecutor(max_workers=4) as pool:
            assert list(pool.map(assessor.assess, files[:8])) == alone[:8]
        assert [module.training for module in network.modules()] == modes
        assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_the_networks_mode_stays_where_scoring_fails(tiny_checkpoint, files, monkeypatch):
    assessor = Assessor.load(tiny_checkpoint, engine="torch")
    assessor.network.train()
    monkeypatch.setattr(type(assessor.network), "forward", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        assessor.assess(files[0])
    assert all(module.training for module in assessor.network.modules())


def test_a_network_without_a_finite_score_is_a_sentence(tiny_checkpoint, files):
    assessor = Assessor.load(tiny_checkpoint, engine="torch")
    assessor.network.head[-1].bias.data.fill_(torch.nan)
    with pytest.raises(CheckpointError, match="The model tiny gives this photo no score that is a number"):
        assessor.assess(files[0])


class _WithoutEnd:
    """Has a `read`, and nothing else that a file has."""

    def read(self, size=-1):
        return b""


@pytest.mark.parametrize("at_full_size", [False, True])
@pytest.mark.parametrize(
    "wrong",
    [
        None,
        3,
        {"file": "a.jpg"},
        io.StringIO("text"),
        torch.zeros(3, 64, 64, dtype=torch.int64),
        np.zeros((64, 64, 3), dtype=complex),
        np.zeros((64, 64, 3), dtype=object),
        np.zeros((0, 0, 3)),
        _WithoutEnd(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_wrong_type_in_a_batch_is_its_own_error_and_the_others_survive(assessor, files, alone, wrong, at_full_size):
    first, second, third = assessor.assess_many([files[0], wrong, files[1]], at_full_size=at_full_size)
    assert (first.score, third.score) == (alone[0].score, alone[1].score)
    assert isinstance(second, PhotoError)
    assert str(second).endswith(".")


@pytest.mark.parametrize("kind", [np.float32, np.float16, np.float64])
def test_floats_a_hair_beyond_zero_and_one_are_zero_and_one(assessor, kind):
    exact = photo_pixels(3) / 255
    exact[0, 0], exact[0, 1] = 1, 0
    beyond = exact.astype(kind)
    beyond[0, 0] = np.nextafter(kind(1), kind(2))
    beyond[0, 1] = -np.finfo(np.float16).eps / 2
    assert assessor.assess(beyond).score == assessor.assess(exact.astype(kind)).score
    assert assessor.assess(torch.from_numpy(beyond).permute(2, 0, 1)).score == assessor.assess(beyond).score


@pytest.mark.parametrize(("value", "found"), [(1.0011, "0 to 1.0011"), (1.5, "0 to 1.5"), (255.0, "0 to 255")])
def test_floats_further_beyond_one_are_refused_with_all_digits(assessor, value, found):
    pixels = np.zeros((64, 64, 3))
    pixels[0, 0] = value
    with pytest.raises(PhotoError, match=f"floating-point values from {found}: expected 0 to 1"):
        assessor.assess(pixels)
