"""Which engine runs a model."""

import os
from typing import TYPE_CHECKING

from metaiqa_core.engine.engine import Engine
from metaiqa_core.engine.graph_files import graph_of
from metaiqa_core.engine.stored_model import StoredModel
from metaiqa_core.errors import EngineError

if TYPE_CHECKING:
    from metaiqa_core.engine.torch_engine import TorchEngine

ENGINES = ("auto", "onnx", "torch")


def choose_engine(model: StoredModel, name: str | None = None) -> Engine:
    """Return an engine for a model.

    Args:
        model: The model.
        name: `onnx`, `torch`, or `auto`: ONNX Runtime, and torch with a remark where that cannot run. None: the
            environment variable METAIQA_ENGINE, or `auto`.

    Raises:
        CheckpointError: If anything about the model's files is wrong.
        EngineError: If the engine is unknown, or `onnx` was asked for and cannot run.
    """
    wished = name or os.environ.get("METAIQA_ENGINE") or "auto"
    if wished not in ENGINES:
        raise EngineError(f"There is no engine called {wished!r:.40}: expected one of {', '.join(ENGINES)}.")
    if wished == "torch":
        return _with_torch(model)
    try:
        from metaiqa_core.engine.onnx_engine import OnnxEngine

        return OnnxEngine(graph_of(model.card), model.weights())
    except (EngineError, ImportError, OSError) as error:  # the latter: a library that this system cannot load
        model.network  # noqa: B018 -- weights that do not fit are the better reason
        if wished == "onnx":
            raise EngineError(f"The engine onnx was asked for and cannot run here: {error}") from error
        return _with_torch(model, f"ONNX Runtime cannot run here, so torch scores, more slowly: {error}")


def _with_torch(model: StoredModel, remark: str = "") -> "TorchEngine":
    from metaiqa_core.engine.torch_engine import TorchEngine

    return TorchEngine(model.network, remark)
