"""The models that come with the program, as rows beside published ones: what their cards say was measured here."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from metaiqa_core.errors import CheckpointError
from metaiqa_core.models.card import ModelCard, read_card
from metaiqa_core.models.model_files import SHIPPED_MODELS
from metaiqa_core.results.records import Measured, Protocol, ResultRecord

_DATABASES = {"LIVE Challenge": "LIVE Challenge", "LIVE In the Wild": "LIVE Challenge", "KonIQ-10k": "KonIQ-10k"}
"""Databases of Table 3, by how a card's text begins."""
OFFICIAL_TEST = "official test split of BIQ2021"
"""Name, in a card's accuracy, of what was measured there."""


@dataclass(frozen=True)
class ShippedModel:
    """A model with the numbers of its card.

    Attributes:
        records: PLCC and SROCC, labelled with the model and "measured here".
        source: Origin of the numbers in one sentence: data, splits and date.
    """

    records: tuple[ResultRecord, ...]
    source: str


@st.cache_data(show_spinner=False)
def shipped_models() -> list[ShippedModel]:
    """Return the shipped models whose accuracy was measured on a database of Table 3."""
    return [model for card in _cards() if (model := _model(card))]


@st.cache_data(show_spinner=False)
def on_biq2021() -> list[ShippedModel]:
    """Return the shipped models that were judged on BIQ2021's official test split."""
    return [model for card in _cards() if (model := _on_biq2021(card))]


def _cards() -> Iterator[ModelCard]:
    """Yield the cards of the shipped models that can be read."""
    for path in sorted(SHIPPED_MODELS.glob("*.json")):
        with contextlib.suppress(CheckpointError):
            yield read_card(path)


def _on_biq2021(card: ModelCard) -> ShippedModel | None:
    judged = card.accuracy.get(OFFICIAL_TEST)
    if not isinstance(judged, dict):
        return None
    low, high = judged["srocc_interval"]
    sentence = (
        f"{card.name}, measured here: SROCC {judged['srocc']:.3f} (95 % interval {low:.3f} to {high:.3f}) on "
        f"all {judged['n']:,} photos of the official test split, once, {judged['date']}."
    )
    values = {metric: judged[metric] for metric in ("plcc", "srocc")}
    return ShippedModel(_records(card, "BIQ2021", values, judged["date"]), sentence)


def _model(card: ModelCard) -> ShippedModel | None:
    told, splits = str(card.accuracy.get("database", "")), card.accuracy.get("splits")
    database = next((name for begin, name in _DATABASES.items() if told.startswith(begin)), None)
    values = {metric: card.accuracy.get(f"{metric}_mean") for metric in ("plcc", "srocc")}
    if database is None or None in values.values():
        return None
    date = str(card.accuracy.get("date", ""))
    spread = card.accuracy.get("srocc_std")
    about = f" ± {spread:.3f}" if isinstance(spread, float) else ""
    sentence = (
        f"{card.name}, measured here: SROCC {values['srocc']:.3f}{about}, mean of {splits} random 80/20 splits of "
        f"{told}, {date}."
    )
    return ShippedModel(_records(card, database, values, date), sentence)


def _records(card: ModelCard, database: str, values: Mapping[str, Any], date: str) -> tuple[ResultRecord, ...]:
    source = Measured(card.name, card.sha256, {}, 0, "", date, card.code_version)
    return tuple(
        replace(
            ResultRecord(card.name, database, Protocol.AUTHENTIC, None, metric, float(value or 0), None, None, source),
            label=f"{card.name} · measured here",
        )
        for metric, value in values.items()
    )
