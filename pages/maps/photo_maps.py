"""The maps of a session and the checks of them: computed at once where that is quick, else behind a button."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from metaiqa_core.assess import Assessor
from metaiqa_core.durations import duration_in_words
from metaiqa_core.explain.alignment import to_photo_pixels
from metaiqa_core.explain.gradient_maps import GradientMap, gradient_map
from metaiqa_core.explain.methods import METHODS, Method
from metaiqa_core.progress import Progress, Work, finish
from pages.maps.chosen_photo import MapPhoto
from pages.shared import offered_work
from pages.shared.failures import explain
from pages.shared.plain import plain
from pages.shared.scoring import model_key

AT_ONCE_SECONDS = 1.0
"""What takes less is computed without being asked for."""
_KEPT = 24


@dataclass(eq=False)
class PhotoMaps:
    """All maps of one photo by one model.

    Attributes:
        photo: The photo.
        assessor: The model.
        maps: By method; a sentence where the method failed. The values are at the size of the photo's display copy.
        checks: By method and kind of check; a sentence where the check failed.
    """

    photo: MapPhoto
    assessor: Assessor
    maps: dict[str, GradientMap | str] = field(default_factory=dict)
    checks: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """What the maps are kept under: photo and model."""
        return self.photo.key, model_key(self.assessor)

    @property
    def score(self) -> float | None:
        """The photo's score, 0-100, as every map's network gave it; None where no method succeeded."""
        found = self.found(list(METHODS))
        return 100 * min(max(found[0].unit_score, 0.0), 1.0) if found else None

    def found(self, methods: Sequence[str]) -> list[GradientMap]:
        """Return the maps that are there, in the order of `methods`."""
        return [found for method in methods if isinstance(found := self.maps.get(method), GradientMap)]


def maps_of(photo: MapPhoto, assessor: Assessor) -> PhotoMaps:
    """Return what is known of a photo; the session keeps the photos looked at last."""
    kept: dict[tuple[str, str], PhotoMaps] = st.session_state.setdefault("photo_maps", {})
    maps = PhotoMaps(photo, assessor)
    maps = kept.pop(maps.key, maps)
    kept[maps.key] = maps  # the most recent one stands last
    while len(kept) > 1 and sum(len(each.maps) for each in kept.values()) > _KEPT:
        del kept[next(iter(kept))]
    return maps


def expected_seconds(method: Method, maps: PhotoMaps) -> float | None:
    """Return how long a method takes for a photo on this machine; None before anything was measured.

    It is what the method took the last time for as many pixels, or its cost in passes times the time of a pass.
    """
    pace = _pace()
    found = next((each for each in maps.maps.values() if isinstance(each, GradientMap)), None)
    if found is None:
        return None
    pixels = found.input_size[0] * found.input_size[1]
    model = maps.key[1]
    if (model, method.key) in pace:
        return pace[model, method.key] * pixels
    return method.cost * pace[model, ""] * pixels if (model, "") in pace else None


@st.cache_resource(show_spinner=False)
def _pace() -> dict[tuple[str, str], float]:
    """Seconds a pixel of the model's input, by model and method; of one pass under the method ''."""
    return {}


def compute_first(maps: PhotoMaps, wanted: str) -> None:
    """Compute one map that costs a single pass, so that a photo never stands without any.

    Args:
        maps: Of the photo.
        wanted: The method to take if it costs no more; else the first one that does.

    Raises:
        PhotoError: If the photo cannot be read.
    """
    quick = _single_pass()
    if not any(key in maps.maps for key in quick):
        _at_once(maps, [wanted if wanted in quick else quick[0]])


