"""Evidence for or against one map: whether covering what it marks moves the score, and whether the weights matter."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata
from torch import nn

from metaiqa_core.explain.attribution import baseline_of
from metaiqa_core.explain.gradient_maps import GradientMap, gradient_map, model_input
from metaiqa_core.explain.passes import Passes
from metaiqa_core.explain.replica import replica
from metaiqa_core.explain.settings import MapSettings
from metaiqa_core.images import Photo
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Progress, Work, passed_on

UnitScore = Callable[[NDArray[np.uint8]], float]
_ALIKE = 0.5


@dataclass(frozen=True)
class Curve:
    """The scores while a growing share of the pixels is replaced.

    Attributes:
        scores: Unit scores, one for each of `DeletionInsertion.shares`.
        area: Mean distance from the photo's score over the curve, in [0, 1] of the whole way (deletion), or mean
            distance from the blurred photo's score (insertion); larger: the first pixels matter more.
    """

    scores: tuple[float, ...]
    area: float


@dataclass(frozen=True)
class DeletionInsertion:
    """A map's curves against those of random maps that are as smooth.

    Deletion replaces pixels of the photo by the blurred photo, those with the largest magnitude first; insertion puts
    them back into the blurred photo. For a quality score neither end is "nothing": blurring itself lowers the quality,
    and covering damage may raise it. So not the direction counts but the distance |score - score at the start|, as a
    share of the distance between photo and blurred photo: a map that knows what the score rests on moves it early.

    Attributes:
        shares: Shares of the pixels replaced, from 0 to 1.
        deletion: The map's curve from the photo to the blurred photo.
        insertion: The map's curve back.
        random_deletion_curves: Deletion curves of the random maps.
        random_insertion_curves: Insertion curves of the random maps.
    """

    shares: tuple[float, ...]
    deletion: Curve
    insertion: Curve
    random_deletion_curves: tuple[Curve, ...]
    random_insertion_curves: tuple[Curve, ...]

    @property
    def random_deletion(self) -> tuple[float, ...]:
        """Area of each random map's deletion curve."""
        return tuple(curve.area for curve in self.random_deletion_curves)

    @property
    def random_insertion(self) -> tuple[float, ...]:
        """Area of each random map's insertion curve."""
        return tuple(curve.area for curve in self.random_insertion_curves)

    @property
    def deletion_gain(self) -> float:
        """Area of the deletion curve over the mean of the random maps; 1 is chance, more is better."""
        return self.deletion.area / max(float(np.mean(self.random_deletion)), 1e-9)

    @property
    def insertion_gain(self) -> float:
        """Area of the insertion curve over the mean of the random maps; 1 is chance, more is better."""
        return self.insertion.area / max(float(np.mean(self.random_insertion)), 1e-9)

    @property
    def beats_random(self) -> bool:
        """Whether the map moves the score earlier than every random map, both ways."""
        return self.deletion.area > max(self.random_deletion) and self.insertion.area > max(self.random_insertion)


@dataclass(frozen=True)
class RandomisationCheck:
    """Resemblance of the map to the same method's map of the network with random weights.

    Attributes:
        head: Spearman's rank correlation of magnitudes with the head's linear layers randomised.
        backbone: The same correlation with all weights randomised.
    """

    head: float
    backbone: float

    @property
    def looks_at_model(self) -> bool:
        """Whether the map changes when the weights do: correlation below 0.5 with all weights random."""
        return self.backbone < _ALIKE


def deletion_insertion(
    network: nn.Module,
    photo: Photo,
    preprocessing: Preprocessing,
    result: GradientMap,
    *,
    steps: int = 10,
    random_maps: int = 5,
    seed: int = 0,
    unit_score: UnitScore | None = None,
) -> Work[DeletionInsertion]:
    """Measure how early a map moves the score, against random maps.

    Args:
        network: Network that `result` explains.
        photo: Photo that `result` explains.
        preprocessing: Preprocessing of the network.
        result: Map to judge.
        steps: Number of points on a curve after its start, at least 2.
        random_maps: Number of maps of smoothed noise to compare with, at least 1.
        seed: Seed of the noise, 0 or more.
        unit_score: Function from the model's input, (H, W, 3) uint8, to its unit score, such as an engine's, which is
            faster; None: torch runs the network.

    Source:
        Petsiuk et al., "RISE: Randomized Input Sampling for Explanation of Black-box Models", BMVC 2018.
    """
    if steps < 2 or random_maps < 1:
        raise ValueError(f"steps must be at least 2 and random_maps at least 1, got {steps} and {random_maps}")
    score = _score_of_mixtures(network, photo, preprocessing, unit_score)
    generator = np.random.default_rng(seed)
    importance = np.abs(result.model_map)
    smoothness = 0.02 * min(importance.shape)
    maps = [importance]
    maps += [np.abs(gaussian_filter(generator.normal(size=importance.shape), smoothness)) for _ in range(random_maps)]
    shares = tuple(step / steps for step in range(steps + 1))
    nothing = np.zeros(importance.shape, dtype=bool)
    ends = (score(nothing), score(~nothing))
    curves: list[tuple[Curve, Curve]] = []
    for number, values in enumerate(maps):
        ranks = _share_above(values)
        deletion, insertion = [ends[0]], [ends[1]]
        for share in shares[1:-1]:
            deletion.append(score(ranks < share))
            insertion.append(score(ranks >= share))
            yield Progress("replacing pixels", number * (steps - 1) + len(deletion) - 1, len(maps) * (steps - 1))
        curves.append((_curve([*deletion, ends[1]]), _curve([*insertion, ends[0]])))
    return DeletionInsertion(
        shares=shares,
        deletion=curves[0][0],
        insertion=curves[0][1],
        random_deletion_curves=tuple(deletion for deletion, _ in curves[1:]),
        random_insertion_curves=tuple(insertion for _, insertion in curves[1:]),
    )


