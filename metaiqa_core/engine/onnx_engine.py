"""ONNX Runtime as an engine: a graph of the architecture, and the weights of one model."""

import functools
import os
from collections.abc import Mapping

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from metaiqa_core.engine.stored_graph import Graph
from metaiqa_core.errors import EngineError

_ERRORS_ONLY = 3
_OUTPUTS = None  # all of them


class OnnxEngine:
    """Runs a graph with the weights of a model.

    Args:
        graph: The graph of the model's architecture.
        weights: The model's weights by name; those that the graph does not need are left out.
        threads: Number of threads for one score; None: one a processor that this process may use.

    Raises:
        EngineError: If ONNX Runtime cannot run this graph, or the weights do not fit it.
    """

    name = "onnx"
    remark = ""

    def __init__(self, graph: Graph, weights: Mapping[str, NDArray[np.generic]], *, threads: int | None = None) -> None:
        self.threads = threads or processors()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
        options.log_severity_level = _ERRORS_ONLY
        # Threads that wait for work in a loop would keep a processor busy between two photos.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if missing := [name for name in graph.weights if name not in weights]:
            raise EngineError(f"The model lacks {missing[0]}, which its graph needs.")
        self._graph = graph
        # The session reads them where they are.
        self._weights = [np.ascontiguousarray(weights[name]) for name in graph.weights]
        try:
            options.add_external_initializers(
                list(graph.weights), [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in self._weights]
            )
            self._session = onnxruntime.InferenceSession(graph.onnx, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime has a class for each of its reasons, most of them private
            raise EngineError(f"ONNX Runtime cannot run this model: {_first_line(error)}") from error
        self._input = self._session.get_inputs()[0].name

    @functools.cached_property
    def one_thread(self) -> "OnnxEngine":
        """The same engine with one thread for each score, made when it is first asked for; see `Engine`.

        Raises:
            EngineError: If ONNX Runtime cannot run the graph a second time.
        """
        if self.threads == 1:
            return self
        return OnnxEngine(self._graph, dict(zip(self._graph.weights, self._weights, strict=True)), threads=1)

    def unit_score(self, pixels: NDArray[np.uint8]) -> float:
        """Score one photo; see `Engine`.

        Raises:
            EngineError: If ONNX Runtime gives up, for want of memory for example.
        """
        return float(self.output(pixels).flat[0])

    def output(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the graph's output, (1,) scores or (1, P) features, for one photo's pixels (H, W, 3); see `Engine`.

        Raises:
            EngineError: If ONNX Runtime gives up.
        """
        try:
            (output,) = self._session.run(_OUTPUTS, {self._input: np.ascontiguousarray(pixels[None])})
        except Exception as error:  # see above
            raise EngineError(f"ONNX Runtime stopped at this photo: {_first_line(error)}") from error
        return output


def processors() -> int:
    """Return how many threads to compute with: OMP_NUM_THREADS, or the processors that this process may use."""
    wished = os.environ.get("OMP_NUM_THREADS", "")
    if wished.isdigit() and int(wished):
        return int(wished)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
