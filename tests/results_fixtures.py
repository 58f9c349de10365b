"""Runs that the tests make up; their numbers mean nothing and never leave a temporary folder."""

from pathlib import Path

import numpy as np
import pandas as pd

from metaiqa_core.evaluation.criteria import srocc
from metaiqa_core.foreign_text import name_text
from metaiqa_core.results import published, storage
from metaiqa_core.results.records import Measured, Protocol, ResultRecord


def measured(run, predictions=None, seed=0, date="2026-03-01T12:00:00", **configuration):
    return Measured(run, "ab" * 32, configuration, seed, "cd" * 32, date, "0.1.0", predictions)


def predictions(held_out="", count=125, agreement=0.8, seed=0):
    generator = np.random.default_rng(seed)
    level = np.tile(np.arange(1, 6), count // 5 + 1)[:count]
    opinion = np.clip(0.95 - 0.15 * level + generator.normal(0, 0.06, count), 0, 1)
    noise = generator.normal(0, 0.2, count)
    return pd.DataFrame(
        {
            "image": [f"i{position // 5 + 1:02d}_{position % 5 + 1}.bmp" for position in range(count)],
            "reference": [f"i{position // 5 + 1:02d}" for position in range(count)],
            "distortion_type": held_out,
            "level": level,
            "opinion_score": opinion,
            "predicted_score": np.clip(agreement * opinion + (1 - agreement) * (0.5 + noise), 0, 1),
        }
    )


def leave_one_out_run(
    runs: Path,
    name,
    database="TID2013",
    method="MetaIQA",
    agreement=0.8,
    types=None,
    count=125,
    protocol=Protocol.LEAVE_ONE_DISTORTION_OUT,
    **configuration,
):
    records, frames = [], {}
    for position, entry in enumerate(published.distortion_types(database)[:types]):
        cell = f"{entry.abbreviation}-seed0"
        frame = predictions(entry.abbreviation, count=count, agreement=agreement, seed=position)
        value = srocc(frame["predicted_score"], frame["opinion_score"])
        frames[cell] = frame
        source = measured(name_text(name), cell, inner_steps=6, k=5, **configuration)
        interval = (max(-1, value - 0.08), min(1, value + 0.05))
        record = ResultRecord(
            method,
            database,
            protocol,
            entry.abbreviation,
            "srocc",
            value,
            interval,
            count,
            source,
        )
        records.append(record)
    return storage.write_run(runs / name, records, frames)


def repeats_run(runs: Path, name, method="MetaIQA", protocol=Protocol.AUTHENTIC, level=0.8, repeats=10):
    generator = np.random.default_rng(len(name))
    records, frames = [], {}
    for seed in range(repeats):
        for metric in ("plcc", "srocc"):
            value = float(level + (metric == "plcc") * 0.03 + generator.normal(0, 0.015))
            cell = f"live-challenge-seed{seed}"
            frames.setdefault(cell, predictions(count=60, seed=seed).assign(level=0, reference=""))
            source = measured(name, cell, seed=seed)
            records.append(ResultRecord(method, "LIVE Challenge", protocol, None, metric, value, None, 60, source))
    return storage.write_run(runs / name, records, frames)


def ablation_run(runs: Path, name, levels):
    """A run of several methods on the same splits, each with its level of SROCC and PLCC."""
    records = [
        ResultRecord(method, "LIVE Challenge", Protocol.ABLATION, None, metric, level + 0.01 * seed, None, 60, source)
        for seed in range(3)
        for source in [measured(name, seed=seed)]
        for method, level in levels.items()
        for metric in ("plcc", "srocc")
    ]
    return storage.write_run(runs / name, records)


def parameter_run(runs: Path, name):
    records = []
    for seed in range(2):
        for key, values, fixed in (("k", range(1, 9), {"inner_steps": 6}), ("inner_steps", range(1, 9), {"k": 5})):
            for value in values:
                srocc_value = 0.7 + 0.08 * (1 - np.exp(-value / 2)) + 0.005 * seed
                source = measured(name, seed=seed, **{key: value, **fixed}, study=key)
                records.append(
                    ResultRecord(
                        "MetaIQA",
                        "LIVE Challenge",
                        Protocol.PARAMETER_STUDY,
                        None,
                        "srocc",
                        srocc_value,
                        None,
                        232,
                        source,
                    )
                )
    return storage.write_run(runs / name, records)


def adaptation_run(runs: Path, name):
    records = []
    starts = {"MetaIQA prior": 0.45, "Baseline": 0.4, "ImageNet": 0.2}
    for start, level in starts.items():
        for seed in range(3):
            for photos in (10, 20, 50, 100, 200, 744):
                value = level + (0.8 - level) * (1 - np.exp(-photos / 150)) + 0.01 * seed
                source = measured(name, seed=seed, labelled_photos=photos, start=start)
                records.append(
                    ResultRecord(
                        start, "LIVE Challenge", Protocol.ADAPTATION_CURVE, None, "srocc", value, None, 186, source
                    )
                )
    return storage.write_run(runs / name, records)