def deletion_passes(steps: int = 10, random_maps: int = 5) -> Passes:
    """Return the passes that `deletion_insertion` takes."""
    return Passes(2 + 2 * (steps - 1) * (1 + random_maps))


def _score_of_mixtures(
    network: nn.Module, photo: Photo, preprocessing: Preprocessing, unit_score: UnitScore | None
) -> Callable[[NDArray[np.bool_]], float]:
    """Return a function from pixels to blur, (H, W), to the score of the photo in which they are blurred."""
    images = model_input(network, photo, preprocessing)
    blurred = baseline_of(images, "blurred")
    if unit_score is not None:
        sharp = preprocessing.pixels(photo)
        soft = (255 * blurred[0].permute(1, 2, 0)).round().to(torch.uint8).cpu().numpy()
        return lambda replaced: unit_score(np.where(replaced[:, :, None], soft, sharp))
    twin = replica(network)  # in evaluation mode, whatever mode the network is in

    def score(replaced: NDArray[np.bool_]) -> float:
        with torch.inference_mode():
            return float(twin(torch.where(torch.from_numpy(replaced).to(images.device), blurred, images))[0])

    return score


def randomisation(
    network: nn.Module, photo: Photo, preprocessing: Preprocessing, result: GradientMap, *, seed: int = 0
) -> Work[RandomisationCheck]:
    """Compare a map with those of the same network under random weights.

    Args:
        network: Network that `result` explains; left as it is.
        photo: Photo that `result` explains.
        preprocessing: Preprocessing of the network.
        result: Map to judge.
        seed: Seed of the random weights, 0 or more.

    Source:
        Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018.
    """
    fields = {key: value for key, value in result.settings.items() if key != "seed"}
    settings, noise_seed = MapSettings(**fields), int(result.settings["seed"])
    correlations = []
    for everything in (False, True):
        work = gradient_map(
            _randomised(network, seed, everything=everything),
            photo,
            preprocessing,
            method=result.method,
            settings=settings,
            seed=noise_seed,
        )
        other = yield from passed_on(work, partial(_half_of_the_check, second=everything))
        correlations.append(rank_correlation(np.abs(result.model_map), np.abs(other.model_map)))
    return RandomisationCheck(head=correlations[0], backbone=correlations[1])


def _half_of_the_check(progress: Progress, *, second: bool) -> Progress:
    stage = "all weights random" if second else "last layers random"
    return replace(progress, stage=stage, step=progress.step + second * progress.total, total=2 * progress.total)


def rank_correlation(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return Spearman's correlation of two maps of one size; 0 where one is constant."""
    ranks = [rankdata(values.ravel()) for values in (first, second)]
    if any(np.ptp(values) == 0 for values in ranks):
        return 0.0
    return float(np.corrcoef(ranks)[0, 1])


def _randomised(network: nn.Module, seed: int, *, everything: bool) -> nn.Module:
    """Return a copy whose weights are drawn anew: of the linear layers alone, or of every layer.

    Each tensor keeps its own mean and spread, so that the numbers inside the network stay in their range.
    """
    twin = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in twin.modules():
            if isinstance(module, nn.Linear) or (everything and isinstance(module, nn.Conv2d)):
                drawn = torch.randn(module.weight.shape, generator=generator).to(module.weight)
                module.weight.copy_(module.weight.mean() + module.weight.std(correction=0) * drawn)
    return twin


def _share_above(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return for each pixel the share of pixels that come before it, the largest value first; ties by position."""
    order = np.argsort(-values.ravel(), kind="stable")
    shares = np.empty(values.size)
    shares[order] = np.arange(values.size) / values.size
    return shares.reshape(values.shape)


def _curve(scores: Sequence[float]) -> Curve:
    distances = np.abs(np.asarray(scores) - scores[0])
    whole = max(float(distances[-1]), 1e-6)
    return Curve(tuple(scores), float(np.trapezoid(np.minimum(distances / whole, 1), dx=1 / (len(scores) - 1))))
