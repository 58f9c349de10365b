"""Where each room stands: its floor from the imports, its place on the floor so that few arrows cross.

The method is Sugiyama's: floors by the longest way down, an order by the mean of the neighbours' places, and distances
by isotonic regression. An arrow that passes a floor has a narrow passage there, as if it were a room.

Source: K. Sugiyama, S. Tagawa, M. Toda: Methods for visual understanding of hierarchical system structures, 1981.
"""

from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

import numpy as np
from scipy.optimize import isotonic_regression

from docs.house_map.rooms import Room

PASSAGE = 16.0
GAP = 26.0
_ENTRANCES = ("cli", "__main__")
_SWEEPS = 40


@dataclass(frozen=True)
class House:
    """The arranged rooms.

    Attributes:
        rooms: Every room by name.
        floors: Floor of each room; 0 is the ground, whose rooms import nothing.
        centres: Middle of each room from left to right, in pixels.
        arrows: The way of each arrow, by the rooms that it joins: where it is on every floor that it touches, in pixels
            from left to right, from the upper room to the lower one.
    """

    rooms: dict[str, Room]
    floors: dict[str, int]
    centres: dict[str, float]
    arrows: dict[tuple[str, str], list[float]]


def room_width(room: Room) -> float:
    """Return the width of a room, in pixels: its name and size in one line, its files as bars of 6 pixels."""
    return max(9.3 * len(shown_name(room)) + 7.0 * len(size_in_words(room)) + 20, 6.0 * len(room.lines)) + 24


def shown_name(room: Room) -> str:
    """Return a room's name as it is written in it: `training/` for a folder, `tasks.py` for a file."""
    return room.name + ("/" if room.is_folder else ".py")


def size_in_words(room: Room) -> str:
    """Return how many files and lines a room has; of a single file, its lines."""
    lines = f"{sum(room.lines):,}"
    return f"{len(room.lines)} · {lines}" if len(room.lines) > 1 else lines


def floors_of(rooms: dict[str, Room]) -> dict[str, int]:
    """Return the floor of each room: one above the highest that it imports; the interface stands on the whole core.

    Raises:
        ValueError: If rooms import each other in a circle.
    """
    core = {name for name, room in rooms.items() if not room.is_interface and name not in _ENTRANCES}
    below = {name: room.imports | (core if room.is_interface else set()) for name, room in rooms.items()}
    floors: dict[str, int] = {}
    try:
        for name in TopologicalSorter(below).static_order():
            floors[name] = 1 + max((floors[other] for other in below[name]), default=-1)
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ValueError(f"Rooms have no floors while they import each other in a circle: {circle}.") from None
    return floors


def arrows_of(rooms: dict[str, Room], floors: dict[str, int]) -> list[tuple[str, str]]:
    """Return the arrows to draw: not those to the ground, nor those that follow from the others."""

    @cache
    def reached(name: str) -> frozenset[str]:
        return rooms[name].imports.union(*(reached(below) for below in rooms[name].imports))

    return [
        (name, below)
        for name, room in rooms.items()
        for below in sorted(room.imports)
        if floors[below] and not any(below in reached(other) for other in room.imports - {below})
    ]


def arrange(rooms: dict[str, Room]) -> House:
    """Return the house with every room in its place."""
    floors = floors_of(rooms)
    arrows = arrows_of(rooms, floors)
    plan = [[name for name in rooms if floors[name] == floor] for floor in range(max(floors.values()) + 1)]
    width = {name: room_width(room) for name, room in rooms.items()}
    ways = {}
    for above, below in arrows:
        passages = [f"{above} > {below} on {floor}" for floor in range(floors[above] - 1, floors[below], -1)]
        for floor, passage in zip(range(floors[above] - 1, floors[below], -1), passages, strict=True):
            plan[floor].append(passage)
            width[passage] = PASSAGE
        ways[above, below] = [above, *passages, below]
    neighbours: dict[str, list[str]] = {name: [] for floor in plan for name in floor}
    for way in ways.values():
        for above, below in pairwise(way):
            neighbours[above].append(below)
            neighbours[below].append(above)
    centres = _places(_fewest_crossings(plan, neighbours), neighbours, width)
    return House(rooms, floors, centres, {ends: [centres[name] for name in way] for ends, way in ways.items()})


def _fewest_crossings(plan: list[list[str]], neighbours: dict[str, list[str]]) -> list[list[str]]:
    plan, best, fewest = [list(floor) for floor in plan], plan, _crossings(plan, neighbours)
    for sweep in range(_SWEEPS):
        order = range(1, len(plan)) if sweep % 2 else range(len(plan) - 2, -1, -1)
        for floor in order:
            beside = plan[floor - 1] if sweep % 2 else plan[floor + 1]
            place = {name: index for index, name in enumerate(beside)}
            own = {name: index for index, name in enumerate(plan[floor])}

            def mean(name: str, place: dict[str, int] = place, own: dict[str, int] = own) -> float:
                near = [place[other] / len(place) for other in neighbours[name] if other in place]
                return sum(near) / len(near) if near else own[name] / len(own)

            plan[floor].sort(key=mean)
        crossings = _crossings(plan, neighbours)
        if crossings < fewest:
            best, fewest = [list(floor) for floor in plan], crossings
    return best


def _crossings(plan: list[list[str]], neighbours: dict[str, list[str]]) -> int:
    count = 0
    for lower, upper in pairwise(plan):
        place = {name: index for index, name in enumerate(lower)}
        ends = [(i, place[other]) for i, name in enumerate(upper) for other in neighbours[name] if other in place]
        count += sum(a < c and b > d for a, b in ends for c, d in ends)
    return count


def _places(plan: list[list[str]], neighbours: dict[str, list[str]], width: dict[str, float]) -> dict[str, float]:
    offsets = []
    for floor in plan:
        distances = [(width[a] + width[b]) / 2 + GAP for a, b in pairwise(floor)]
        offsets.append(np.concatenate([[0.0], np.cumsum(distances)]))
    centres = {
        name: float(place - offset[-1] / 2)
        for floor, offset in zip(plan, offsets, strict=True)
        for name, place in zip(floor, offset, strict=True)
    }
    for _ in range(_SWEEPS):
        for floor, offset in zip(plan, offsets, strict=True):
            wished = [_mean([centres[other] for other in neighbours[name]], centres[name]) for name in floor]
            places = isotonic_regression(np.array(wished) - offset).x + offset
            centres.update(zip(floor, map(float, places), strict=True))
    return _upright(plan, centres)


def _upright(plan: list[list[str]], centres: dict[str, float]) -> dict[str, float]:
    """Return the places with every floor nearer to the middle, neighbouring floors by about as much."""
    middles = np.array([(centres[floor[0]] + centres[floor[-1]]) / 2 for floor in plan])
    shifts = np.convolve(np.pad(middles, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    shifts[0] = middles[0]  # no arrow leads to the ground
    return {name: centres[name] - float(shift) for floor, shift in zip(plan, shifts, strict=True) for name in floor}


def _mean(values: list[float], otherwise: float) -> float:
    # The middle of the house is 0: a little towards it keeps the house narrow.
    return 0.9 * (sum(values) / len(values) if values else otherwise)
