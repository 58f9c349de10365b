"""The command `distort`, and the comparison of a model's fall with people's against cases worked out by hand."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_fixtures import photo_pixels

from metaiqa_core import level_response
from metaiqa_core.distortions import CATALOGUE, LEVELS, distort, find_distortion
from metaiqa_core.distortions.opinion_scores import OpinionScore, opinion_curve
from metaiqa_core.errors import DistortionError
from metaiqa_core.images import Photo
from metaiqa_core.level_response import LevelResponse, best_opinion, compare_with_people, most_misread, working_copy

BLUR = find_distortion("kadid10k:GB")


@pytest.fixture
def run(run):
    return functools.partial(run, "distort")


@pytest.fixture
def photo(tmp_path):
    """A photo that the camera stored lying on its side."""
    exif = Image.Exif()
    exif[274] = 6  # turn clockwise
    file = tmp_path / "photo.png"
    Image.fromarray(photo_pixels(1)).save(file, exif=exif)
    return file


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_the_output_is_the_upright_photo_distorted_at_full_size(run, photo, tmp_path, suffix):
    output = tmp_path / "new" / f"out.{suffix}"
    status, _, err = run(photo, "--type", "kadid10k:wn", "--level", 4, "--seed", 3, "--output", output)
    assert (status, err) == (0, f"wrote {output}\n")
    upright = np.rot90(photo_pixels(1), -1)
    np.testing.assert_array_equal(Image.open(output), distort(upright.copy(), "kadid10k:WN", 4, seed=3))


def test_stretch_reaches_the_generator(run, photo, tmp_path):
    run(photo, "--type", "kadid10k:MS", "--level", 1, "--stretch", "--output", tmp_path / "o.png")
    upright = np.rot90(photo_pixels(1), -1).copy()
    np.testing.assert_array_equal(Image.open(tmp_path / "o.png"), distort(upright, "kadid10k:MS", 1, stretch=True))


def test_all_levels_are_five_files_of_a_folder(run, photo, tmp_path):
    status, _, err = run(photo, "--type", "tid2013:MS", "--all-levels", "--output", tmp_path / "levels")
    assert status == 0
    names = [f"photo-tid2013-MS-{level}.png" for level in LEVELS]
    assert sorted(file.name for file in (tmp_path / "levels").iterdir()) == names
    assert [line.rpartition("/")[2] for line in err.splitlines()] == names


def test_a_lossy_output_is_called_lossy(run, photo, tmp_path):
    status, _, err = run(photo, "--type", "kadid10k:GB", "--level", 2, "--output", tmp_path / "o.JPG")
    assert status == 0
    assert Image.open(tmp_path / "o.JPG").format == "JPEG"
    assert err.endswith("JPEG adds a little damage of its own: write .png or .tif to keep every pixel.\n")


def test_the_list_has_every_type_with_its_levels(run):
    status, out, _ = run("--list")
    assert status == 0
    lines = out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == [entry.key for entry in CATALOGUE]
    assert "0.1  0.5  1  2  5" in lines[0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--type", "kadid10k:Blur", "--level", "1"], "Expected a distortion such as kadid10k:GB or tid2013:11"),
        (["--type", "kadid10k:GB", "--level", "6"], "argument --level: invalid choice: 6"),
        (["--type", "kadid10k:GB"], "Say how much: --level 1 to 5, or --all-levels."),
        (["--level", "1"], "To distort a photo, say also --type; --list shows the types."),
        (["--type", "kadid10k:GB", "--level", "1", "--seed", "-1"], "Expected seeds of at least 0, got -1."),
    ],
)
def test_a_bad_wish_is_one_line_and_leaves_no_file(run, photo, tmp_path, words, sentence):
    status, out, err = run(photo, "--output", tmp_path / "new" / "o.png", *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert sentence in err
    assert not list(tmp_path.glob("new/*"))


def test_a_photo_or_an_output_that_does_not_fit_is_one_line_too(run, photo, tmp_path):
    small = tmp_path / "small.png"
    Image.fromarray(photo_pixels(1, size=(40, 20))).save(small)
    wish = ["--type", "kadid10k:GB", "--level", "1", "--output"]
    before = photo.read_bytes()
    for words, sentence in [
        ([small, *wish, tmp_path / "o.png"], "Expected a photo of at least 32x32 pixels, got 40x20"),
        ([tmp_path / "no.png", *wish, tmp_path / "o.png"], "no.png does not exist: check the path."),
        (
            [photo, *wish, tmp_path / "o.webp"],
            "Expected an output that ends in .png, .tif, .tiff, .jpg, .jpeg, got o.w",
        ),
        ([photo, *wish, photo], "is the photo itself: name another output"),
    ]:
        status, _, err = run(*words)
        assert (status, err.count("\n")) == (2, 1)
        assert sentence in err
    assert photo.read_bytes() == before
    assert not (tmp_path / "o.png").exists()


def people(*means, std=0.0):
    return [OpinionScore(mean / 100, std, 100) for mean in means]


def test_a_gap_is_the_damage_that_people_see_minus_the_damage_that_the_model_sees(monkeypatch):
    monkeypatch.setattr(level_response, "best_opinion", lambda database: 0.9)
    response = LevelResponse(BLUR, (70, 70, 65, 60, 50, 60))
    found = compare_with_people(response, people(90, 80, 60, 40, 20))
    assert found.gaps == pytest.approx((0, 5, 20, 30, 60))  # damage 0 10 30 50 70 against 0 5 10 20 10
    assert found.mean_gap == pytest.approx(23)
    assert found.rmse == pytest.approx(((25 + 400 + 900 + 3600) / 5) ** 0.5)
    assert (found.pairs_in_order, found.distinguishable_pairs) == (8, 10)  # wrong: 3 against 5 (a tie), 4 against 5
    assert found.order == 0.8


def test_only_levels_that_people_tell_apart_have_an_order():
    # The standard error of a difference is 5 * sqrt(2 / 100) = 0.71 points; 1 point is within two of them, 2 are not.
    found = compare_with_people(LevelResponse(BLUR, (9, 1, 2, 3, 4, 5)), people(50, 51, 52, 52, 52, std=0.05))
    assert (found.pairs_in_order, found.distinguishable_pairs) == (3, 3)
    assert compare_with_people(LevelResponse(BLUR, (9, 1, 2, 3, 4, 5)), people(*[50] * 5)).order == 1.0


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.key)
def test_a_model_that_falls_as_people_do_misreads_nothing_wherever_it_starts(entry):
    fall = [best_opinion(entry.database) - opinion.mean for opinion in opinion_curve(entry)]
    found = compare_with_people(LevelResponse(entry, (30, *(30 - 100 * drop for drop in fall))))
    assert found.rmse == pytest.approx(0, abs=1e-9)
    assert found.order == 1


def test_the_best_opinion_is_that_of_levels_which_change_nothing():
    assert best_opinion("kadid10k") == max(o.mean for e in CATALOGUE[:25] for o in opinion_curve(e))
    assert best_opinion("kadid10k") - opinion_curve(BLUR)[0].mean < 0.02  # sigma 0.1 changes nothing


@given(st.lists(st.floats(0, 100), min_size=3, max_size=3, unique=True))
def test_the_worst_misread_comes_first_whatever_the_order_of_measuring(starts):
    responses = [LevelResponse(BLUR, (start, *[0.0] * 5)) for start in starts]
    ranked = most_misread(responses)
    assert [found.rmse for found in ranked] == sorted((found.rmse for found in ranked), reverse=True)
    assert ranked[0].rmse == max(compare_with_people(response).rmse for response in responses)


def test_a_response_has_six_scores():
    with pytest.raises(ValueError, match="expected the scores of levels 0 to 5, got 5"):
        LevelResponse(BLUR, (1, 2, 3, 4, 5))


@settings(max_examples=25, deadline=None)
@given(st.integers(32, 900), st.integers(32, 900))
def test_a_working_copy_has_the_databases_scale_and_the_photos_shape(width, height):
    rows, columns = working_copy(Photo(np.zeros((height, width, 3), np.uint8), (width, height), "PNG")).shape[:2]
    assert (columns, rows) == (width, height) or rows * columns == pytest.approx(512 * 384, rel=0.02)
    assert rows * columns <= 512 * 384 * 1.02
    assert columns / rows == pytest.approx(width / height, rel=0.02)


def test_a_working_copy_of_a_reduced_decode_is_no_smaller_than_of_the_whole_photo():
    reduced = Photo(np.zeros((768, 1024, 3), np.uint8), (4096, 3072), "JPEG")
    assert working_copy(reduced).shape == (384, 512, 3)


def test_a_photo_that_is_too_small_for_some_distortion_is_refused_at_once():
    with pytest.raises(DistortionError, match="Expected a photo of at least 32x32 pixels, got 40x20"):
        working_copy(Photo(np.zeros((20, 40, 3), np.uint8), (40, 20), "PNG"))
