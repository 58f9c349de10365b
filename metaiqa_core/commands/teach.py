"""Teach a model one person's taste from their ratings of photos, and judge whether it agrees better now."""

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np

from metaiqa_core.commands.output import as_json, as_table, finish_with_bar, say, write
from metaiqa_core.errors import TasteError
from metaiqa_core.files import check_output
from metaiqa_core.foreign_text import path_from_text
from metaiqa_core.models.model_files import find_model
from metaiqa_core.progress import Progress, Work
from metaiqa_core.taste.general_model import GeneralModel
from metaiqa_core.taste.judgement import LEVEL
from metaiqa_core.taste.ratings import Ratings
from metaiqa_core.taste.ratings_file import read_ratings
from metaiqa_core.taste.taste import require_teachable
from metaiqa_core.taste.teaching import Taught, personal_file, teach


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "ratings",
        type=Path,
        metavar="RATINGS.csv",
        help="ratings: columns image and stars (1 to 5), or better and worse (two photos), or all four",
    )
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="folder of the photos (default: that of the ratings)"
    )
    parser.add_argument(
        "--model", default="default", metavar="NAME|FILE", help="model to start from (default: %(default)s)"
    )
    parser.add_argument("--name", help="name of the personal model, by which --model finds it")
    parser.add_argument("--output", type=Path, metavar="FILE", help=".safetensors file to write instead")
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="format of the judgement (default: table)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Learn the taste, write the personal model, and print what ratings that were left out say of it."""
    ratings = read_ratings(arguments.ratings)
    require_teachable(ratings)
    files = {name: _found(name, arguments.images or arguments.ratings.parent) for name in ratings.photos}
    output = _output(arguments, list(files.values()))
    taught = finish_with_bar(_teach(GeneralModel(arguments.model), ratings, files))
    card = taught.save(output)
    answer = _answer(taught, card.name, output)
    if arguments.format == "json":
        write(as_json(answer), None)
    else:
        rows = [[name.replace("_", " "), value] for name, value in answer.items() if name != "interval"]
        write(as_table(rows, ["", ""]), None)
    if arguments.output is None:
        say(f"taught as {card.name}: use it with --model {card.name}")
    return 0


def _teach(general: GeneralModel, ratings: Ratings, files: dict[str, Path]) -> Work[Taught]:
    seen = []
    for number, file in enumerate(files.values(), start=1):
        seen.append(general.see(file))
        yield Progress("looking at photos", number, len(files))
    return teach(general, list(files), np.stack(seen), ratings)


def _found(name: str, folder: Path) -> Path:
    path = folder / path_from_text(name)
    if not path.is_file():
        raise TasteError(f"There is no photo {path}: name the folder of the photos with --images.")
    return path


def _output(arguments: argparse.Namespace, photos: list[Path]) -> Path:
    if (arguments.name is None) == (arguments.output is None):
        raise TasteError("Say where the personal model goes: either --name NAME or --output FILE.")
    output: Path = arguments.output or personal_file(arguments.name)
    if output.suffix != ".safetensors":
        raise TasteError(f"A model's file ends in .safetensors, got {output.name}.")
    start = find_model(arguments.model)
    for file in (output, output.with_suffix(".json")):
        check_output(file, [arguments.ratings, start, start.with_suffix(".json"), *photos])
    return output


def _answer(taught: Taught, name: str, output: Path) -> dict[str, Any]:
    judgement = taught.judgement
    return {
        "verdict": str(judgement.verdict),
        "model": name,
        "file": os.fspath(output),
        "start": taught.general.card.name,
        "stars": len(taught.ratings.stars),
        "choices": len(taught.ratings.choices),
        "pairs_judged": judgement.pairs,
        "in_your_order_before": round(judgement.before, 4),
        "in_your_order_after": round(judgement.after, 4),
        "gain_low": round(judgement.low, 4),
        "gain_high": round(judgement.high, 4),
        "interval": LEVEL,
    }
