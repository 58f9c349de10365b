"""What fine-tuning and joint training have in common: they may measure by repeated splits, and then make a model."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaiqa_core import __version__
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.evaluation.protocols import authentic_protocol
from metaiqa_core.experiments.repeated_splits import RepeatedSplits
from metaiqa_core.models.card import Calibration, ModelCard, check_name
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.preprocessing import Preprocessing


@dataclass(frozen=True, kw_only=True)
class NewModelConfig:
    """Settings of the measurement before a model is made, and of the model's card.

    Attributes:
        repeats: Number of repeated splits to measure before the final training; 0 skips them.
        first_seed: Seed of the first split.
        only_measure: Whether to stop after the repeated splits.
        name: Name of the new model; "" takes the name of the run folder.
        training_data: Description of the photos and of who rated them; "" takes the databases' names.
        licence: Terms of the weights and of the data behind them.
        population: Name of the measured database's photos in a percentile; "" takes the name of the database.
    """

    repeats: int = 0
    first_seed: int = 0
    only_measure: bool = False
    name: str = ""
    training_data: str = ""
    licence: str = "not stated"
    population: str = ""

    def __post_init__(self) -> None:
        if self.repeats < 0:
            raise ValueError(f"--repeats must be 0 or more, got {self.repeats}.")
        if self.first_seed < 0:
            raise ValueError(f"--first-seed must be 0 or more, got {self.first_seed}.")
        if self.only_measure and not self.repeats:
            raise ValueError("--only-measure measures by repeated splits: say how many with --repeats.")
        if self.name:
            check_name(self.name)
        if len(self.population) > 200:
            raise ValueError(f"--population must be at most 200 characters, got {len(self.population)}.")


@dataclass(frozen=True, eq=False)
class NewModel:
    """Result of an experiment that makes a model.

    Attributes:
        measured: Results of the repeated splits; None where none were asked for.
        network: The model, in evaluation mode; None where only measuring was asked for.
        file: Weights file of the model, with the card beside it; None where only measuring was asked for.
    """

    measured: RepeatedSplits | None
    network: Regressor | None
    file: Path | None


def new_card(
    network: Regressor,
    preprocessing: Preprocessing,
    name: str,
    *,
    summary: str,
    training_data: str,
    licence: str,
    recipe: Mapping[str, Any],
    accuracy: Mapping[str, Any] | None = None,
    calibration: Calibration | None = None,
) -> ModelCard:
    """Return the card of a network that was trained today, by this version of the program.

    Args:
        network: The network.
        preprocessing: Steps from a photo to its input.
        name: Name of the model for users.
        summary: The model in one sentence.
        training_data: Description of the photos and of who rated them.
        licence: Terms of the weights and of the data behind them.
        recipe: Start, settings and data that the model was made from, JSON-ready.
        accuracy: Measured accuracy, JSON-ready; None where nothing is known yet.
        calibration: Interval and population of its scores; None where they are not known.
    """
    return ModelCard(
        name=name,
        summary=summary,
        architecture="regressor",
        regressor=network.config,
        preprocessing=preprocessing,
        training_data=training_data,
        licence=licence,
        recipe=dict(recipe),
        accuracy=dict(accuracy or {}),
        calibration=calibration,
        created=datetime.date.today().isoformat(),
        code_version=__version__,
    )


def measured_accuracy(measured: RepeatedSplits, database: Database, name: str) -> dict[str, Any]:
    """Return what a card says of the accuracy that repeated splits have shown.

    Args:
        measured: Results of the repeated splits.
        database: Database that they divide.
        name: Name of the database's photos for readers of the card.
    """
    return {
        "protocol": authentic_protocol(database),
        "database": f"{name}, n = {len(database)}",
        "date": datetime.date.today().isoformat(),
        **measured.summary(),
        "srocc_by_split": [round(split.srocc, 4) for split in measured.splits],
        "plcc_by_split": [round(split.plcc, 4) for split in measured.splits],
    }
