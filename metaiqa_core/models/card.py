"""The model card: description of a model, its training data, its accuracy and the uncertainty of its scores."""

import json
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Interval, Len, MaxLen

from metaiqa_core.diagnosis import DiagnosisCalibration
from metaiqa_core.errors import CheckpointError
from metaiqa_core.json_files import STRICT, check_json, read_json, validated
from metaiqa_core.models.distortion_graph.graph_config import GraphConfig
from metaiqa_core.models.judged_once import judged_once
from metaiqa_core.models.regressor_config import RegressorConfig
from metaiqa_core.preprocessing import Preprocessing

CARD_VERSION = 1
_MAXIMUM_BYTES = 2**20
_QUANTILES = 101
_ACCURACY_RANGES = {"srocc": (-1.0, 1.0), "plcc": (-1.0, 1.0), "krocc": (-1.0, 1.0), "rmse": (0.0, 100.0)}
"""Ranges of a card's accuracies, and so of their means and standard deviations."""

Score = Annotated[float, Interval(ge=0, le=100)]
Line = Annotated[str, Len(1, 200)]
Paragraph = Annotated[str, MaxLen(10_000)]


@dataclass(frozen=True)
class Calibration:
    """Uncertainty of the model's scores, measured on held-out predictions, all on the 0-100 scale.

    Attributes:
        level: Nominal coverage of the interval, in (0, 1).
        half_width: Conformal quantile of the absolute held-out residuals: half the interval's width, points.
        measured_coverage: Share of held-out opinion scores inside intervals calibrated on the other splits.
        population: Name of the photos that the percentile compares with.
        population_size: Number of those photos.
        population_quantiles: 101 quantiles (0 %, 1 %, ... 100 %) of their held-out predicted scores.
        smallest_side: Short side of the smallest photos that the interval was measured on, pixels; smaller photos get
            no interval.
    """

    __pydantic_config__ = STRICT

    level: Annotated[float, Interval(gt=0, lt=1)]
    half_width: Score
    measured_coverage: Annotated[float, Interval(ge=0, le=1)]
    population: Line
    population_size: Annotated[int, Interval(ge=1, le=10**9)]
    population_quantiles: tuple[Score, ...]
    smallest_side: Annotated[int, Interval(ge=0, le=100_000)] = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "population_quantiles", tuple(self.population_quantiles))
        if len(self.population_quantiles) != _QUANTILES:
            raise ValueError(f"population_quantiles must hold 101 values, got {len(self.population_quantiles)}")
        for place, (one, next_one) in enumerate(pairwise(self.population_quantiles)):
            if one > next_one:
                raise ValueError(
                    f"population_quantiles must ascend, got {one:g} at {place} % and {next_one:g} at {place + 1} %"
                )


