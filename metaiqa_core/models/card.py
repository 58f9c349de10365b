"""The model card: what a model is, what it was trained on, and how far its scores can be trusted."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from metaiqa_core.errors import CheckpointError
from metaiqa_core.models.regressor import RegressorConfig
from metaiqa_core.preprocessing import Preprocessing

CARD_VERSION = 1


@dataclass(frozen=True)
class Calibration:
    """What held-out predictions taught about the model's scores, all on the 0-100 scale.

    Attributes:
        level: Nominal coverage of the interval, in (0, 1).
        half_width: Conformal quantile of the absolute held-out residuals: half the interval's width, points.
        measured_coverage: Share of held-out opinion scores inside intervals calibrated on the other splits.
        population: Name of the photos that the percentile speaks about.
        population_size: Number of them.
        population_quantiles: 101 quantiles (0 %, 1 %, ... 100 %) of their held-out predicted scores.
        smallest_side: Short side of the smallest photos that the interval was measured on, pixels; smaller ones get
            none.
    """

    level: float
    half_width: float
    measured_coverage: float
    population: str
    population_size: int
    population_quantiles: tuple[float, ...]
    smallest_side: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "population_quantiles", tuple(self.population_quantiles))
        if len(self.population_quantiles) != 101:
            raise ValueError(f"population_quantiles must hold 101 values, got {len(self.population_quantiles)}")


@dataclass(frozen=True)
class ModelCard:
    """Everything about a model but its weights.

    Attributes:
        name: Name of the model for users.
        summary: One sentence.
        architecture: `regressor` is our network (Eq. 1); `released-code` the authors' published one.
        regressor: Configuration of the network; None for `released-code`.
        preprocessing: Steps from a photo to the network's input.
        training_data: The images that it was trained on, and by whom they were rated.
        licence: Terms of the weights and of the data behind them.
        recipe: The command and the configuration that made it.
        accuracy: Measured accuracy: protocol, seeds, date, and the numbers.
        calibration: Interval and percentile; None where no held-out predictions exist.
        sha256: Of the weights file.
        created: ISO date.
        code_version: Version of this package that wrote it.
    """

    name: str
    summary: str
    architecture: Literal["regressor", "released-code"]
    regressor: RegressorConfig | None
    preprocessing: Preprocessing
    training_data: str
    licence: str
    recipe: dict[str, Any] = field(default_factory=dict)
    accuracy: dict[str, Any] = field(default_factory=dict)
    calibration: Calibration | None = None
    sha256: str = ""
    created: str = ""
    code_version: str = ""
    score_scale: str = "unit score in [0, 1], higher is better; shown times 100"

    def to_json(self) -> str:
        """Return the card as indented JSON."""
        content = asdict(self)
        content["preprocessing"] = self.preprocessing.to_dict()
        content["regressor"] = self.regressor.to_dict() if self.regressor else None
        return json.dumps({"card_version": CARD_VERSION, **content}, indent=2, ensure_ascii=False) + "\n"


def read_card(path: Path) -> ModelCard:
    """Read a model card.

    Raises:
        CheckpointError: If the file is missing, damaged or of another version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"The model card {path.name} is missing; weights are only used together with their card. Restore the file, "
            "or bring foreign weights in with `models import FILE`."
        ) from error
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"The model card {path.name} cannot be read as JSON: {error}. Restore the file."
        ) from error
    if not isinstance(content, dict) or content.pop("card_version", None) != CARD_VERSION:
        raise CheckpointError(
            f"{path.name} is not a model card of version {CARD_VERSION}: it is another file, or of another version."
        )
    known = {item.name for item in fields(ModelCard)}
    unknown = sorted(set(content) - known)
    if unknown:
        raise CheckpointError(f"The model card {path.name} has a field that this version does not know: {unknown[0]}.")
    try:
        content["preprocessing"] = Preprocessing.from_dict(content["preprocessing"])
        if content.get("regressor") is not None:
            content["regressor"] = RegressorConfig(**content["regressor"])
        if content.get("calibration") is not None:
            content["calibration"] = Calibration(**content["calibration"])
        card = ModelCard(**content)
        if card.architecture not in ("regressor", "released-code"):
            raise ValueError(f"architecture must be regressor or released-code, got {card.architecture!r}")
        if card.architecture == "regressor" and card.regressor is None:
            raise ValueError("the regressor's configuration is missing")
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"The model card {path.name} is not valid: {error}. Restore the file.") from error
    return card
