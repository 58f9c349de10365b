"""The content of `results.json`: types and limits of all fields, judged before a record is made."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Interval, Len, MaxLen

from metaiqa_core.json_files import STRICT
from metaiqa_core.results.predictions import PredictionFile
from metaiqa_core.results.records import MAXIMUM_IMAGES, Protocol

FORMAT = "metaiqa-results"
SCHEMA_VERSION = 1

Name = Annotated[str, Len(1, 300)]
Text = Annotated[str, MaxLen(1000)]
Place = Annotated[int, Interval(ge=0)]
_WHOLE = ("k", "inner_steps", "labelled_photos")
"""Entries of a configuration that charts count by."""


@dataclass(frozen=True)
class StoredSource:
    """A `Measured` whose configuration is a place in a list."""

    __pydantic_config__ = STRICT

    run: Text
    model_hash: Text
    configuration: Place
    seed: int
    split_hash: Text
    date: Annotated[str, MaxLen(40)]
    code_version: Text
    predictions: Text | None = None


@dataclass(frozen=True)
class StoredRecord:
    """A `ResultRecord` whose source is a place in a list."""

    __pydantic_config__ = STRICT

    method: Name
    database: Name
    protocol: Protocol
    distortion_type: Text | None
    metric: Name
    value: float
    interval: tuple[float, float] | None
    n: Annotated[int, Interval(ge=1, le=MAXIMUM_IMAGES)] | None
    source: Place
    label: Text = ""


@dataclass(frozen=True)
class StoredRun:
    """Everything that a run holds; the attributes are explained in `storage`."""

    __pydantic_config__ = STRICT

    format: Literal["metaiqa-results"]
    schema_version: Literal[1]
    configurations: list[dict[str, Any]]
    sources: list[StoredSource]
    records: list[StoredRecord]
    predictions: dict[str, PredictionFile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place, configuration in enumerate(self.configurations):
            for name in _WHOLE:
                value = configuration.get(name)
                if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                    raise ValueError(
                        f"configurations.{place}.{name} must be a whole number of at least 1, got {value!r:.60}"
                    )
