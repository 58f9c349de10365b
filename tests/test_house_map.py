"""The map of the house (docs/house.svg): its rooms, floors and arrows are those of the code as it stands."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from docs.house_map.arrangement import arrange, arrows_of, floors_of, room_width
from docs.house_map.drawing import PICTURE, draw
from docs.house_map.rooms import Room, read_rooms

SVG = "{http://www.w3.org/2000/svg}"
REMEDY = "draw it anew: python -m docs.house_map"


@pytest.fixture(scope="module")
def rooms():
    return read_rooms()


@pytest.fixture(scope="module")
def picture():
    return ElementTree.parse(PICTURE).getroot()


def rooms_in(picture):
    return {
        group.get("data-room"): (int(group.get("data-floor")), frozenset(group.get("data-imports").split()))
        for group in picture.iter(f"{SVG}g")
    }


def arrows_in(picture):
    return {
        (path.get("data-from"), path.get("data-to")) for path in picture.iter(f"{SVG}path") if path.get("data-from")
    }


def test_the_picture_shows_the_rooms_of_the_code_with_their_floors_and_imports(rooms, picture):
    floors = floors_of(rooms)
    assert rooms_in(picture) == {name: (floors[name], room.imports) for name, room in rooms.items()}, REMEDY


def test_the_picture_shows_the_arrows_of_the_code(rooms, picture):
    assert arrows_in(picture) == set(arrows_of(rooms, floors_of(rooms))), REMEDY


def test_every_arrow_points_down_and_those_left_out_follow_from_the_others(rooms):
    floors = floors_of(rooms)
    shown = set(arrows_of(rooms, floors))
    assert all(floors[above] > floors[below] for above, below in shown)

    def leads_to(above, below):
        return (above, below) in shown or any(leads_to(on, below) for start, on in shown if start == above)

    for name, room in rooms.items():
        for below in room.imports:
            assert floors[below] == 0 or leads_to(name, below), f"{name} imports {below}"


def test_a_small_house_is_read_from_its_files(tmp_path):
    files = {
        "app.py": "from pages.shared import frame\n",
        "pages/first.py": "import metaiqa_core.science.law\n",
        "pages/shared/frame.py": "\n\n",
        "metaiqa_core/__init__.py": "from metaiqa_core import science\n",
        "metaiqa_core/errors.py": "x = 1\n",
        "metaiqa_core/science/__init__.py": "",
        "metaiqa_core/science/law.py": "import numpy\ndef late():\n    from metaiqa_core.errors import x\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    rooms = read_rooms(tmp_path)
    assert {name: set(room.imports) for name, room in rooms.items()} == {
        **{"app": {"pages", "pages/shared"}, "errors": set(), "pages": {"science"}},
        **{"pages/shared": set(), "science": {"errors"}},
    }
    assert rooms["science"].lines == (3, 0)
    assert floors_of(rooms) == {"errors": 0, "science": 1, "pages": 2, "pages/shared": 2, "app": 3}


def test_rooms_that_import_each_other_are_named():
    ends = {"one": {"two"}, "two": {"one"}}
    rooms = {name: Room(name, (1,), frozenset(imports), is_folder=True) for name, imports in ends.items()}
    with pytest.raises(ValueError, match=r"each other in a circle: (one -> two -> one|two -> one -> two)\.$"):
        floors_of(rooms)


def test_rooms_of_a_floor_stand_apart(rooms):
    house = arrange(rooms)
    for floor in set(house.floors.values()):
        names = sorted((name for name in rooms if house.floors[name] == floor), key=house.centres.get)
        for left, right in pairwise(names):
            room_between = house.centres[right] - house.centres[left]
            assert room_between > (room_width(rooms[left]) + room_width(rooms[right])) / 2


def test_the_same_code_gives_the_same_picture_and_its_words_are_on_it(rooms):
    drawn = draw(arrange(rooms))
    assert drawn == draw(arrange(read_rooms()))
    assert set(re.findall(r'class="name"[^>]*>([^<]*)/<', drawn)) == {n for n, room in rooms.items() if room.is_folder}