@dataclass(frozen=True)
class ModelCard:
    """Everything about a model but its weights.

    Attributes:
        name: Name of the model for users.
        summary: Summary of the model in one sentence.
        architecture: `regressor` for our network (Eq. 1), `personal` for ours with a correction towards one person's
            taste, `released-code` for the authors' published one, `distortion-graph` for the graph model.
        regressor: Configuration of the network; None for the last two.
        preprocessing: Steps from a photo to the network's input.
        training_data: Images that the model was trained on, and who rated them.
        licence: Terms of the weights and of the data behind them.
        recipe: Command and configuration that made the model.
        accuracy: Measured accuracy: protocol, seeds, date, and the numbers.
        calibration: Interval and percentile; None where no held-out predictions exist.
        sha256: SHA-256 of the weights file.
        created: Date on which the card was made, ISO 8601.
        code_version: Version of this package that wrote the card.
        score_scale: Meaning of the network's output.
        graph: Configuration of the graph model; None for the others.
        diagnosis: Figures that say how far the graph model's answers can be trusted; None for the others.
    """

    __pydantic_config__ = STRICT

    name: Line
    summary: Paragraph
    architecture: Literal["regressor", "released-code", "personal", "distortion-graph"]
    regressor: RegressorConfig | None
    preprocessing: Preprocessing
    training_data: Paragraph
    licence: Paragraph
    recipe: dict[str, Any] = field(default_factory=dict)
    accuracy: dict[str, Any] = field(default_factory=dict)
    calibration: Calibration | None = None
    sha256: Annotated[str, MaxLen(64)] = ""
    created: Annotated[str, MaxLen(40)] = ""
    code_version: Annotated[str, MaxLen(200)] = ""
    score_scale: Paragraph = "unit score in [0, 1], higher is better; shown times 100"
    graph: GraphConfig | None = None
    diagnosis: DiagnosisCalibration | None = None

    def __post_init__(self) -> None:
        if not self.name.isprintable():
            raise ValueError(f"name must be one line of printable characters, got {self.name!r:.60}")
        if self.architecture in ("regressor", "personal") and self.regressor is None:
            raise ValueError("the regressor's configuration is missing")
        if self.architecture == "distortion-graph" and (self.graph is None or self.diagnosis is None):
            raise ValueError("the graph model's configuration or its calibration is missing")
        check_json(self.recipe, "recipe")
        check_json(self.accuracy, "accuracy")
        for criterion, (low, high) in _ACCURACY_RANGES.items():
            for name in (criterion, f"{criterion}_mean", f"{criterion}_std"):
                value = self.accuracy.get(name, low)
                if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                    raise ValueError(f"accuracy.{name} must be a number from {low:g} to {high:g}, got {value!r:.60}")

    def to_json(self) -> str:
        """Return the card as indented JSON."""
        content = asdict(self)
        content["preprocessing"] = self.preprocessing.to_dict()
        content["regressor"] = self.regressor.to_dict() if self.regressor else None
        content["graph"] = self.graph.to_dict() if self.graph else None
        for name in ("graph", "diagnosis"):  # which most models do not have
            if content[name] is None:
                del content[name]
        return json.dumps({"card_version": CARD_VERSION, **content}, indent=2, ensure_ascii=False) + "\n"


def read_card(path: Path) -> ModelCard:
    """Read a model card.

    Raises:
        CheckpointError: If the file is missing, damaged or of another version, or holds a wrong value.
    """
    try:
        content = read_json(path, _MAXIMUM_BYTES)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"The model card {path.name} is missing; weights are only used together with their card. Restore the file, "
            "or bring foreign weights in with `models import FILE`."
        ) from error
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"The model card {path.name} cannot be read as JSON: {error}. Restore the file."
        ) from error
    version = content.pop("card_version", None) if isinstance(content, dict) else None
    if isinstance(version, bool) or version != CARD_VERSION:
        raise CheckpointError(
            f"{path.name} is not a model card of version {CARD_VERSION}: it is another file, or of another version."
        )
    if unknown := sorted(content.keys() - {item.name for item in fields(ModelCard)}):
        raise CheckpointError(
            f"The model card {path.name} has a field that this version does not know: {unknown[0]:.60}."
        )
    try:
        if "preprocessing" in content:  # whose fields have defaults: one that a card leaves out would change its scores
            Preprocessing.from_dict(content["preprocessing"])
        return judged_once(ModelCard, content)
    except (CheckpointError, ValueError) as error:
        raise CheckpointError(
            f"The model card {path.name} is not valid: {str(error).rstrip('.')}. Restore the file."
        ) from error


def check_name(name: str) -> None:
    """Refuse a name of a model that is no valid file name on every system, or that makes a hidden file.

    Raises:
        ValueError: If the name has other characters than letters, digits, spaces, dots, dashes and the like, is too
            long, or starts with a dot.
    """
    if not name.isprintable() or name.startswith(".") or len(name.encode()) > 200 or set(name) & set('/\\:*?"<>|'):
        raise ValueError(
            "a model's name is also the name of its files: expected up to 200 printable characters without slashes, "
            f"colons, quotation marks and the like, the first one no dot, got {name!r:.80}"
        )


def check_card(card: ModelCard) -> None:
    """Make sure that a card can be read again once it is written.

    Raises:
        CheckpointError: If a value has the wrong type or lies out of range.
    """
    content = json.loads(card.to_json())
    del content["card_version"]
    try:
        validated(ModelCard, content)
    except ValueError as error:
        raise CheckpointError(f"The card of the model {card.name!s:.60} cannot be written: {error}.") from error
