"""Four damaged photos as in the paper's Figure 3, made at run time of bundled samples; none is an authentic photo."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from metaiqa_core.distortions import distort
from metaiqa_core.explain.damage import DAMAGES
from metaiqa_core.images import png
from pages.shared import previews, samples


@dataclass(frozen=True)
class Example:
    """A sample photo with one damage.

    Attributes:
        title: Name of the damage in Figure 3.
        sample: Name of the bundled photo.
        made_by: Description of the damage, to follow "Made from sample X by".
        damage: Pixels (H, W, 3), uint8, to pixels of the same shape.
    """

    title: str
    sample: str
    made_by: str
    damage: Callable[[np.ndarray], np.ndarray]

    @property
    def origin(self) -> str:
        """Origin of the photo, one sentence."""
        return f"Made from sample {self.sample} by {self.made_by}; not an authentic photo."


EXAMPLES: dict[str, Example] = {
    example.title: example
    for example in (
        Example(
            "Overexposure",
            "motorcycle.png",
            "2.5 stops more light (linear light times 5.7, clipped at white)",
            lambda pixels: DAMAGES["overexposure"].apply(pixels, 0),
        ),
        Example(
            "Underexposure",
            "astronaut.png",
            "2.5 stops less light (linear light divided by 5.7)",
            lambda pixels: DAMAGES["underexposure"].apply(pixels, 0),
        ),
        Example(
            "Motion blur",
            "coffee.png",
            "KADID-10k's motion blur at level 5 (10 pixels long)",
            lambda pixels: distort(pixels, "kadid10k:MB", 5),
        ),
        Example(
            "Noise",
            "cat.png",
            "KADID-10k's white noise at level 5 (standard deviation 0.1)",
            lambda pixels: distort(pixels, "kadid10k:WN", 5),
        ),
    )
}
"""Examples by title, in the order of Figure 3."""


@st.cache_data(max_entries=len(EXAMPLES), show_spinner="Damaging a sample photo …")
def content(title: str) -> bytes:
    """Return an example as PNG; equal titles give equal bytes."""
    example = EXAMPLES[title]
    pixels = np.asarray(previews.opened(samples.content(example.sample)))
    return png(example.damage(pixels))
