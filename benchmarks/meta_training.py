"""How fast a meta-iteration is, and whether it ever waits for data: paired within one run.

    python benchmarks/meta_training.py [ROUNDS] [--backbone NAME] [--tasks K] [--steps S] [--json FILE]

A meta-iteration takes S support and S query steps on each of K tasks (75 and 25 images of 224 x 224, as the released
code does) and moves the prior by the mean displacement.

- `plain`: the way a script is written: a deep copy of the network for each task, torch.optim.Adam, images in torch's
  default layout;
- `ours fp32`: `meta_train` as it is, with torch.optim.Adam's mathematics (bias correction on);
- `ours bf16`: the same with --precision bf16.

The displacement of the prior is compared by its cosine with the plain one: 1 is the same update. Then the data path,
from 100 files of 512 x 384 to a batch of crops: decoded once and cropped from memory (ours, from the second epoch
on), against decoding and resizing every file in every epoch. Ratios are medians over rounds of the ratio in a round.
"""

import argparse
import copy
import dataclasses
import json
import statistics
import sys
import tempfile
import time
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
from metaiqa_core.tasks import distortion_tasks
from metaiqa_core.training.meta import _batches, _divide, meta_train, mini_batch
from metaiqa_core.training.meta_configuration import MetaConfig
from metaiqa_core.training.photos import FrozenFeatures, TrainingPhotos

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
    parser.add_argument("--tasks", type=int, default=5)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--keep-memory", action="store_true", help="as the command line does; for all three ways")
    parser.add_argument("--precision", nargs="+", choices=("fp32", "bf16"), default=["fp32", "bf16"])
    parser.add_argument("--json", type=Path, help="also write the numbers there")
    arguments = parser.parse_args()
    if arguments.keep_memory:
        keep_freed_memory()
    print(f"torch {torch.__version__}, {arguments.device}, {torch.get_num_threads()} threads")
    results = {**iteration(arguments), **data_path(arguments.rounds)}
    for name, value in results.items():
        print(f"  {name:<60} {value:8.4g}")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def iteration(arguments: argparse.Namespace) -> dict[str, float]:
    """Time one meta-iteration in three ways, and compare where they lead."""
    images = [
        RatedImage(Path(f"{task}_{number}.png"), (number % 5) / 4, 0, f"r{number % 25}", f"kadid10k:T{task}", 1)
        for task in range(arguments.tasks)
        for number in range(IMAGES_PER_TASK)
    ]
    photos = NoisePhotos(images, Preprocessing())
    tasks = distortion_tasks(Database("noise", tuple(images), (0.0, 1.0)))
    config = MetaConfig(
        epochs=1,
        tasks_per_batch=arguments.tasks,
        inner_steps=arguments.steps,
        outer_learning_rate=1.0,
        bias_correction=True,
        weight_decay=0.0,
    )
    torch.manual_seed(0)
    start = Regressor(RegressorConfig(backbone=arguments.backbone)).eval().to(arguments.device)
    for index in range(len(photos)):
        photos[index]  # into memory
    times: dict[str, list[float]] = {name: [] for name in ("plain", *(f"ours {one}" for one in arguments.precision))}
    moved = {}
    for _ in range(arguments.rounds):
        for name in times:
            network = copy.deepcopy(start)
            begin = time.perf_counter()
            if name == "plain":
                trained = plain(network, photos, tasks, config)
            else:
                precise = dataclasses.replace(config, precision=name[-4:])
                trained = finish(meta_train(network, photos, tasks, precise)).network
            if arguments.device == "cuda":
                torch.cuda.synchronize()
            times[name].append(time.perf_counter() - begin)
            print(f"  {name}: {times[name][-1]:.1f} s", file=sys.stderr, flush=True)
            moved[name] = flat(trained) - flat(start)
    passes = 2 * arguments.tasks * arguments.steps * 50
    results = {"plain: images per second": passes / statistics.median(times["plain"])}
    for name in list(times)[1:]:
        results[f"{name}: times as fast as plain"] = ratio(times["plain"], times[name])
        results[f"{name}: cosine of its displacement with plain's"] = float(
            F.cosine_similarity(moved[name], moved["plain"], dim=0)
        )
    return results


def plain(network: Regressor, photos: TrainingPhotos, tasks: list, config: MetaConfig) -> Regressor:
    """One meta-iteration as a script would do it, on the batches that ours draws."""
    start = flat(network)
    displacement = torch.zeros_like(start)
    device = start.device
    for place, task in enumerate(mini_batch(tasks, 0, config)):
        fast = copy.deepcopy(network).train()
        for module in fast.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
        sets = _divide(task, 0, place, config)
        generator = np.random.default_rng((config.seed, 0, place, 1))
        levels = ((sets.support, config.support_batch), (sets.query, config.query_batch))
        batches = [_batches(positions, most, generator) for positions, most in levels]
        for level in batches:
            optimiser = torch.optim.Adam(fast.parameters(), lr=config.inner_learning_rate, betas=(0.9, 0.99))
            for _ in range(config.inner_steps):
                batch = next(level)
                generator.random((len(batch), 3))  # ours draws crops and a seed for dropout here
                generator.integers(2**31)
                inputs = torch.stack([photos[index] for index in batch]).to(device).float().div(255)
                loss = F.mse_loss(fast(inputs), photos.unit_scores[batch].to(device))
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        displacement += start - flat(fast)
    torch.nn.utils.vector_to_parameters(start - displacement / len(tasks), network.parameters())
    return network


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


def ratio(slower: list[float], faster: list[float]) -> float:
    """Return the median over rounds of the ratio in a round."""
    return statistics.median(one / other for one, other in zip(slower, faster, strict=True))


if __name__ == "__main__":
    main()
