"""Training images in memory: decoded and resized once, cropped and mirrored afresh in every epoch."""

import copy
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from metaiqa_core.databases.rated_image import RatedImage
from metaiqa_core.errors import DatabaseError, PhotoError
from metaiqa_core.images import decode
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.training.fingerprint import hash_of_weights

Key = TypeVar("Key", bound=Hashable)

CACHE_BYTES = 6 * 2**30
BLOCK_BYTES = 64 * 2**20


class TrainingPhotos:
    """The model inputs of rated images, as uint8, kept in memory while they fit.

    Args:
        images: The rated images.
        preprocessing: The model's own; photos are cached after it.
        cache_bytes: Memory for the cache; photos beyond it are decoded again whenever they are needed.
    """

    def __init__(
        self, images: Sequence[RatedImage], preprocessing: Preprocessing, *, cache_bytes: int = CACHE_BYTES
    ) -> None:
        self.images = list(images)
        self.unit_scores = torch.tensor([image.unit_score for image in images], dtype=torch.float32)
        self.preprocessing = preprocessing
        self._cache: _Cache[int] = _Cache(cache_bytes)
        self._features: dict[tuple[int, bool, torch.device, str], FrozenFeatures] = {}

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        """Return one model input, (3, H, W) uint8.

        Raises:
            DatabaseError: If the image file cannot be read.
        """
        return self._cache.get(index, lambda: self._read(index))

    def frozen_features(self, network: Regressor, stages: int, *, of_crops: bool = False) -> "FrozenFeatures":
        """Return the features of a network's first stages; networks that share those weights share the features."""
        key = stages, of_crops, network.mean.device, hash_of_weights(network.backbone[:stages])
        if key not in self._features:
            # One at a time: they fill the memory.
            self._features = {key: FrozenFeatures(network, self, stages, of_crops=of_crops)}
        return self._features[key]

    def _read(self, index: int) -> Tensor:
        try:
            photo = decode(self.images[index].path, least_short_side=self.preprocessing.short_side)
        except PhotoError as error:
            raise DatabaseError(f"An image of the database cannot be used: {error}") from error
        return self.preprocessing(photo)[0].mul(255).round().to(torch.uint8)


class FrozenFeatures:
    """What the frozen first stages make of random crops.

    Of whole photos (and their mirror images) they are computed once, not in every epoch; crops are then cut from these
    feature maps instead of from the photo. Unlike a crop of the photo, a crop of the maps has seen its true
    surroundings, as it has when whole photos are scored. They are computed where the network is, and kept in the
    processor's memory, which is the larger one.

    Args:
        network: Its first `stages` stages are copied.
        photos: The training images.
        stages: How many stages are frozen; 0: the maps are the normalised photos themselves.
        of_crops: Compute them on each crop anew: cheaper where a photo is used only a few times, since a crop is
            smaller than the photo.
        cache_bytes: Memory for the cache, which keeps half precision.
    """

    def __init__(
        self,
        network: Regressor,
        photos: TrainingPhotos,
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
        self._cache: _Cache[tuple[int, str]] = _Cache(cache_bytes)
        self._heights: dict[int, int] = {}  # of the photos: one whose maps are kept need not be decoded again

    def batch(self, indices: Sequence[int], crop: int, flip: bool, generator: np.random.Generator) -> Tensor:
        """Cut one random crop from each photo's feature maps.

        Args:
            indices: Which photos, B of them.
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


class _Cache(Generic[Key]):
    """Tensors by key, kept while they fit into a number of bytes; those beyond are made again each time.

    They lie side by side in large blocks of memory. Kept where they were made, among the activations of a network that
    come and go, they would leave gaps between them that no activation fits into again: three times their own size.
    """

    def __init__(self, capacity: int) -> None:
        self._free = capacity
        self._kept: dict[Key, Tensor] = {}
        self._block = torch.empty(0, dtype=torch.uint8)

    def get(self, key: Key, make: Callable[[], Tensor]) -> Tensor:
        if key in self._kept:
            return self._kept[key]
        tensor = make()
        if tensor.nbytes <= self._free:
            self._free -= tensor.nbytes
            tensor = self._kept[key] = self._copy(tensor)
        return tensor

    def _copy(self, tensor: Tensor) -> Tensor:
        """Copy a tensor into the block, with its memory layout."""
        if tensor.nbytes > len(self._block):
            with torch.inference_mode(False):  # a block from there could not be written to outside
                self._block = torch.empty(max(tensor.nbytes, BLOCK_BYTES), dtype=torch.uint8)
        strides = torch.empty_like(tensor, device="meta").stride()
        place = self._block[: tensor.nbytes].view(tensor.dtype).as_strided(tensor.shape, strides)
        self._block = self._block[-(-tensor.nbytes // 64) * 64 :]
        return place.copy_(tensor)


def predict(
    network: Regressor, photos: TrainingPhotos, indices: Sequence[int], frozen_stages: int = 0
) -> NDArray[np.float64]:
    """Score whole photos, one by one, so that no score depends on its company.

    Args:
        network: What scores.
        photos: What the indices count.
        indices: Which photos.
        frozen_stages: What that many first stages make of the photos is kept, for networks that share their weights.

    Returns:
        Unit scores (len(indices),).
    """
    was_training = network.training
    network.eval()
    with torch.inference_mode():
        if frozen_stages:
            features = photos.frozen_features(network, frozen_stages)
            scores = [float(network.scores_from(features.whole(index), frozen_stages)) for index in indices]
        else:
            images = (photos[index][None].to(network.mean.device).float().div(255) for index in indices)
            scores = [float(network(one)) for one in images]
    network.train(was_training)
    return np.array(scores)
