r"""How fast a meta-iteration is, and whether it ever waits for data: paired within one run.

    python benchmarks/meta_training.py [ROUNDS] [--backbone NAME] [--frozen-stages N] [--iterations N] [--tasks K] \
      [--steps S] [--json FILE]

A meta-iteration takes S support and S query steps on each of K tasks (75 and 25 images of 224 x 224, as the released
code does) and moves the prior by the mean displacement. Each way has a process of its own, and they take turns:

- `plain`: the way a script is written: a deep copy of the network for each task, torch.optim.Adam, images in torch's
  default layout, frozen stages computed anew each time, without gradients;
- `ours fp32`: `meta_train` as the command line runs it, with torch.optim.Adam's mathematics (bias correction on);
- `ours bf16`: the same with --precision bf16.

Where the prior goes is compared by the cosine of two displacements: 1 is the same update. The reference is the plain
way in float64; plain's own cosine with it tells what rounding does, as Adam's first step is the gradient's sign, which
rounding turns where a gradient is about zero. Then the data path, from 100 files of 512 x 384 to a batch of crops:
decoded once and cropped from memory (ours, from the second epoch on), against decoding and resizing every file in every
epoch. Ratios are medians over rounds of the ratio in a round.
"""

import argparse
import copy
import dataclasses
import json
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage import io, transform
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from metaiqa_core.databases.rated_image import Database, RatedImage
from metaiqa_core.memory import keep_freed_memory
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import finish
from metaiqa_core.tasks import DistortionTask, distortion_tasks
from metaiqa_core.training.frozen_features import FrozenFeatures
from metaiqa_core.training.meta import meta_train
from metaiqa_core.training.meta_configuration import MetaConfig
from metaiqa_core.training.photos import TrainingPhotos
from metaiqa_core.training.task_sampling import batches, divide, mini_batch

IMAGES_PER_TASK = 125


class NoisePhotos(TrainingPhotos):
    """Photos of 224 x 224 that cost nothing to read, so that only the mathematics is timed."""

    def _read(self, index: int) -> torch.Tensor:
        return torch.randint(0, 256, (3, 224, 224), generator=torch.Generator().manual_seed(index), dtype=torch.uint8)


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rounds", type=int, nargs="?", default=3)
    parser.add_argument("--backbone", default="resnet18")
    parser.add_argument("--frozen-stages", type=int, default=0, help="first stages that keep their weights")
    parser.add_argument("--iterations", type=int, default=1, help="meta-iterations that are timed together")
    parser.add_argument("--tasks", type=int, default=5)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", nargs="+", choices=("fp32", "bf16"), default=["fp32", "bf16"])
    parser.add_argument("--json", type=Path, help="also write the numbers there")
    arguments = parser.parse_args()
    print(f"torch {torch.__version__}, {arguments.device}, {torch.get_num_threads()} threads")
    results = {**iteration(arguments), **data_path(arguments.rounds)}
    for name, value in results.items():
        print(f"  {name:<60} {value:8.4g}")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def iteration(arguments: argparse.Namespace) -> dict[str, float]:
    """Time the meta-iterations in each way, and compare where they lead."""
    ways = ["plain", *(f"ours {precision}" for precision in arguments.precision)]
    with ExitStack() as stack:
        processes = {}
        for way in ways:
            pool = ProcessPoolExecutor(1, get_context("spawn"), *((keep_freed_memory,) if way != "plain" else ()))
            processes[way] = stack.enter_context(pool)
        times: dict[str, list[float]] = {way: [] for way in ways}
        moved = {}
        for _ in range(arguments.rounds):
            for way in ways:
                seconds, moved[way] = processes[way].submit(iterations_of, way, arguments).result()
                times[way].append(seconds)
                print(f"  {way}: {seconds:.1f} s", file=sys.stderr, flush=True)
        _, exact = processes["plain"].submit(iterations_of, "plain float64", arguments).result()

    passes = 2 * arguments.iterations * arguments.tasks * arguments.steps * 50
    results = {"plain: images per second": passes / statistics.median(times["plain"])}
    for way in ways:
        if way != "plain":
            results[f"{way}: times as fast as plain"] = ratio(times["plain"], times[way])
            results[f"{way}: cosine of its displacement with plain's"] = cosine(moved[way], moved["plain"])
        results[f"{way}: cosine of its displacement with float64's"] = cosine(moved[way], exact)
    return results


def iterations_of(way: str, arguments: argparse.Namespace) -> tuple[float, np.ndarray]:
    """Return the seconds that the meta-iterations take in this process, and the displacement of the prior (P,)."""
    photos, tasks, config, start = material(arguments)
    network = copy.deepcopy(start).to(arguments.device)
    begin = time.perf_counter()
    if way == "plain float64":
        trained = plain(network.double(), photos, tasks, config)
    elif way == "plain":
        trained = plain(network, photos, tasks, config)
    else:
        trained = finish(meta_train(network, photos, tasks, dataclasses.replace(config, precision=way[-4:]))).network
    if arguments.device == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - begin
    return seconds, (flat(trained).double().cpu() - flat(start).double()).numpy()


