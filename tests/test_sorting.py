"""Sorting photos: decisions and undo, stacks with the best on top, where one stands, capture times."""

import doctest
import io
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from metaiqa_core.images.capture import Capture, capture_of
from metaiqa_core.sorting import powershell_script, shell_script, sidecars, summary, xmp
from metaiqa_core.sorting.decisions import Decision, Decisions
from metaiqa_core.sorting.stacks import StackedPhoto, stacks
from metaiqa_core.sorting.summary import Summary, summarise

KEEP, REJECT, UNDECIDED, REMOVED = Decision.KEEP, Decision.REJECT, Decision.UNDECIDED, Decision.REMOVED
STEPS = st.lists(
    st.tuples(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3), st.sampled_from(list(Decision))), max_size=12
)


@pytest.mark.parametrize("module", [powershell_script, shell_script, sidecars, summary, xmp])
def test_the_examples_of_the_modules_hold(module):
    assert doctest.testmod(module).failed == 0


@given(STEPS)
def test_undoing_every_step_leads_back_through_every_state(steps):
    decisions, seen = Decisions(), []
    for keys, decision in steps:
        state = [decisions.of(key) for key in "abcd"]
        if decisions.decide(keys, decision):
            seen.append(state)
        assert all(decisions.of(key) == decision for key in keys)
    while seen:
        assert decisions.undo() is not None
        assert [decisions.of(key) for key in "abcd"] == seen.pop()
    assert decisions.undo() is None


def test_a_step_names_what_it_changed_and_what_changes_nothing_is_no_step():
    decisions = Decisions()
    decisions.decide("ab", KEEP)
    decisions.decide("bc", REJECT)
    assert not decisions.decide("bc", REJECT)
    step = decisions.undo()
    assert (step.decision, dict(step.before)) == (REJECT, {"b": KEEP, "c": UNDECIDED})
    assert decisions.with_decision(KEEP) == {"a", "b"}


def photo(key, score=50.0, pixels=12_000_000, bits=0, taken=None, camera="X"):
    return StackedPhoto(key, score, pixels, bits, taken, camera)


def test_the_best_of_a_stack_is_good_and_large():
    small, large, worse = photo("small", 71, 1_000_000), photo("large", 70), photo("worse", 60, 50_000_000)
    assert stacks([worse, small, large]) == [["large", "small", "worse"]]
    much_better = photo("much better", 75, 1_000_000)
    assert stacks([worse, large, much_better]) == [["much better", "large", "worse"]]


def test_a_photo_without_a_score_is_never_the_best():
    assert stacks([photo("broken", None, 10**9), photo("fine", 3, 10)]) == [["fine", "broken"]]
    assert stacks([photo("a", None), photo("b", None)]) == [["a", "b"]]


def test_a_burst_is_one_camera_at_once_on_one_scene():
    start = datetime(2026, 7, 1, 12, 0, 0)
    moved = 2**15 - 1  # 15 bits: too many for a copy, few enough for a burst

    def pair(seconds, camera="X", bits=moved):
        later = start + timedelta(seconds=seconds)
        return stacks([photo("a", taken=start), photo("b", 40, taken=later, camera=camera, bits=bits)])

    assert pair(0.3) == [["a", "b"]]
    assert pair(2.0) == [["a", "b"]]
    assert pair(2.1) == []
    assert pair(0.3, camera="Y") == []
    assert pair(0.3, bits=2**32 - 1) == []


def test_a_long_burst_is_a_chain():
    start = datetime(2026, 7, 1)
    frames = [photo(str(i), i, bits=(2**15 - 1) << 4 * i, taken=start + timedelta(seconds=i)) for i in range(5)]
    assert stacks(frames) == [["4", "3", "2", "1", "0"]]


def test_the_summary_counts_what_people_ask_for():
    rows = [("Bad", False, REJECT), ("Poor", True, KEEP), ("Fair", True, UNDECIDED), (None, False, UNDECIDED)]
    assert summarise(rows) == Summary(photos=4, weak=2, similar=2, kept=1, rejected=1)
    assert summarise(rows).undecided == 2
    assert Summary(1, 0, 0, 0, 0).in_words().startswith("1 photo: 0 weak")


def with_exif(**tags):
    image, exif = Image.new("RGB", (8, 8)), Image.Exif()
    exif[271], exif[272] = "Maker", "Model \0"
    exif.get_ifd(0x8769).update({0x9003: tags.get("time", "2026:07:01 10:20:30"), 0x9291: tags.get("fraction", "25")})
    buffer = io.BytesIO()
    image.save(buffer, tags.get("kind", "JPEG"), exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_time_and_camera_are_read_from_exif_data(kind):
    assert capture_of(with_exif(kind=kind)) == Capture(datetime(2026, 7, 1, 10, 20, 30, 250_000), "Maker Model")


@pytest.mark.parametrize("time", ["0000:00:00 00:00:00", "yesterday", "2026:13:01 10:20:30", ""])
def test_a_clock_that_was_never_set_gives_no_time(time):
    assert capture_of(with_exif(time=time)).taken is None


def test_a_file_without_exif_data_or_without_a_picture_gives_nothing():
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    for content in (buffer.getvalue(), b"no picture", b"", with_exif()[:60]):
        assert capture_of(content).taken is None
