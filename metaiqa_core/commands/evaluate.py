"""Evaluate a model on rated photos: SROCC, PLCC, KROCC and RMSE with intervals; SROCC by type."""

import argparse
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from metaiqa_core.assess import Assessor
from metaiqa_core.commands.options.database_choice import add_database_arguments, chosen_database, score_files
from metaiqa_core.commands.options.engine import add_engine_argument
from metaiqa_core.commands.output import as_csv, as_json, as_table, finish_with_bar, say, write
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import DatabaseError, MetaIQAError, OutputError
from metaiqa_core.evaluation.criteria import Criteria, evaluate
from metaiqa_core.evaluation.distortion_types import AgreementByType, agreement_by_type
from metaiqa_core.files import check_output
from metaiqa_core.foreign_text import path_text
from metaiqa_core.models.model_files import find_model
from metaiqa_core.progress import Progress, Work


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--model", default="default", metavar="NAME|FILE", help="name or file of the model (default: %(default)s)"
    )
    add_engine_argument(parser)
    add_database_arguments(parser)
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="format of the output (default: table)"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="file to write instead of the terminal")
    parser.add_argument("--predictions", type=Path, metavar="FILE", help="also write a CSV of image, mos and predicted")
    parser.add_argument("--seed", type=int, default=0, help="seed of the bootstrap (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Score the database's photos and compare them with the opinion scores, in unit scores."""
    database = chosen_database(arguments)
    _check_outputs(arguments, database)
    assessor = Assessor.load(arguments.model, engine=arguments.engine)
    if assessor.engine.remark:
        say(assessor.engine.remark)
    predicted = finish_with_bar(_predict(assessor, database))
    opinion = np.array([image.unit_score for image in database])
    if arguments.predictions:  # first: they are the long work, and may turn out to be such as cannot be judged
        low, high = database.raw_range
        rows = [
            {
                "image": path_text(image.name),
                "mos": image.raw_score,
                "predicted": round(low + score * (high - low), 6),
            }
            for image, score in zip(database, predicted, strict=True)
        ]
        write(as_csv(rows, ("image", "mos", "predicted")), arguments.predictions)
    criteria = evaluate(predicted, opinion, seed=arguments.seed)
    answer = {
        "model": assessor.card.name,
        "model_sha256": assessor.card.sha256,
        "engine": assessor.engine.name,
        "database": database.name,
        "seed": arguments.seed,
        **criteria.to_dict(),
    }
    by_type = None
    if database.distortion_types():
        by_type = agreement_by_type(predicted, opinion, [image.distortion_type for image in database])
        answer["by_distortion_type"] = asdict(by_type)
    write(as_json(answer) if arguments.format == "json" else _table(answer, criteria, by_type), arguments.output)
    return 0


def _check_outputs(arguments: argparse.Namespace, database: Database) -> None:
    """Refuse outputs that cannot be written, that are one and the same file, or that would overwrite an input."""
    model = find_model(arguments.model)
    inputs = [*(image.path for image in database), model, model.with_suffix(".json"), *score_files(arguments.database)]
    outputs = [output for output in (arguments.output, arguments.predictions) if output]
    for output in outputs:
        check_output(output, inputs)
    if len(outputs) == 2 and os.path.realpath(outputs[0]) == os.path.realpath(outputs[1]):
        raise OutputError(f"--output and --predictions are both {outputs[0]}: name two files.")


def _predict(assessor: Assessor, database: Database) -> Work[np.ndarray]:
    scores = []
    for image, outcome in zip(database, assessor.assess_many([image.path for image in database]), strict=True):
        if isinstance(outcome, MetaIQAError):
            raise DatabaseError(f"The database cannot be evaluated whole: {outcome}")
        scores.append(outcome.score / 100)
        yield Progress(f"scoring {image.name}", len(scores), len(database))
    return np.array(scores)


def _table(answer: dict[str, Any], criteria: Criteria, by_type: AgreementByType | None) -> str:
    rows = [
        ["SROCC", f"{criteria.srocc:.4f}", _interval(criteria.srocc_interval)],
        ["PLCC", f"{criteria.plcc:.4f}", _interval(criteria.plcc_interval)],
        ["PLCC after logistic fit", f"{criteria.plcc_logistic:.4f}", _interval(criteria.plcc_logistic_interval)],
        ["KROCC", f"{criteria.krocc:.4f}", _interval(criteria.krocc_interval)],
        ["RMSE, unit scores", f"{criteria.rmse:.4f}", _interval(criteria.rmse_interval)],
    ]
    title = f"{answer['model']} on {answer['database']}, n = {criteria.n}\n"
    table = title + as_table(rows, ["criterion", "value", "95 % interval"])
    if by_type is None:
        return table
    kinds = [[kind, str(by_type.n[kind]), _or_dash(value)] for kind, value in by_type.srocc.items()]
    kinds.append([f"mean within {by_type.ranked} types", "", _or_dash(by_type.within)])
    kinds.append([f"between the means of {len(by_type.n)} types", "", _or_dash(by_type.between)])
    return f"{table}\n{as_table(kinds, ['distortion type', 'n', 'SROCC'])}"


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _interval(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.4f} to {interval[1]:.4f}"
