"""The energy of a map: its definition, and the regions that hold most of it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

SMALLEST_EFFECT = 0.12
"""Share of a map's whole effect from which a worst square is more than the accident of a map that says nothing.

The best square of smoothed noise holds 5 to 8 % of the noise's energy on average, and held 10 % at most (160 maps of
noise, 512 x 512 and 768 x 512 pixels, as smooth as our maps, signed ones and magnitudes).
"""


@dataclass(frozen=True)
class Region:
    """A rectangle of whole pixels, rows `top` to `bottom` and columns `left` to `right`, the ends excluded.

    Attributes:
        top: First row.
        left: First column.
        bottom: Row after the last.
        right: Column after the last.
        share: Share of the map's energy inside, in [0, 1]; 0 where there is no map.
    """

    top: int
    left: int
    bottom: int
    right: int
    share: float = 0.0

    @property
    def area(self) -> int:
        """Number of pixels."""
        return (self.bottom - self.top) * (self.right - self.left)


def harm_energy(values: NDArray[np.floating], *, signed: bool) -> NDArray[np.float64]:
    """Return the harm of each pixel to the score, (H, W), never negative: the square of the harmful values.

    Squared like any signal's energy: the strongest places, which an overlay shows most, count most.

    Args:
        values: Values of a map, (H, W).
        signed: Whether the sign tells harm from help (`MapMethod.signed`); then only negative values count, otherwise
            all.
    """
    wide = np.asarray(values, dtype=np.float64)
    return np.square(np.minimum(wide, 0) if signed else wide)


def worst_regions(
    values: NDArray[np.floating], *, count: int = 3, side_share: float = 0.2, signed: bool = True
) -> tuple[Region, ...]:
    """Return the squares with most of the harmful energy, the worst first; none overlaps another.

    Args:
        values: Values of a map, (H, W).
        count: Largest number of regions; fewer are returned where the photo has no room or the map no energy left.
        side_share: Side of a square as a share of the photo's short side, in (0, 1].
        signed: Whether the sign tells harm from help (`MapMethod.signed`); then only negative values count, otherwise
            all.

    Returns:
        The regions, each with its share of the map's energy.
    """
    if not 0 < side_share <= 1:
        raise ValueError(f"side_share must be in (0, 1], got {side_share!r}")
    energy = harm_energy(values, signed=signed)
    height, width = energy.shape
    side = max(1, round(side_share * min(height, width)))
    summed = np.pad(energy, ((1, 0), (1, 0))).cumsum(0).cumsum(1)  # (H + 1, W + 1): any box is four look-ups
    boxes = summed[side:, side:] - summed[:-side, side:] - summed[side:, :-side] + summed[:-side, :-side]
    total = float(summed[-1, -1])
    found: list[Region] = []
    while len(found) < count and total > 0:
        top, left = (int(index) for index in np.unravel_index(np.argmax(boxes), boxes.shape))
        share = float(boxes[top, left]) / total
        if share <= 1e-9:  # what the running sums leave of nothing, or no room left
            break
        found.append(Region(top, left, top + side, left + side, min(share, 1.0)))
        boxes[max(top - side + 1, 0) : top + side, max(left - side + 1, 0) : left + side] = -1
    return tuple(found)


def regions_that_matter(values: NDArray[np.floating], *, signed: bool) -> tuple[Region, ...]:
    """Return those of the three worst squares that hold at least `SMALLEST_EFFECT` of the map's whole effect.

    The whole effect is the energy of all values, of those that hurt and those that help: in a photo in which nearly
    everything helps, nothing hurts enough to be shown as the worst.

    Args:
        values: Values of a map, (H, W).
        signed: Whether the sign tells harm from help (`MapMethod.signed`); then only negative values count as harm.

    Returns:
        The regions, the worst first, each with its share of the whole effect.
    """
    harm, effect = (float(harm_energy(values, signed=kind).sum()) for kind in (signed, False))
    if effect == 0:
        return ()
    regions = (replace(region, share=region.share * harm / effect) for region in worst_regions(values, signed=signed))
    return tuple(region for region in regions if region.share >= SMALLEST_EFFECT)


def energy_ratio(values: NDArray[np.floating], region: Region, *, signed: bool) -> float:
    """Return a region's share of the map's energy against its share of the area: 1 is chance, 0 where nothing hurts.

    Args:
        values: Values of a map, (H, W).
        region: Part of the map.
        signed: Whether the sign tells harm from help (`MapMethod.signed`); then only negative values count, otherwise
            all.
    """
    energy = harm_energy(values, signed=signed)
    total = float(energy.sum())
    inside = float(energy[region.top : region.bottom, region.left : region.right].sum())
    return inside / total * energy.size / region.area if total > 0 else 0.0
