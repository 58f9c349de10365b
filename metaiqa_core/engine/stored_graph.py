"""A graph and the names of the weights that it needs, as one file."""

import json
from dataclasses import dataclass
from typing import Self

from metaiqa_core.errors import EngineError


@dataclass(frozen=True)
class Graph:
    """What a network computes.

    Attributes:
        weights: Names of the tensors that it needs: a state dict may hold more, such as those of a stage after the last
            that is pooled.
        onnx: Serialised ONNX.
    """

    weights: tuple[str, ...]
    onnx: bytes

    def to_bytes(self) -> bytes:
        """Return the content of a file: a line of JSON with the names, then the ONNX."""
        return json.dumps({"weights": self.weights}).encode() + b"\n" + self.onnx

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return the graph that a file holds.

        Raises:
            EngineError: If it holds something else.
        """
        line, _, onnx = content.partition(b"\n")
        try:
            names = json.loads(line)["weights"]
        except (ValueError, TypeError, KeyError) as error:
            raise EngineError("the file of its graph is damaged or of another version.") from error
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise EngineError("the file of its graph is damaged or of another version.")
        return cls(tuple(names), onnx)
