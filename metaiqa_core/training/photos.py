"""Training images in memory: decoded and resized once, cropped and mirrored afresh in every epoch."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from metaiqa_core.databases.rated_image import RatedImage
from metaiqa_core.errors import DatabaseError, PhotoError, TrainingError
from metaiqa_core.images import decode
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.training.fingerprint import hash_of_weights
from metaiqa_core.training.frozen_features import FrozenFeatures, KeptFeatures
from metaiqa_core.training.head_inputs import HeadInputs
from metaiqa_core.training.tensor_cache import CACHE_BYTES, TensorCache


class TrainingPhotos:
    """The model inputs of rated images, as uint8, kept in memory while they fit.

    Args:
        images: Rated images.
        preprocessing: Steps from a photo to the model's input; photos are cached after it.
        cache_bytes: Memory for the cache, in bytes; photos beyond it are decoded again whenever they are needed.
    """

    def __init__(
        self, images: Sequence[RatedImage], preprocessing: Preprocessing, *, cache_bytes: int = CACHE_BYTES
    ) -> None:
        self.images = list(images)
        self.unit_scores = torch.tensor([image.unit_score for image in images], dtype=torch.float32)
        self.preprocessing = preprocessing
        self._cache: TensorCache[int] = TensorCache(cache_bytes)
        self._features: dict[tuple[bool, torch.device, tuple[int, ...], str], KeptFeatures] = {}

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        """Return one model input, (3, H, W) uint8.

        Raises:
            DatabaseError: If the image file cannot be read.
        """
        return self._cache.get(index, lambda: self._read(index))

    def frozen_features(self, network: Regressor, stages: int, *, of_crops: bool = False) -> KeptFeatures:
        """Return what a network's first stages give; networks that share those weights share it.

        Args:
            network: Network whose first stages are frozen.
            stages: Number of frozen stages; of all that it uses, the pooled features of whole photos are kept.
            of_crops: Whether to compute feature maps on each crop anew, see `FrozenFeatures`.
        """
        rests = stages == network.stages_used
        pooled = network.config.pooled if rests else ()
        key = of_crops and not rests, network.mean.device, pooled, hash_of_weights(network.backbone[:stages])
        if key not in self._features:
            kept = HeadInputs(network, self) if rests else FrozenFeatures(network, self, stages, of_crops=of_crops)
            self._features = {key: kept}  # one at a time: they fill the memory
        return self._features[key]

    def _read(self, index: int) -> Tensor:
        try:
            photo = decode(self.images[index].path, minimum_short_side=self.preprocessing.short_side)
        except PhotoError as error:
            raise DatabaseError(f"An image of the database cannot be used: {error}") from error
        return self.preprocessing(photo)[0].mul(255).round().to(torch.uint8)


def predict(
    network: Regressor, photos: TrainingPhotos, indices: Sequence[int], frozen_stages: int = 0
) -> NDArray[np.float64]:
    """Score whole photos, one by one, so that no score depends on its company.

    Args:
        network: Network that scores.
        photos: Rated photos.
        indices: Positions of the photos to score.
        frozen_stages: Number of first stages whose feature maps are kept for networks that share their weights.

    Returns:
        Unit scores (len(indices),).

    Raises:
        TrainingError: If a score is not finite.
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
    for index, score in zip(indices, scores, strict=True):
        if not math.isfinite(score):
            raise TrainingError(
                f"The network gives {photos.images[index].name} the score {score}: its weights have grown far too "
                "large. Lower the learning rates, and start again with another --run-dir."
            )
    return np.array(scores)
