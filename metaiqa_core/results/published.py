"""The paper's Tables 2, 3 and 4 as records, read from the files that ship in `assets/benchmarks`."""

import csv
from dataclasses import dataclass
from functools import lru_cache

from metaiqa_core.assets import ASSETS
from metaiqa_core.results.records import Protocol, Published, ResultRecord

_FOLDER = ASSETS / "benchmarks"
PRINTED_DECIMALS = 4  # of Table 2
# Re-synthesised databases share the types of the one that they imitate, never its name.
RESYNTHESES = {"kadid10k-style": "KADID-10k", "tid2013-kodak": "TID2013"}


@dataclass(frozen=True)
class PublishedType:
    """One distortion type of a database.

    Attributes:
        database: Name of the database, "TID2013" or "KADID-10k".
        id: Number of the type in the database, from 1.
        abbreviation: Abbreviation in Table 2, unique within the database.
        name: Name in words.
        family: Family of the type: blur, colour, compression, transmission, noise, brightness, spatial or sharpness.
    """

    database: str
    id: int
    abbreviation: str
    name: str
    family: str


@dataclass(frozen=True)
class PublishedMethod:
    """A published method.

    Attributes:
        name: Name in the tables.
        group: Group of methods, "hand-crafted" or "CNN".
        reference: Authors, venue and year.
    """

    name: str
    group: str
    reference: str


@lru_cache
def distortion_types(database: str) -> tuple[PublishedType, ...]:
    """Return a database's types in the order of their ids; empty for a database without types."""
    database = RESYNTHESES.get(database, database)
    return tuple(
        PublishedType(row["database"], int(row["id"]), row["abbreviation"], row["name"], row["family"])
        for row in _rows("distortion_types.csv")
        if row["database"] == database
    )


@lru_cache
def methods() -> dict[str, PublishedMethod]:
    """Return every published method by name."""
    return {
        row["method"]: PublishedMethod(row["method"], row["group"], row["reference"]) for row in _rows("methods.csv")
    }


@lru_cache
def leave_one_distortion_out() -> tuple[ResultRecord, ...]:
    """Return Table 2 without its average rows: SROCC by method and held-out type."""
    return tuple(record for record in _table2() if record.distortion_type is not None)


@lru_cache
def printed_averages() -> tuple[ResultRecord, ...]:
    """Return the average rows of Table 2 as printed, misprints included."""
    return tuple(record for record in _table2() if record.distortion_type is None)


@lru_cache
def authentic() -> tuple[ResultRecord, ...]:
    """Return Table 3: PLCC and SROCC on the authentic databases; cells that the paper leaves empty are absent."""
    return _by_database("table3_authentic.csv", "Table 3", Protocol.AUTHENTIC)


@lru_cache
def ablation() -> tuple[ResultRecord, ...]:
    """Return Table 4: Baseline and MetaIQA on the authentic databases."""
    return _by_database("table4_ablation.csv", "Table 4", Protocol.ABLATION)


@lru_cache
def biq2021_official_test() -> tuple[tuple[PublishedMethod, tuple[ResultRecord, ...]], ...]:
    """Return what others report on BIQ2021's official test split: each method with its PLCC and SROCC, if reported."""
    found = []
    for row in _rows("biq2021_official_test.csv"):
        method = PublishedMethod(row["method"], row["group"], row["reference"])
        source = Published("official test split", method.name, method.reference)
        records = tuple(
            ResultRecord(
                method.name, "BIQ2021", Protocol.AUTHENTIC, None, metric.lower(), float(row[metric]), None, None, source
            )
            for metric in ("PLCC", "SROCC")
            if row[metric]
        )
        found.append((method, records))
    return tuple(found)


def _table2() -> list[ResultRecord]:
    records = []
    for row in _rows("table2_leave_one_distortion_out.csv"):
        database, printed_type = row.pop("database"), row.pop("distortion")
        held_out = None if printed_type == "Average" else printed_type
        for method, value in row.items():
            source = Published("Table 2", f"{database} {printed_type}, {method}")
            records.append(
                ResultRecord(
                    method,
                    database,
                    Protocol.LEAVE_ONE_DISTORTION_OUT,
                    held_out,
                    "srocc",
                    float(value),
                    None,
                    None,
                    source,
                )
            )
    return records


def _by_database(file: str, table: str, protocol: Protocol) -> tuple[ResultRecord, ...]:
    records = []
    for row in _rows(file):
        method = row.pop("method")
        for column, value in row.items():
            if not value:
                continue
            database, metric = column.rsplit(" ", 1)
            source = Published(table, f"{method}, {column}")
            records.append(
                ResultRecord(method, database, protocol, None, metric.lower(), float(value), None, None, source)
            )
    return tuple(records)


def _rows(file: str) -> list[dict[str, str]]:
    with (_FOLDER / file).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))
