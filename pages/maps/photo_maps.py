"""The maps of a photo, and the checks of them, as the session keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from metaiqa_core.assess import Assessor
from metaiqa_core.assessment import Assessment
from metaiqa_core.explain.gradient_maps import GradientMap
from pages.maps.chosen_photo import MapPhoto
from pages.shared.session_scores import ScoringResult, examine, model_key, scores_of_session


@dataclass(eq=False)
class PhotoMaps:
    """All maps of one photo by one model.

    Attributes:
        photo: Photo that is explained.
        assessor: Model that is explained.
        maps: Map of each method, or the reason of its failure.
        checks: Result of each check by method and kind, or the reason of its failure.
    """

    photo: MapPhoto
    assessor: Assessor
    maps: dict[str, GradientMap | str] = field(default_factory=dict)
    checks: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """Keys of the photo and the model."""
        return self.photo.key, model_key(self.assessor)

    @property
    def assessment(self) -> Assessment | None:
        """The photo's assessment, the very one that the page Score photos shows; None where there is none."""
        photo = self.photo.session_photo
        result = scores_of_session().of(photo, self.assessor) if photo else _examine_example(*self.key, self)
        return result.assessment

    def found(self, methods: Sequence[str]) -> list[GradientMap]:
        """Return the maps that are there, in the order of `methods`."""
        return [found for method in methods if isinstance(found := self.maps.get(method), GradientMap)]

    def on_screen(self, result: GradientMap) -> np.ndarray:
        """Return a map's values at the size of the photo's copy on the screen, (height, width), float32.

        The photo itself can have a hundred times the pixels; the map at the model's input holds as much information.
        """
        return result.at(self.photo.shown())


def maps_of(photo: MapPhoto, assessor: Assessor) -> PhotoMaps:
    """Return the maps of a photo that the session keeps."""
    return _maps_of(photo.key, model_key(assessor), photo, assessor)


@st.cache_resource(scope="session", max_entries=8, show_spinner=False)
def _maps_of(photo: str, model: str, _photo: MapPhoto, _assessor: Assessor) -> PhotoMaps:
    return PhotoMaps(_photo, _assessor)


@st.cache_resource(max_entries=16, show_spinner=False)
def _examine_example(photo: str, model: str, _maps: PhotoMaps) -> ScoringResult:
    return examine(_maps.photo.name, _maps.photo.content(), _maps.assessor)
