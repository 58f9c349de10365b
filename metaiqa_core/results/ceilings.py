"""What can be ranked within a distortion type at most, and what a run's predictions rank of it.

The ceilings come from people's own scores: how far would one get who knew how strong a distortion is, and nothing else;
who also knew in which order people like its levels; who also knew how people like each content.
"""

import numpy as np
import pandas as pd

from metaiqa_core.errors import EvaluationError
from metaiqa_core.evaluation import criteria

LEVEL, JUDGED, CONTENT = "level alone", "levels as judged", "level and content"
CEILINGS = (LEVEL, JUDGED, CONTENT)
"""Names of the ceilings, from the lowest to the highest."""
SROCC, ORDER, WITHIN = "SROCC", "order of levels", "within a level"


def ceilings(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the SROCC within each distortion type of three judges who know people's mean scores.

    Args:
        scores: One row an image, with the columns `distortion_type`, `level`, `reference` and `opinion_score` (higher
            is better).

    Returns:
        One row a type, in the order in which they occur: minus the level (`level alone`), the mean score of the level
        (`levels as judged`), the sum of the mean scores of the level and of the reference (`level and content`); NaN
        where one is constant.
    """
    found = {}
    for kind, rows in scores.groupby("distortion_type", sort=False):
        opinion = rows["opinion_score"]
        by_level, by_content = (rows.groupby(key)["opinion_score"].transform("mean") for key in ("level", "reference"))
        judges = (-rows["level"], by_level, by_level + by_content)
        found[kind] = {name: _srocc(judge, opinion) for name, judge in zip(CEILINGS, judges, strict=True)}
    return pd.DataFrame.from_dict(found, orient="index", columns=list(CEILINGS))


def ranked_by(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return what predictions rank within each distortion type.

    Args:
        predictions: The same columns, and `predicted_score`; of one model, whose predictions can be compared.

    Returns:
        One row a type: `SROCC`; `order of levels`, SROCC of the mean predictions of the levels with the mean scores of
        the levels (-1: judged upside down); `within a level`, the mean SROCC over images of the same level.
    """
    found = {}
    for kind, rows in predictions.groupby("distortion_type", sort=False):
        means = rows.groupby("level")[["predicted_score", "opinion_score"]].mean()
        within = [_srocc(one["predicted_score"], one["opinion_score"]) for _, one in rows.groupby("level")]
        known = [value for value in within if not np.isnan(value)]
        found[kind] = {
            SROCC: _srocc(rows["predicted_score"], rows["opinion_score"]),
            ORDER: _srocc(means["predicted_score"], means["opinion_score"]),
            WITHIN: float(np.mean(known)) if known else float("nan"),
        }
    return pd.DataFrame.from_dict(found, orient="index", columns=[SROCC, ORDER, WITHIN])


def _srocc(predicted: pd.Series, opinion: pd.Series) -> float:
    try:
        return criteria.srocc(predicted, opinion)
    except EvaluationError:  # too few, or all the same
        return float("nan")
