"""The folder of a re-synthesised database: images, references, `recipe.json`, `scores.csv` and `database.json`.

recipe.json           configuration that the pixels depend on; written first: another recipe is refused in the same
folder references/REF.png    the pristine windows, not rated images/REF_TT_L.png   one distorted image: type id TT,
level L scores.csv            image, reference, type, level, mos (raw scale), mos_std, label_source database.json
name, raw range and origin; written last: it marks a complete database
"""

import csv
import io
import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from metaiqa_core import __version__
from metaiqa_core.distortions import DistortionType
from metaiqa_core.errors import DatabaseError
from metaiqa_core.files import write_text
from metaiqa_core.foreign_text import csv_text, path_text
from metaiqa_core.synthesis.configuration import SynthesisConfig
from metaiqa_core.synthesis.labels import Label
from metaiqa_core.synthesis.references import Reference

FORMAT = 1
COLUMNS = ("image", "reference", "type", "level", "mos", "mos_std", "label_source")
LIBRARIES = ("numpy", "pillow", "pywavelets", "scikit-image", "scipy", "torch")


def image_name(reference: str, distortion: DistortionType, level: int) -> str:
    """Return an image's path within the folder, with slashes on every system."""
    return f"images/{reference}_{distortion.id:02}_{level}.png"


def recipe_of(config: SynthesisConfig, references: Mapping[str, str]) -> dict[str, Any]:
    """Return the recipe, everything that the pixels depend on.

    Args:
        config: Configuration, whose types and levels are left out: more of them may be added to a folder.
        references: SHA-256 of every reference window's pixels, by name.
    """
    fields = {name: value for name, value in config.to_dict().items() if name not in ("types", "levels")}
    return {
        "format": FORMAT,
        "configuration": fields,
        "references": dict(references),
        "code_version": __version__,
        "libraries": {name: version(name) for name in LIBRARIES},
        "machine": platform.machine(),
    }


def claim(folder: Path, recipe: dict[str, Any]) -> None:
    """Write the recipe of a folder, or check that it is this one.

    Raises:
        DatabaseError: If the folder holds images of another recipe, or something else altogether.
    """
    file, content = folder / "recipe.json", _json(recipe)
    if file.exists():
        if file.read_text(encoding="utf-8") != content:
            raise DatabaseError(
                f"{folder} holds images of another seed, size, set of photos or version of the program: "
                "choose another --output, or delete that folder."
            )
    elif folder.exists() and any(folder.iterdir()):
        raise DatabaseError(f"{folder} is not empty and holds no recipe.json: choose a new folder for the images.")
    else:
        write_text(file, content)


def write_scores(folder: Path, rows: Sequence[tuple[str, Reference, DistortionType, int, Label]]) -> None:
    """Write `scores.csv` from (image, reference, type, level, label) rows."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for image, reference, distortion, level, label in rows:
        std = "" if label.std is None else f"{label.std:.5f}"
        name = csv_text(path_text(image))
        writer.writerow([name, csv_text(reference.name), distortion.key, level, f"{label.mos:.5f}", std, label.source])
    write_text(folder / "scores.csv", text.getvalue())


def write_description(folder: Path, description: dict[str, Any]) -> None:
    """Write `database.json`, which says that the database is complete."""
    write_text(folder / "database.json", _json({"format": FORMAT, **description}))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
