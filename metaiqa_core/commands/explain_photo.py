"""The work behind the command `explain`, apart from its options: Captum and Matplotlib take seconds to import."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metaiqa_core.commands.output import as_json, finish_with_bar, say, write
from metaiqa_core.errors import ExplanationError
from metaiqa_core.explain.evidence import deletion_insertion, randomisation
from metaiqa_core.explain.gradient_maps import GradientMap, gradient_map
from metaiqa_core.explain.map_files import MAP_SUFFIXES, metadata_of, save_map
from metaiqa_core.explain.measured import NOT_INFORMATIVE, localisation_of
from metaiqa_core.explain.methods import METHODS, find_method
from metaiqa_core.explain.overlay import Mode
from metaiqa_core.explain.regions import worst_regions
from metaiqa_core.files import check_output
from metaiqa_core.images import Photo, decode
from metaiqa_core.models.checkpoints import Checkpoint, load_checkpoint
from metaiqa_core.models.model_files import find_model
from metaiqa_core.preprocessing import Preprocessing


def explain_photo(arguments: argparse.Namespace) -> int:
    """Compute the maps, write them, print their description as JSON, and return the exit status."""
    if not 0 <= arguments.opacity <= 1:
        raise ExplanationError(f"The opacity must be in 0 to 1, got {arguments.opacity:g}.")
    several = arguments.methods is not None
    methods = _chosen(arguments.methods) if several else [find_method(arguments.method).key]
    _check_output(arguments.output, several=several)
    _check_targets(arguments, methods, several=several)
    checkpoint = load_checkpoint(arguments.model)
    photo = decode(arguments.photo)  # in full: the map is laid over every pixel of it
    described = []
    for method in methods:
        result = finish_with_bar(
            gradient_map(
                checkpoint.network,
                photo,
                checkpoint.preprocessing,
                method=method,
                model=checkpoint.card.name,
                seed=arguments.seed,
            )
        )
        targets = _targets(arguments.output, method, several=several)
        for target in targets:
            _save(result, target, photo, arguments.opacity, arguments.mode)
        description = _describe(result, photo, targets)
        if arguments.evidence:
            description["evidence"] = _evidence(checkpoint, photo, checkpoint.preprocessing, result, arguments.seed)
        described.append(description)
        if several:  # after each, so that the maps that are finished stay described whatever happens to the next
            write(as_json(described), arguments.output / "maps.json")
    if not several:
        write(as_json(described[0]), None)
    return 0


def _chosen(names: str) -> list[str]:
    if names == "all":
        return list(METHODS)
    return list(dict.fromkeys(find_method(name.strip()).key for name in names.split(",")))


def _check_output(output: Path, *, several: bool) -> None:
    """Refuse a wrong target before the work, not after it."""
    if several and output.exists() and not output.is_dir():
        raise ExplanationError(f"Several maps go into a folder, but {output.name} is a file: name another place.")
    if not several and (output.suffix.lower() not in MAP_SUFFIXES or output.is_dir()):
        raise ExplanationError(f"A map is written as .png or .npz, got {output.name!r}: choose one of the two endings.")


def _targets(output: Path, method: str, *, several: bool) -> list[Path]:
    return [output / f"{method}{suffix}" for suffix in MAP_SUFFIXES] if several else [output]


def _check_targets(arguments: argparse.Namespace, methods: Sequence[str], *, several: bool) -> None:
    """Refuse files that cannot be written or that are the photo or the model."""
    model = find_model(arguments.model)
    for method in methods:
        for target in _targets(arguments.output, method, several=several):
            check_output(target, [Path(arguments.photo), model, model.with_suffix(".json")])
    if several:
        check_output(arguments.output / "maps.json", [Path(arguments.photo), model.with_suffix(".json")])


def _save(result: GradientMap, target: Path, photo: Photo, opacity: float, mode: Mode | None) -> None:
    save_map(result, target, photo, opacity=opacity, mode=mode)
    say(f"wrote {target}")


def _describe(result: GradientMap, photo: Photo, targets: Sequence[Path]) -> dict[str, Any]:
    measured = localisation_of(result.model, result.method)
    regions = worst_regions(result.at(photo), signed=find_method(result.method).signed)
    found: dict[str, Any] | None = None
    if measured is not None:
        found = {
            "ratio": measured.ratio_mean,
            "interval": [measured.low, measured.high],
            "chance": 1,
            "photos": measured.n_photos,
            "date": measured.date,
            "verdict": "finds damage better than chance" if measured.informative else NOT_INFORMATIVE,
        }
    return metadata_of(result) | {
        "files": [str(target) for target in targets],
        "worst_regions": [
            {"top": region.top, "left": region.left, "bottom": region.bottom, "right": region.right}
            | {"share": round(region.share, 4)}
            for region in regions
        ],
        "localisation": found,
    }


def _evidence(
    checkpoint: Checkpoint, photo: Photo, preprocessing: Preprocessing, result: GradientMap, seed: int
) -> dict[str, Any]:
    curves = finish_with_bar(deletion_insertion(checkpoint.network, photo, preprocessing, result, seed=seed))
    random = finish_with_bar(randomisation(checkpoint.network, photo, preprocessing, result, seed=seed))
    return {
        "deletion_gain": curves.deletion_gain,
        "insertion_gain": curves.insertion_gain,
        "beats_random_maps": curves.beats_random,
        "random_maps": len(curves.random_deletion),
        "correlation_with_random_head": random.head,
        "correlation_with_random_weights": random.backbone,
        "looks_at_model": random.looks_at_model,
    }
