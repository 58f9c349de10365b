"""Which engine runs a model fastest on this processor, and how it starts.

    python benchmarks/engines.py [ROUNDS] [--model NAME|FILE] [--threads N]

For photos of one size, and for photos of a new size each, it times one forward pass by torch, by ONNX Runtime and,
where it is installed (`pip install openvino`), by OpenVINO, in turn and several times over; ratios are medians over
rounds of the ratio within a round. Then a new process for each engine: import, load, first score, and its peak memory.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from metaiqa_core.engine.graph_files import graph_of  # noqa: E402
from metaiqa_core.engine.onnx_engine import OnnxEngine, processors  # noqa: E402
from metaiqa_core.engine.stored_model import StoredModel  # noqa: E402

Pixels = NDArray[np.uint8]
SHORT_SIDE = 500


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rounds", type=int, nargs="?", default=15)
    parser.add_argument("--model", default="default", metavar="NAME|FILE")
    parser.add_argument("--threads", type=int, default=processors())
    parser.add_argument("--start", choices=sorted(BUILDERS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.start:
        start(arguments)
        return
    engines = {}
    for name, build in BUILDERS.items():
        try:
            engines[name] = build(StoredModel(arguments.model), arguments.threads)
        except ImportError:
            print(f"{name} is not installed: its row is left out")
    print(f"{StoredModel(arguments.model).card.name}, {arguments.threads} threads, {arguments.rounds} rounds")
    draws = np.random.default_rng(0)
    one = draws.integers(256, size=(SHORT_SIDE, 667, 3), dtype=np.uint8)
    widths = [SHORT_SIDE + 7 * place for place in range(arguments.rounds)]
    several = [draws.integers(256, size=(SHORT_SIDE, width, 3), dtype=np.uint8) for width in widths]
    compare("one size, 667 x 500", engines, [one] * arguments.rounds)
    compare("a new size each time", engines, several)
    print("\na new process: import, load and first score, seconds; peak memory, MB")
    for name in engines:
        words = [
            sys.executable,
            __file__,
            "--start",
            name,
            "--model",
            arguments.model,
            "--threads",
            str(arguments.threads),
        ]
        runs = [subprocess.run(words, capture_output=True, text=True, check=True).stdout.split() for _ in range(3)]
        times, memory = min(float(run[0]) for run in runs), max(float(run[1]) for run in runs)
        print(f"  {name:<12} {times:6.2f} {memory:8.0f}")


def compare(title: str, engines: dict[str, Callable[[Pixels], float]], photos: list[Pixels]) -> None:
    """Print median milliseconds, the ratio to torch, and the largest difference of the scores from torch's, points."""
    print(f"\n{title}: ms, ratio to torch, largest difference in points")
    times: dict[str, list[float]] = {name: [] for name in engines}
    scores: dict[str, list[float]] = {name: [] for name in engines}
    for engine in engines.values():
        engine(photos[0])  # the first call pays for set-up
    for photo in photos:
        for name, engine in engines.items():
            begin = time.perf_counter()
            scores[name].append(100 * engine(photo))
            times[name].append(1000 * (time.perf_counter() - begin))
    for name in engines:
        ratio = statistics.median(mine / plain for mine, plain in zip(times[name], times["torch"], strict=True))
        difference = max(abs(mine - plain) for mine, plain in zip(scores[name], scores["torch"], strict=True))
        print(f"  {name:<12} {statistics.median(times[name]):8.1f} {ratio:6.2f} {difference:10.5f}")


def start(arguments: argparse.Namespace) -> None:
    """Load one engine and score one photo; print the process's seconds so far and its peak memory."""
    engine = BUILDERS[arguments.start](StoredModel(arguments.model), arguments.threads)
    engine(np.full((SHORT_SIDE, 667, 3), 128, np.uint8))
    import psutil

    print(time.time() - psutil.Process().create_time(), peak_memory())


def peak_memory() -> float:
    """Return the largest memory of this process so far, MB; Linux only, elsewhere NaN."""
    status = Path("/proc/self/status")  # getrusage's figure is at least that of the process that started this one
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), float("nan"))


def with_torch(model: StoredModel, threads: int) -> Callable[[Pixels], float]:
    """Return the network itself."""
    import torch

    from metaiqa_core.engine.torch_engine import TorchEngine

    torch.set_num_threads(threads)
    return TorchEngine(model.network).unit_score


def with_onnx_runtime(model: StoredModel, threads: int) -> Callable[[Pixels], float]:
    """Return the engine that scores by default."""
    return OnnxEngine(graph_of(model.card), model.weights(), threads=threads).unit_score


def with_openvino(model: StoredModel, threads: int) -> Callable[[Pixels], float]:
    """Return the same graph with its weights, compiled by OpenVINO."""
    import onnx
    import openvino
    from onnx import numpy_helper

    weights, graph = model.weights(), onnx.load_from_string(graph_of(model.card).onnx)
    for tensor in graph.graph.initializer:
        if tensor.name in weights:
            tensor.CopyFrom(numpy_helper.from_array(weights[tensor.name], tensor.name))
    # By itself it would compute in bfloat16 where the processor can, off by more than a point.
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    core = openvino.Core()
    request = core.compile_model(core.read_model(graph.SerializeToString()), "CPU", settings).create_infer_request()
    return lambda pixels: float(request.infer({0: pixels[None]})[0][0])


BUILDERS = {"torch": with_torch, "onnxruntime": with_onnx_runtime, "openvino": with_openvino}

if __name__ == "__main__":
    main()
