"""Assessments and diagnoses as plain values for a session's journal, and back."""

import dataclasses
from typing import Any

from metaiqa_core.assessment import Assessment, QualityMap
from metaiqa_core.diagnosis import Diagnosis
from metaiqa_core.json_files import validated


def to_record(value: Assessment | QualityMap | Diagnosis) -> dict[str, Any]:
    """Return an assessment, a quality map or a diagnosis as values for JSON."""
    return dataclasses.asdict(value)


def assessment_from(record: dict[str, Any]) -> Assessment:
    """Return the assessment that `to_record` wrote, with the same bits.

    Raises:
        ValueError: If a field is missing or wrong.
    """
    return validated(Assessment, record)


def quality_map_from(record: dict[str, Any]) -> QualityMap:
    """Return the quality map that `to_record` wrote, with the same bits.

    Raises:
        ValueError: If a field is missing or wrong.
    """
    return validated(QualityMap, record)


def diagnosis_from(record: dict[str, Any]) -> Diagnosis:
    """Return the diagnosis that `to_record` wrote, with the same bits.

    Raises:
        ValueError: If a field is missing or wrong.
    """
    return validated(Diagnosis, record)
