"""Uploads that are damaged at random or on purpose: a score or one sentence, in seconds and within the memory."""

import sys

import pytest
from upload_mutations import mutants
from upload_seeds import FORMATS, bombs, seed_uploads
from upload_trials import Trials

NUMBER = 2000
SEED = "in tests"

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="time and memory are read from /proc")


@pytest.fixture(scope="module")
def trials():
    with Trials() as running:
        yield running


@pytest.mark.parametrize("kind", FORMATS)
def test_every_seed_is_a_photo_but_the_camera_raws(trials, kind):
    for name, data in seed_uploads()[kind]:
        outcome = trials.try_upload(name, data, score=True)
        assert outcome.fault is None
        assert outcome.kind == ("refused" if kind == "camera raw" else "score"), (name, outcome.text)


def test_two_thousand_mutated_uploads_give_a_score_or_a_sentence(trials):
    faults, kinds = [], []
    for index, upload in enumerate(mutants(NUMBER, SEED)):
        outcome = trials.try_upload(upload.name, upload.data, score=index % 4 == 0)
        kinds.append(outcome.kind)
        if outcome.fault:
            faults.append(f"{upload.origin}: {outcome.fault}")
    assert not faults
    # Mutations that nothing survives would test the first check alone.
    assert kinds.count("score") > NUMBER / 40
    assert kinds.count("photo") > NUMBER / 20
    assert kinds.count("refused") > NUMBER / 4


@pytest.mark.parametrize("name", bombs())
def test_a_small_file_of_150_megapixels_takes_neither_the_memory_nor_the_time(trials, name):
    outcome = trials.try_upload(name, bombs()[name](), score=True)
    assert outcome.fault is None, outcome.text


def test_a_mutated_upload_is_the_same_each_time():
    assert list(mutants(30, 7)) == list(mutants(30, 7))
    assert list(mutants(30, 7)) != list(mutants(30, 8))
