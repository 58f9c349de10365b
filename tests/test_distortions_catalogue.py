"""The catalogue: complete, published parameters, forgiving lookup, helpful refusals."""

import csv
import io

import pytest

from metaiqa_core.distortions import CATALOGUE, FAMILIES, KADID10K, TID2013, find_distortion
from metaiqa_core.errors import DistortionError

# The level parameters of KADID-10k's published generator, by type id.
KADID_LEVELS = """
1,0.1,0.5,1,2,5
2,1,2,4,6,8
3,1,2,4,6,10
4,1,3,6,8,12
5,1,3,6,8,12
6,64,48,32,16,8
7,0.4,0.2,0.1,0,-0.4
8,1,2,3,6,9
9,16,32,45,120,400
10,43,36,24,7,4
11,0.001,0.002,0.003,0.005,0.01
12,0.0001,0.0005,0.001,0.002,0.003
13,0.001,0.005,0.01,0.02,0.03
14,0.001,0.005,0.01,0.02,0.05
15,0.01,0.03,0.05,0.1,0.15
16,0.1,0.2,0.4,0.7,1.1
17,0.05,0.1,0.2,0.4,0.8
18,0.15,0.08,0,-0.08,-0.15
19,0.05,0.1,0.2,0.5,1
20,20,40,60,80,100
21,0.01,0.05,0.1,0.2,0.5
22,20,16,13,10,7
23,2,4,6,8,10
24,1,2,3,6,12
25,0.3,0.15,0,-0.4,-0.6
"""


def test_both_databases_are_complete_and_in_order():
    assert [entry.id for entry in KADID10K] == list(range(1, 26))
    assert [entry.id for entry in TID2013] == list(range(1, 25))
    assert CATALOGUE == KADID10K + TID2013


def test_kadid_levels_are_the_published_ones():
    published = {int(row[0]): tuple(map(float, row[1:])) for row in csv.reader(io.StringIO(KADID_LEVELS.strip()))}
    assert {entry.id: tuple(map(float, entry.parameters)) for entry in KADID10K} == published


def test_psnr_levels_are_33_30_27_24_21_db():
    psnr_types = [entry for entry in TID2013 if entry.level_rule == "psnr"]
    assert len(psnr_types) == 17
    assert {entry.parameters for entry in psnr_types} == {(33, 30, 27, 24, 21)}
    assert {entry.level_rule for entry in KADID10K} == {"fixed"}


def test_keys_and_names_are_unique_within_a_database():
    for types in (KADID10K, TID2013):
        for attribute in ("key", "abbreviation", "name", "id"):
            assert len({getattr(entry, attribute) for entry in types}) == len(types)


def test_every_entry_says_what_it_looks_like_and_belongs_to_a_family():
    for entry in CATALOGUE:
        assert entry.description.endswith(".")
        assert entry.parameter_name
        assert entry.family in FAMILIES
    assert set(FAMILIES) == {
        *("blur", "colour", "compression", "noise", "brightness", "spatial", "sharpness", "transmission")
    }


def test_only_types_whose_levels_alternate_or_pass_through_zero_are_not_monotone():
    exceptions = {entry.key for entry in CATALOGUE if not entry.monotone}
    assert exceptions == {"kadid10k:MS", "kadid10k:CC", "tid2013:Block", "tid2013:CTC"}


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.key)
def test_every_type_is_found_by_abbreviation_id_and_name_in_any_case(entry):
    for name in (entry.abbreviation, entry.id, f"{entry.id:02d}", entry.name):
        for spelling in (f"{entry.database}:{name}", f" {entry.database}:{name} ".upper()):
            assert find_distortion(spelling) is entry


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("GB", "kadid10k:GB or tid2013:GB"),
        ("gaussian blur", "kadid10k:GB or tid2013:GB"),
        ("kadid10k:Jiter", "kadid10k:Jitter"),
        ("kadid:GB", "kadid10k:GB or tid2013:GB"),
        ("tid2013:JPG", "tid2013:JPEG"),
    ],
)
def test_a_near_miss_is_refused_with_the_nearest_names(text, near):
    with pytest.raises(DistortionError) as refusal:
        find_distortion(text)
    start = f"Expected a distortion such as kadid10k:GB or tid2013:11, got {text!r}; did you mean {near}"
    assert str(refusal.value).startswith(start)


@pytest.mark.parametrize("text", ["xyzzy!", "", "kadid10k:26", "kadid10k:0"])
def test_what_is_near_to_nothing_is_refused_with_an_example(text):
    with pytest.raises(DistortionError) as refusal:
        find_distortion(text)
    assert str(refusal.value) == (
        f"Expected a distortion such as kadid10k:GB or tid2013:11, got {text!r}; choose one of the catalogue."
    )


def test_an_entry_cannot_be_changed():
    with pytest.raises(AttributeError, match="cannot assign to field 'id'"):
        CATALOGUE[0].id = 2
