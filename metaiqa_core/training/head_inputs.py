"""What the head sees of whole photos, for trainings in which the whole backbone is frozen and only the head learns."""

import copy
import functools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from metaiqa_core.engine.graph import export_graph
from metaiqa_core.engine.onnx_engine import OnnxEngine
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.training.frozen_features import PhotoPixels
from metaiqa_core.training.tensor_cache import CACHE_BYTES, TensorCache


class Pooled(nn.Module):
    """A network without its head."""

    def __init__(self, network: Regressor) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Return what the head sees (B, P) of photos (B, 3, H, W) in [0, 1]."""
        return self.network.head_input(images)


class HeadInputs:
    """The pooled features of whole photos and of their mirror images: some thousand numbers, computed once for each.

    There are no crops: a step then costs hardly more than the head, and sees what is seen when a photo is scored. The
    processor computes them with the engine that scores, which is several times as fast as torch.

    Args:
        network: The network; its backbone is copied.
        photos: The training images.
        cache_bytes: Memory for the cache, in bytes.

    Attributes:
        stages: Number of frozen stages: all that the network uses.
    """

    def __init__(self, network: Regressor, photos: PhotoPixels, *, cache_bytes: int = CACHE_BYTES) -> None:
        self.stages = network.stages_used
        self._pooled = Pooled(copy.deepcopy(network)).eval().requires_grad_(False)
        self._device = network.mean.device
        self._photos = photos
        self._cache: TensorCache[tuple[int, bool]] = TensorCache(cache_bytes)

    def batch(self, indices: Sequence[int], crop: int, flip: bool, generator: np.random.Generator) -> Tensor:
        """Return the head's input of photos.

        Args:
            indices: Positions of the B photos.
            crop: Not used.
            flip: Whether to mirror half of the photos.
            generator: Source of the randomness.

        Returns:
            (B, P) float32 on the network's device.
        """
        mirrored = generator.random(len(indices)) < 0.5
        rows = [self._row(index, flip and bool(mirror)) for index, mirror in zip(indices, mirrored, strict=True)]
        return torch.stack(rows).to(self._device)

    def whole(self, index: int) -> Tensor:
        """Return the head's input (1, P) of one photo."""
        return self._row(index, False)[None].to(self._device)

    def _row(self, index: int, mirrored: bool) -> Tensor:
        return self._cache.get((index, mirrored), lambda: self._compute(index, mirrored))

    def _compute(self, index: int, mirrored: bool) -> Tensor:
        photo = self._photos[index]
        pixels = photo.flip(2) if mirrored else photo
        if self._device.type == "cpu":
            return torch.from_numpy(self._engine.output(pixels.permute(1, 2, 0).numpy())[0])
        with torch.no_grad():
            return self._pooled(pixels[None].to(self._device).float().div(255))[0].cpu()

    @functools.cached_property
    def _engine(self) -> OnnxEngine:
        weights = {name: value.numpy() for name, value in self._pooled.state_dict().items()}
        return OnnxEngine(export_graph(self._pooled), weights)
