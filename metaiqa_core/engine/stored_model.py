"""A model on the disk: its card at once, its weights for an engine, its network when somebody asks for it."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.models.card import ModelCard
from metaiqa_core.models.model_files import find_model, read_card_of
from metaiqa_core.models.weight_files import read_arrays, refuse_other_files

if TYPE_CHECKING:
    from torch import nn


class StoredModel:
    """A model by name or file; scoring needs its weights alone, maps and training its network.

    Args:
        name_or_file: `default`, a model's name, or the path of a `.safetensors` file with its card beside it.

    Raises:
        CheckpointError: If there is no such model, or its card or its file is not what it should be.
    """

    def __init__(self, name_or_file: str | Path = "default") -> None:
        self._path = find_model(name_or_file)
        refuse_other_files(self._path)
        self.card: ModelCard = read_card_of(self._path)

    def weights(self) -> dict[str, NDArray[np.generic]]:
        """Return the weights by name.

        Raises:
            CheckpointError: If the file is cut short, or holds values that are not finite.
        """
        return read_arrays(self._path)

    @cached_property
    def network(self) -> "nn.Module":
        """The network on the CPU, in evaluation mode; built when it is first asked for.

        Raises:
            CheckpointError: If anything about the files is wrong.
        """
        from metaiqa_core.models.checkpoints import load_checkpoint

        return load_checkpoint(self._path).network
