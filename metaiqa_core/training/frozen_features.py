"""Feature maps of the stages that do not learn: computed once for each photo, then cropped and mirrored."""

import copy
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from metaiqa_core.models.regressor import Regressor
from metaiqa_core.training.tensor_cache import CACHE_BYTES, TensorCache


class PhotoPixels(Protocol):
    """Photos by number, such as `TrainingPhotos`."""

    def __getitem__(self, index: int) -> Tensor:
        """Return one model input, (3, H, W) uint8."""


class KeptFeatures(Protocol):
    """What the frozen stages give for photos: `FrozenFeatures`, or `HeadInputs` where all stages are frozen.

    Attributes:
        stages: Number of frozen stages.
    """

    stages: int

    def batch(self, indices: Sequence[int], crop: int, flip: bool, generator: np.random.Generator) -> Tensor:
        """Return what a training step sees of B photos, float32 on the network's device."""

    def whole(self, index: int) -> Tensor:
        """Return the same (1, ...) of one whole photo."""


class FrozenFeatures:
    """Feature maps of random crops after the frozen first stages.

    Of whole photos (and their mirror images) they are computed once, not in every epoch; crops are then cut from these
    feature maps instead of from the photo. Unlike a crop of the photo, a crop of the maps has seen its true
    surroundings, as it has when whole photos are scored. They are computed where the network is, and kept in the
    processor's memory, which is the larger one.

    Args:
        network: The network; its first `stages` stages are copied.
        photos: The training images.
        stages: Number of frozen stages; 0: the maps are the normalised photos themselves.
        of_crops: Whether to compute them on each crop anew, which is cheaper where a photo is used only a few times,
            since a crop is smaller than the photo.
        cache_bytes: Memory for the cache, which keeps half precision, in bytes.
    """

    def __init__(
        self,
        network: Regressor,
        photos: PhotoPixels,
        stages: int,
        *,
        of_crops: bool = False,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self.stages = stages
        self._of_crops = of_crops or stages == 0
        self._mean, self._std = network.mean, network.std
        self._device = network.mean.device
        self._first_stages = copy.deepcopy(network.backbone[:stages]).eval().requires_grad_(False)
        self._photos = photos
        self._cache: TensorCache[tuple[int, str]] = TensorCache(cache_bytes)
        self._heights: dict[int, int] = {}  # of the photos: one whose maps are kept need not be decoded again

    def batch(self, indices: Sequence[int], crop: int, flip: bool, generator: np.random.Generator) -> Tensor:
        """Cut one random crop from each photo's feature maps.

        Args:
            indices: Positions of the B photos.
            crop: Side of the square in pixels of the model's input.
            flip: Whether to mirror half of the photos.
            generator: Source of the randomness.

        Returns:
            (B, C, h, w) float32 on the network's device; where a photo is smaller than the crop, the batch's crops
            shrink to its side.
        """
        draws = generator.random((len(indices), 3))
        if self._of_crops:
            photos = [
                self._photos[index].flip(2) if flip and draw[2] < 0.5 else self._photos[index]
                for index, draw in zip(indices, draws, strict=True)
            ]
            return self._features(torch.stack(_crops(photos, [crop] * len(indices), draws)))
        maps = [self._maps(index, flip and draw[2] < 0.5) for index, draw in zip(indices, draws, strict=True)]
        sides = [
            max(1, round(crop * one.shape[1] / self._heights[index])) for index, one in zip(indices, maps, strict=True)
        ]
        return torch.stack(_crops(maps, sides, draws)).to(self._device).float()

    def whole(self, index: int) -> Tensor:
        """Return the maps (1, C, h, w) float32 of one whole photo, with the bits that the network gives; kept too."""

        def compute() -> Tensor:
            images = self._photos[index][None].to(self._device).float().div(255)
            with torch.no_grad():
                return self._first_stages((images - self._mean) / self._std).cpu()

        return self._cache.get((index, "whole"), compute).to(self._device)

    def _maps(self, index: int, mirrored: bool) -> Tensor:
        return self._cache.get((index, "mirrored" if mirrored else ""), lambda: self._compute(index, mirrored))

    def _compute(self, index: int, mirrored: bool) -> Tensor:
        photo = self._photos[index]
        self._heights[index] = photo.shape[1]
        return self._features((photo.flip(2) if mirrored else photo)[None])[0].half().cpu()

    def _features(self, pixels: Tensor) -> Tensor:
        images = pixels.to(self._device).float().div(255)
        with torch.no_grad():
            normalised = ((images - self._mean) / self._std).contiguous(memory_format=torch.channels_last)
            return self._first_stages(normalised)


def _crops(maps: Sequence[Tensor], sides: Sequence[int], draws: NDArray[np.float64]) -> list[Tensor]:
    """Cut a square out of each map (C, h, w) at a drawn place; one side for all, the smallest that is asked for."""
    side = min(*sides, *(min(one.shape[1:]) for one in maps))
    crops = []
    for one, (vertical, horizontal, _) in zip(maps, draws, strict=True):
        top = int(vertical * (one.shape[1] - side + 1))
        left = int(horizontal * (one.shape[2] - side + 1))
        crops.append(one[:, top : top + side, left : left + side])
    return crops