def material(arguments: argparse.Namespace) -> tuple[TrainingPhotos, list[DistortionTask], MetaConfig, Regressor]:
    """Return photos in memory, their tasks, the settings and a start; made once a process."""
    return _material(
        arguments.tasks, arguments.steps, arguments.backbone, arguments.frozen_stages, arguments.iterations
    )


@lru_cache
def _material(
    count: int, steps: int, backbone: str, frozen_stages: int, iterations: int
) -> tuple[TrainingPhotos, list[DistortionTask], MetaConfig, Regressor]:
    images = [
        RatedImage(Path(f"{task}_{number}.png"), (number % 5) / 4, 0, f"r{number % 25}", f"kadid10k:T{task}", 1)
        for task in range(count)
        for number in range(IMAGES_PER_TASK)
    ]
    photos = NoisePhotos(images, Preprocessing())
    for index in range(len(photos)):
        photos[index]
    config = MetaConfig(
        epochs=iterations,
        rate_decay="none",
        tasks_per_batch=count,
        inner_steps=steps,
        outer_learning_rate=1.0,
        bias_correction=True,
        weight_decay=0.0,
        frozen_stages=frozen_stages,
    )
    torch.manual_seed(0)
    start = Regressor(RegressorConfig(backbone=backbone)).eval()
    return photos, distortion_tasks(Database("noise", tuple(images), (0.0, 1.0))), config, start


def plain(network: Regressor, photos: TrainingPhotos, tasks: list, config: MetaConfig) -> Regressor:
    """Meta-iterations as a script would do them, on the batches that ours draws."""
    for number in range(config.epochs):  # an epoch has one iteration: its mini-batch holds all tasks
        plain_iteration(network, photos, tasks, config, number)
    return network


def plain_iteration(
    network: Regressor, photos: TrainingPhotos, tasks: list, config: MetaConfig, iteration: int
) -> None:
    """One meta-iteration."""
    start = flat(network)
    displacement = torch.zeros_like(start)
    device, dtype = start.device, start.dtype
    for place, task in enumerate(mini_batch(tasks, iteration, config)):
        fast = copy.deepcopy(network).train()
        fast.backbone[: config.frozen_stages].requires_grad_(False)
        for module in fast.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
        sets = divide(task, iteration, place, config)
        generator = np.random.default_rng((config.seed, iteration, place, 1))
        learning = [parameter for parameter in fast.parameters() if parameter.requires_grad]
        levels = ((sets.support, config.support_batch), (sets.query, config.query_batch))
        drawn = [batches(positions, most, generator) for positions, most in levels]
        for level in drawn:
            optimiser = torch.optim.Adam(learning, lr=config.inner_learning_rate, betas=(0.9, 0.99))
            for _ in range(config.inner_steps):
                batch = next(level)
                generator.random((len(batch), 3))  # ours draws crops and a seed for dropout here
                generator.integers(2**31)
                inputs = torch.stack([photos[index] for index in batch]).to(device, dtype).div(255)
                loss = F.mse_loss(fast(inputs), photos.unit_scores[batch].to(device, dtype))
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        displacement += start - flat(fast)
    torch.nn.utils.vector_to_parameters(start - displacement / len(tasks), network.parameters())


def data_path(rounds: int) -> dict[str, float]:
    """Time a batch of 100 crops from files, decoded in every epoch and decoded once."""
    with tempfile.TemporaryDirectory() as folder:
        generator = np.random.default_rng(0)
        paths = []
        for number in range(100):
            noise = Image.fromarray(generator.integers(0, 256, (48, 64, 3), dtype=np.uint8))
            paths.append(Path(folder) / f"{number}.png")
            noise.resize((512, 384), Image.Resampling.BICUBIC).save(paths[-1])
        photos = TrainingPhotos([RatedImage(path, 0.5, 0.5) for path in paths], Preprocessing())
        features = FrozenFeatures(Regressor(RegressorConfig()), photos, 0)
        features.batch(range(100), 224, True, np.random.default_rng(0))  # the first epoch fills the memory
        ours, peer = [], []
        for number in range(rounds):
            begin = time.perf_counter()
            features.batch(range(100), 224, True, np.random.default_rng(number))
            ours.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            batch = []
            for path in paths:
                resized = transform.resize(io.imread(path), (256, 256), anti_aliasing=True)
                batch.append(torch.from_numpy(resized[16:240, 16:240].transpose(2, 0, 1).astype(np.float32)))
            torch.stack(batch)
            peer.append(time.perf_counter() - begin)
    return {"data path: times as fast as decoding in every epoch": ratio(peer, ours)}


def flat(network: Regressor) -> torch.Tensor:
    """Return all weights as one vector, in torch's default layout."""
    return torch.cat([parameter.detach().reshape(-1) for parameter in network.parameters()])


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Return the cosine of the angle between two vectors."""
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def ratio(slower: list[float], faster: list[float]) -> float:
    """Return the median over rounds of the ratio in a round."""
    return statistics.median(one / other for one, other in zip(slower, faster, strict=True))


if __name__ == "__main__":
    main()
