"""What gradient maps cost beyond their bare passes through the network, and how well their time is told beforehand.

    python benchmarks/map_speed.py PHOTO [--model NAME] [--rounds N] [--methods NAME...]

Every map is computed between two sets of bare passes on the same input, one photo at a time: forward without a
gradient, and forward with backward. A map's passes are counted while it is computed; its ratio is its time over that
of as many bare passes, and the table gives the median over the rounds. "Told" is the number of passes that `passes_of`
says beforehand; "estimate" is the time that the page would show before the first map of a method, from the first bare
passes of the run, over the time that the map took. All times are processor time of one thread, which other work on the
machine disturbs less than the clock on the wall.

The last lines are from the file to the map at the photo's own pixels, and the check against random maps by the engine.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from metaiqa_core.assess import Assessor  # noqa: E402
from metaiqa_core.engine.onnx_engine import processors  # noqa: E402
from metaiqa_core.explain.evidence import deletion_insertion, deletion_passes  # noqa: E402
from metaiqa_core.explain.gradient_maps import GradientMap, gradient_map  # noqa: E402
from metaiqa_core.explain.methods import METHODS  # noqa: E402
from metaiqa_core.explain.passes import Passes, PassTimes, passes_of  # noqa: E402
from metaiqa_core.images import Photo, decode  # noqa: E402
from metaiqa_core.progress import finish  # noqa: E402

SLOW_PASSES = 5
"""Passes from which a method gets a third of the rounds, but three sets of bare passes before and after each."""


class Counted(nn.Module):
    """A network that counts the photos that pass through it and through its twins.

    Args:
        network: Network from photos (B, 3, H, W) in [0, 1] to scores (B,).
    """

    forward_passes = gradient_passes = 0

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Count the photos and score them."""
        if images.requires_grad:
            Counted.gradient_passes += len(images)
        else:
            Counted.forward_passes += len(images)
        return self.network(images)


@dataclass(frozen=True)
class Trial:
    """One map between two sets of bare passes.

    Attributes:
        ratio: Time of the map over that of as many bare passes.
        seconds: Time of the map.
        passes: Passes that it took.
    """

    ratio: float
    seconds: float
    passes: Passes


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photo", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), metavar="NAME")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if processors() != 1:
        parser.error("set OMP_NUM_THREADS=1: times of several threads are not comparable")
    assessor, photo = Assessor.load(arguments.model), decode(arguments.photo)
    images = assessor.preprocessing(photo)
    height, width = images.shape[2:]
    bare_passes(assessor, images)  # the first call pays for set-up
    first = bare_passes(assessor, images)
    per_pixel = PassTimes(first.forward / (width * height), first.gradient / (width * height))
    date = datetime.now(UTC).date().isoformat()
    print(f"{assessor.card.name}, {width}x{height}, one thread, {date}")
    print(f"bare passes: forward {1000 * first.forward:.0f} ms, with backward {1000 * first.gradient:.0f} ms")
    print("| method | passes (forward + with backward) | time / bare passes | told | estimate / time |")
    print("|---|---|---|---|---|")
    for method in arguments.methods:
        is_slow = METHODS[method].cost >= SLOW_PASSES
        rounds = max(1, arguments.rounds // 3) if is_slow else arguments.rounds
        trials = [compare(assessor, photo, images, method, bare=3 if is_slow else 1) for _ in range(rounds)]
        taken, told = trials[-1].passes, passes_of(method, width, height)
        seconds = statistics.median(trial.seconds for trial in trials)
        print(
            f"| {METHODS[method].title} | {taken.forward} + {taken.gradient} "
            f"| {statistics.median(trial.ratio for trial in trials):.2f} | {told.forward} + {told.gradient} "
            f"| {per_pixel.seconds_of_map(method, width, height) / seconds:.2f} |",
            flush=True,
        )
    from_the_file(assessor, arguments.photo, images, arguments.rounds)
    check_by_engine(assessor, photo, images)


def bare_passes(assessor: Assessor, images: Tensor) -> PassTimes:
    """Return the times of one forward pass, and of one with its backward pass, seconds."""
    laid_out = images.contiguous(memory_format=torch.channels_last)

    def forward() -> None:
        with torch.no_grad():
            assessor.network(laid_out)

    def gradient() -> None:
        leaf = laid_out.clone().requires_grad_()
        torch.autograd.grad(assessor.network(leaf).sum(), leaf)

    return PassTimes(_seconds(forward), _seconds(gradient))


def compare(assessor: Assessor, photo: Photo, images: Tensor, method: str, bare: int) -> Trial:
    """Compute a map between bare passes: so many sets of them before it, and as many after it."""
    around = [bare_passes(assessor, images) for _ in range(bare)]
    Counted.forward_passes = Counted.gradient_passes = 0
    seconds = _seconds(lambda: _map_of(assessor, photo, method))
    passes = Passes(Counted.forward_passes, Counted.gradient_passes)
    around += [bare_passes(assessor, images) for _ in range(bare)]
    return Trial(seconds / statistics.mean(each.seconds(passes, 1) for each in around), seconds, passes)


def from_the_file(assessor: Assessor, file: Path, images: Tensor, rounds: int) -> None:
    """Print what the plain gradient costs from the file to the map at the photo's pixels."""

    def whole() -> None:
        photo = decode(file)
        _map_of(assessor, photo, "saliency").at(photo)

    ratios = []
    for _ in range(rounds):
        before = bare_passes(assessor, images).gradient
        seconds = _seconds(whole)
        ratios.append(2 * seconds / (before + bare_passes(assessor, images).gradient))
    print(f"gradient from the file to the photo's pixels: {statistics.median(ratios):.2f} of forward and backward")


def check_by_engine(assessor: Assessor, photo: Photo, images: Tensor) -> None:
    """Print what the check against random maps costs with the engine that scores."""
    result = _map_of(assessor, photo, "saliency")
    pixels, engine = assessor.preprocessing.pixels(photo), assessor.engine
    engine.unit_score(pixels)
    score = min(_seconds(lambda: engine.unit_score(pixels)) for _ in range(3))
    work = deletion_insertion(assessor.network, photo, assessor.preprocessing, result, unit_score=engine.unit_score)
    seconds = _seconds(lambda: finish(work))
    passes = deletion_passes().forward
    print(
        f"check against random maps: {passes} scores by {engine.name}, {seconds / (passes * score):.2f} of bare ones, "
        f"{seconds / (passes * bare_passes(assessor, images).forward):.2f} of torch's forward passes"
    )


def _map_of(assessor: Assessor, photo: Photo, method: str) -> GradientMap:
    return finish(gradient_map(Counted(assessor.network), photo, assessor.preprocessing, method=method))


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