def compute(maps: PhotoMaps, methods: Sequence[str]) -> None:
    """Compute the quick ones among `methods`, and offer the others behind a button.

    Raises:
        PhotoError: If the photo cannot be read.
    """
    missing = [key for key in methods if key not in maps.maps]
    # A single pass cannot be cut into slices, whatever it takes.
    _at_once(maps, [key for key in missing if key in _single_pass() or _seconds(maps, key) < AT_ONCE_SECONDS])
    slow = [key for key in missing if key not in maps.maps]
    if not slow:
        offered_work.cancel("maps")
        return
    titles = ", ".join(METHODS[key].title for key in slow)
    label = f"Compute {titles} ({about(sum(_seconds(maps, key) for key in slow))})"
    offered_work.offer("maps", (maps.key, tuple(slow)), label, lambda: _one_by_one(maps, slow))


def _single_pass() -> list[str]:
    return [key for key, method in METHODS.items() if method.cost <= 1]


def about(seconds: float) -> str:
    """Return a duration in words that promise no more than is known.

    >>> about(0.4), about(12.3), about(200)
    ('under 1 second', 'about 12 seconds', 'about 3 minutes')
    """
    return "under 1 second" if seconds < 1 else f"about {duration_in_words(seconds)}"


def _seconds(maps: PhotoMaps, key: str) -> float:
    return expected_seconds(METHODS[key], maps) or METHODS[key].cost


def _at_once(maps: PhotoMaps, methods: Sequence[str]) -> None:
    if methods:
        with st.spinner("Computing the map …"):
            finish(_one_by_one(maps, methods))


def _one_by_one(maps: PhotoMaps, methods: Sequence[str]) -> Work[None]:
    """Compute maps and keep each; a method that fails leaves its reason, and the others go on."""
    assessor = maps.assessor
    shown = maps.photo.shown()
    photo = maps.photo.decoded(assessor.preprocessing.short_side)
    for key in methods:
        try:
            found = yield from _called(
                METHODS[key].title,
                gradient_map(assessor.network, photo, assessor.preprocessing, method=key, model=assessor.card.name),
            )
        except Exception as error:
            maps.maps[key] = explain(error)
            continue
        _note_pace(maps.key[1], found)
        # The photo's own size can be a hundred times the screen's; the map at the model's input says as much.
        size = (shown.pixels.shape[1], shown.pixels.shape[0])
        maps.maps[key] = replace(found, values=to_photo_pixels(found.model_map, shown), photo_size=size)


def _called(title: str, work: Work[GradientMap]) -> Work[GradientMap]:
    """Let work report under the title of its method."""
    try:
        while True:
            try:
                progress = next(work)
            except StopIteration as stop:
                return stop.value
            yield Progress(title, progress.step, progress.total)
    finally:
        work.close()


def _note_pace(model: str, found: GradientMap) -> None:
    seconds_a_pixel = found.seconds / (found.input_size[0] * found.input_size[1])
    _pace()[model, found.method] = seconds_a_pixel
    if found.method in _single_pass():
        _pace()[model, ""] = seconds_a_pixel


def show_failures(maps: PhotoMaps, methods: Sequence[str]) -> None:
    """Say which of `methods` failed, and why."""
    for key in methods:
        if isinstance(reason := maps.maps.get(key), str):
            st.error(plain(f"{METHODS[key].title}: {reason}"))


def check(
    maps: PhotoMaps, result: GradientMap, kind: str, label: str, start: Callable[[], Work[Any]], explanation: str
) -> Any:
    """Return a check of a map, or offer to make it.

    Args:
        maps: Where the check is kept.
        result: The map.
        kind: Of check.
        label: Of the button.
        start: Returns the work.
        explanation: What the check means; shown at the button.

    Returns:
        The check's result, the sentence of its failure, or None while there is none.
    """
    key = (result.method, kind)
    if key not in maps.checks:
        offered_work.offer(kind, (maps.key, key), label, lambda: _keep(maps, key, start), explanation=explanation)
    return maps.checks.get(key)


def _keep(maps: PhotoMaps, key: tuple[str, str], start: Callable[[], Work[Any]]) -> Work[None]:
    try:
        maps.checks[key] = yield from start()
    except Exception as error:
        maps.checks[key] = explain(error)
