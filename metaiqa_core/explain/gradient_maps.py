"""Gradient maps: which parts of a photo its score comes from (Section 4.5, Figure 3)."""

import dataclasses
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn
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
    """One method's map of one photo, for one model.

    Attributes:
        values: (H, W), float32, at the size of the photo's pixels; negative lowers the score (hurts), positive raises
            it (helps), summed over the colours. For methods that are not `signed`, read the magnitude; where they
            are smoothed (the default), it is the local magnitude, never negative.
        model_map: (h, w), float32, the same at the model's input.
        method: Key of the method.
        model: Name of the model.
        preprocessing: How the photo became the input.
        input_size: (width, height) of the input, pixels.
        photo_size: (width, height) of the photo's pixels.
        unit_score: The model's score of the photo, about [0, 1].
        seconds: What the map took.
        settings: How the method was run, seed included.
        completeness_gap: Share of the score difference that the values miss; None where a method promises no sum.
    """

    values: NDArray[np.float32]
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
        network: Maps photos (B, 3, H, W), RGB in [0, 1], to scores (B,), higher is better.
        photo: As `decode` returns it.
        preprocessing: The network's own.
        method: A key of `METHODS`.
        model: Name for the result.
        settings: How to run the slower methods.
        seed: Of the noise that SmoothGrad adds.

    Returns:
        The map; before it a `Progress` for each step. Equal arguments give equal maps.

    Raises:
        ExplanationError: If there is no such method, the network does not suit it, or the values are not finite.
    """
    signed = find_method(method).signed
    settings = settings or MapSettings()
    start = time.perf_counter()
    images = model_input(network, photo, preprocessing)
    attribution = yield from ATTRIBUTIONS[method](AttributionRequest(replica(network), images, settings, seed))
    model_map = _smoothed(_summed(attribution, method), settings.smoothing, signed=signed)
    height, width = photo.pixels.shape[:2]
    return GradientMap(
        values=to_photo_pixels(model_map, photo),
        model_map=model_map,
        method=method,
        model=model,
        preprocessing=preprocessing.to_dict(),
        input_size=(images.shape[3], images.shape[2]),
        photo_size=(width, height),
        unit_score=attribution.unit_score,
        seconds=time.perf_counter() - start,
        settings={**dataclasses.asdict(settings), "seed": seed},
        completeness_gap=attribution.completeness_gap,
    )


def model_input(network: nn.Module, photo: Photo, preprocessing: Preprocessing) -> Tensor:
    """Return what the network sees of a photo, (1, 3, h, w) in [0, 1], on its device and in its precision."""
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
    calm = _gaussian(values, sigma)
    return calm if signed else np.sqrt(_gaussian(np.square(calm), sigma).clip(min=0))


def _gaussian(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Convolve with a Gaussian; the cosine transform reflects at the edges, and takes no longer for a wide one."""
    spectrum = dctn(values)
    for length, shape in zip(values.shape, ((-1, 1), (1, -1)), strict=True):
        frequency = np.pi * np.arange(length, dtype=np.float32) / length
        spectrum *= np.exp(-0.5 * np.square(sigma * frequency)).reshape(shape)
    return idctn(spectrum)


def _summed(attribution: Attribution, method: str) -> NDArray[np.float32]:
    values = attribution.values.sum(1)[0].float().cpu().numpy()
    if not np.isfinite(values).all():
        raise ExplanationError(
            f"The map of {method} holds values that are not finite: the network's weights are damaged, or its numbers "
            "grow beyond what this method can follow. Try saliency."
        )
    return np.ascontiguousarray(values, dtype=np.float32)
