"""Gradient maps: the parts of a photo that its score comes from (Section 4.5, Figure 3)."""

import dataclasses
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from metaiqa_core.errors import ExplanationError
from metaiqa_core.explain.alignment import to_photo_pixels
from metaiqa_core.explain.attribution import ATTRIBUTIONS, Attribution, AttributionRequest
from metaiqa_core.explain.methods import find_method
from metaiqa_core.explain.replica import replica
from metaiqa_core.explain.settings import MapSettings
from metaiqa_core.images import Photo
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work


@dataclass(frozen=True, eq=False)
class GradientMap:
    """One method's map of one photo for one model, at the size of the model's input.

    Values below 0 lower the score (hurt), values above 0 raise it (help), summed over the colours. For methods that are
    not `signed`, read the magnitude; where they are smoothed (the default), it is the local magnitude, never negative.

    Attributes:
        model_map: Values, shape (h, w), float32.
        method: Key of the method in `METHODS`.
        model: Name of the model.
        preprocessing: Fields of the `Preprocessing` that made the photo the model's input.
        input_size: (width, height) of the model's input, pixels.
        photo_size: Upright (width, height) of the photo at full size, pixels.
        unit_score: Score of the photo by the model, about [0, 1].
        seconds: Time that the map took, seconds.
        settings: Fields of the `MapSettings`, and the seed.
        completeness_gap: Share of the score difference that the values miss, 0 or more; None where a method promises
            no sum.
    """

    model_map: NDArray[np.float32]
    method: str
    model: str
    preprocessing: dict[str, Any]
    input_size: tuple[int, int]
    photo_size: tuple[int, int]
    unit_score: float
    seconds: float
    settings: dict[str, Any]
    completeness_gap: float | None

    def at(self, photo: Photo) -> NDArray[np.float32]:
        """Interpolate the map to the pixels of its photo.

        Args:
            photo: Photo that was explained, decoded at any size.

        Returns:
            Values, shape (H, W) of `photo.pixels`, float32.
        """
        return to_photo_pixels(self.model_map, photo)


def gradient_map(
    network: nn.Module,
    photo: Photo,
    preprocessing: Preprocessing,
    *,
    method: str = "saliency",
    model: str = "",
    settings: MapSettings | None = None,
    seed: int = 0,
) -> Work[GradientMap]:
    """Compute where in a photo its score comes from.

    The network is left as it is (modes, hooks, gradients) whatever happens, and may be used by other threads meanwhile:
    the work is done on a private twin that shares its weights. The map is computed at the model's own resolution, so
    that large photos cost no more memory than small ones.

    Args:
        network: Network from photos (B, 3, H, W), RGB in [0, 1], to scores (B,), higher is better.
        photo: Decoded photo.
        preprocessing: Preprocessing of the network.
        method: Key of the method in `METHODS`.
        model: Name of the model, kept with the map.
        settings: Settings of the methods; None: the defaults.
        seed: Seed of the noise that SmoothGrad adds, 0 or more.

    Returns:
        The map; before it a `Progress` for each step. Equal arguments give equal maps.

    Raises:
        ExplanationError: If there is no such method, the network does not suit it, or the values are not finite.
    """
    known = find_method(method)
    settings = settings or MapSettings()
    smoothing = known.smoothing if settings.smoothing is None else settings.smoothing
    start = time.perf_counter()
    images = model_input(network, photo, preprocessing)
    attribution = yield from ATTRIBUTIONS[method](AttributionRequest(replica(network), images, settings, seed))
    model_map = _smoothed(_summed(attribution, method), smoothing, signed=known.signed)
    return GradientMap(
        model_map=model_map,
        method=method,
        model=model,
        preprocessing=preprocessing.to_dict(),
        input_size=(images.shape[3], images.shape[2]),
        photo_size=photo.full_size,
        unit_score=attribution.unit_score,
        seconds=time.perf_counter() - start,
        settings={**dataclasses.asdict(settings), "smoothing": smoothing, "seed": seed},
        completeness_gap=attribution.completeness_gap,
    )


def model_input(network: nn.Module, photo: Photo, preprocessing: Preprocessing) -> Tensor:
    """Return the network's input for a photo, (1, 3, h, w) in [0, 1], on its device and in its precision."""
    weight = next(network.parameters(), None)
    images = preprocessing(photo)
    return images if weight is None else images.to(weight.device, weight.dtype)


def _smoothed(values: NDArray[np.float32], smoothing: float, *, signed: bool) -> NDArray[np.float32]:
    """Spread values over their neighbourhood; reflected at the edges, so that a signed map keeps its sum.

    Where signs mean nothing, the smoothed map is the local magnitude: the root of the mean square, around a pixel, of
    what is left when pixel noise has cancelled out. The magnitude of a smoothed map would vanish along every line
    where its sign happens to change.
    """
    sigma = smoothing * min(values.shape)
    if sigma == 0:
        return values
    calm = gaussian_filter(values, sigma)
    return calm if signed else np.sqrt(gaussian_filter(np.square(calm), sigma))


def _summed(attribution: Attribution, method: str) -> NDArray[np.float32]:
    values = attribution.values.sum(1)[0].float().cpu().numpy()
    if not np.isfinite(values).all():
        raise ExplanationError(
            f"The map of {method} holds values that are not finite: the network's weights are damaged, or its numbers "
            "grow beyond what this method can follow. Try saliency."
        )
    return np.ascontiguousarray(values, dtype=np.float32)
