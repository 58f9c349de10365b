"""The general model that a taste starts from, and what its personal versions would read of a photo."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from metaiqa_core.engine.graph import export_graph
from metaiqa_core.engine.onnx_engine import OnnxEngine
from metaiqa_core.errors import CheckpointError, EngineError, TasteError
from metaiqa_core.images import DecodeLimits, Photo, PhotoSource, decode
from metaiqa_core.models.backbones import stage_channels
from metaiqa_core.models.card import ModelCard, read_card
from metaiqa_core.models.checkpoints import load_checkpoint
from metaiqa_core.models.looks import Looks
from metaiqa_core.models.model_files import find_model, list_models
from metaiqa_core.models.personal import features_of, seen
from metaiqa_core.models.regressor import Regressor, Standardise
from metaiqa_core.models.tones import tone_features
from metaiqa_core.taste.space import Layout

TEACHABLE = "regressor"
"""Architecture of the models that can be taught; see `ModelCard`."""
HASH_LENGTH = 16


class GeneralModel:
    """A model that can be taught a taste; safe to share between threads.

    Args:
        name_or_file: `default`, a model's name, or the path of a `.safetensors` file with its card beside it.

    Raises:
        CheckpointError: If there is no such model, or it cannot be used.
        TasteError: If it cannot be taught.
    """

    def __init__(self, name_or_file: str | Path = "default") -> None:
        checkpoint = load_checkpoint(name_or_file)
        if not isinstance(checkpoint.network, Regressor):
            raise TasteError(
                f"{checkpoint.card.name} cannot be taught: expected one of our own networks that is nobody's personal "
                f"model yet, such as {teachable_models()[0]}."
            )
        self.network: Regressor = checkpoint.network
        self.card: ModelCard = checkpoint.card
        self.layout = _layout(self.network)
        self.hash = (checkpoint.card.sha256 or checkpoint.card.name)[:HASH_LENGTH]
        module = _Seen(self.network).eval()
        self._module, self._engine = module, _engine(module)

    def see(self, source: PhotoSource | Photo, limits: DecodeLimits | None = None) -> NDArray[np.float32]:
        """Return what a personal version of the model reads of a photo, (1 + 9 + P,).

        Args:
            source: Photo, as `Assessor.assess` takes it.
            limits: Sizes of the photos that are accepted; None for the defaults.

        Raises:
            PhotoError: If the photo cannot be read.
        """
        side = self.card.preprocessing.short_side
        if not isinstance(source, Photo):
            source = decode(source, limits=limits or DecodeLimits(), minimum_short_side=side)
        if self._engine is not None:
            return self._engine.output(self.card.preprocessing.pixels(source))[0]
        with torch.inference_mode():
            return self._module(self.card.preprocessing(source))[0].numpy()


def teachable_models() -> list[str]:
    """Return the names of the models that can be taught: ours, but for personal ones; damaged ones are left out."""
    found = []
    for name in list_models():
        try:
            card = read_card(find_model(name).with_suffix(".json"))
        except CheckpointError:
            continue
        if card.architecture == TEACHABLE:
            found.append(name)
    return found


class _Seen(nn.Module):
    """What corrections read, (B, 3, H, W) -> (B, 1 + 9 + P)."""

    def __init__(self, network: Regressor) -> None:
        super().__init__()
        self.network, self.looks = network, Looks()

    def forward(self, images: Tensor) -> Tensor:
        return seen(self.network, self.looks, images)


def _engine(module: nn.Module) -> OnnxEngine | None:
    """Return ONNX Runtime as the engine; None where it cannot run this network, and torch does."""
    try:
        weights = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
        return OnnxEngine(export_graph(module), weights)
    except (EngineError, ImportError, OSError):
        return None


def _layout(network: Regressor) -> Layout:
    """Return the layout of what is seen; features that the head does not standardise count as they are."""
    channels = stage_channels(network.backbone)
    stages = tuple(2 * channels[stage - 1] for stage in network.config.pooled) or (channels[-1],)
    if network.config.tones:
        stages += (tone_features(network.config.tones),)
    standard = network.head[0]
    if isinstance(standard, Standardise):
        return Layout(stages, tuple(standard.deviation.tolist()))
    return Layout(stages, (1.0,) * features_of(network))
