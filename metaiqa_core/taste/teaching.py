"""Teaching: from ratings and photos to a personal model and the judgement of it."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from metaiqa_core import __version__
from metaiqa_core.errors import CheckpointError, TasteError
from metaiqa_core.models.card import ModelCard, check_name
from metaiqa_core.models.checkpoints import save_checkpoint
from metaiqa_core.models.model_files import find_model, list_starts, own_models, read_card_of
from metaiqa_core.models.personal import PersonalRegressor
from metaiqa_core.taste.general_model import GeneralModel
from metaiqa_core.taste.judgement import LEVEL, Judgement, judge
from metaiqa_core.taste.ratings import MOST_STARS, Ratings
from metaiqa_core.taste.space import TasteSpace
from metaiqa_core.taste.taste import Taste, evidence_of, require_teachable

PERSONAL = "personal"
"""Architecture of personal models; see `ModelCard`."""


@dataclass(frozen=True, eq=False)
class Taught:
    """A taste that was learned.

    Attributes:
        general: Model that it started from.
        ratings: Ratings that it learned from.
        taste: The taste.
        judgement: Agreement with ratings that were left out in turn.
    """

    general: GeneralModel
    ratings: Ratings
    taste: Taste
    judgement: Judgement

    def network(self) -> PersonalRegressor:
        """Return the personal model, in evaluation mode."""
        weights, constant = self._to_unit_scores()
        with torch.random.fork_rng(devices=[]):
            network = PersonalRegressor(self.general.network.config, self.general.network)
        with torch.no_grad():
            network.correction.weight.copy_(torch.from_numpy(weights[None]))
            network.correction.bias.fill_(constant)
        return network.eval().requires_grad_(False)

    def unit_scores(self) -> NDArray[np.float64]:
        """Return the personal model's unit scores of the photos that the taste was learned on (N,)."""
        weights, constant = self._to_unit_scores()
        return self.taste.space.seen @ weights + constant

    def card(self, name: str) -> ModelCard:
        """Return the card of the personal model."""
        general, judgement, ratings = self.general.card, self.judgement, self.ratings
        said = f"{len(ratings.stars)} photos with stars and {len(ratings.choices)} choices between two photos"
        return ModelCard(
            name=name,
            summary=f"One person's taste: {general.name}, corrected by {said}.",
            architecture="personal",
            regressor=self.general.network.config,
            preprocessing=general.preprocessing,
            training_data=f"{general.training_data}; then {said}, by one person",
            licence=f"{general.licence}; the correction belongs to whoever gave the ratings",
            recipe={
                "start": general.name,
                "start_sha256": general.sha256,
                "stars": len(ratings.stars),
                "choices": len(ratings.choices),
                "photos": len(self.taste.space),
                "like_everybody": round(self.taste.like_everybody, 4),
            },
            accuracy={
                "protocol": "pairs of rated photos, judged without any rating of either",
                "verdict": str(judgement.verdict),
                "pairs": judgement.pairs,
                "pairs in the person's order, general model": round(judgement.before, 4),
                "pairs in the person's order, this model": round(judgement.after, 4),
                f"interval of the gain ({100 * LEVEL:.0f} %)": [round(judgement.low, 4), round(judgement.high, 4)],
                "date": datetime.date.today().isoformat(),
            },
            created=datetime.date.today().isoformat(),
            code_version=__version__,
            score_scale="unit score in [0, 1], higher is better, shown times 100; one star is 0.1, five stars are 0.9",
        )

    def save(self, file: Path) -> ModelCard:
        """Write the personal model and its card, which bears the file's name.

        Returns:
            The card.

        Raises:
            CheckpointError: If the disk refuses, or the name cannot be used.
        """
        network = self.network()
        # The general model's weights come back the same: half precision only where they have no more than that.
        whole = all(torch.equal(weight.half().float(), weight) for weight in network.general.state_dict().values()
                    if weight.is_floating_point())  # fmt: skip
        return save_checkpoint(network, self.card(file.stem), file, half=whole)

    def _to_unit_scores(self) -> tuple[NDArray[np.float64], float]:
        """Return weights and constant that lead from what is seen to unit scores.

        Stars give the scale: each is the middle of its word's fifth. Choices alone have none, so that the scores keep
        mean and deviation that the general model's have on these photos.
        """
        correction, space = self.taste.correction(), self.taste.space
        stars = np.array(list(self.ratings.stars.values()), np.float64)
        if len(stars) and stars.std() > 0:
            gain = float(stars.std()) / MOST_STARS
            offset = (float(stars.mean()) - 0.5) / MOST_STARS
        else:
            deviation = float(self.taste.opinions.std()) or 1.0
            gain = space.deviation / deviation
            offset = float(space.centre[0]) - gain * float(self.taste.opinions.mean())
        return gain * correction.weights, gain * correction.constant + offset


def teach(general: GeneralModel, photos: Sequence[str], seen: NDArray[np.floating], ratings: Ratings) -> Taught:
    """Learn a taste and judge it.

    Args:
        general: Model to start from.
        photos: Names of the person's photos, rated or not.
        seen: (N, 1 + 9 + P): the result of `general.see` for each of them.
        ratings: Ratings, which name photos as `photos` does; others are left out.

    Raises:
        TasteError: If the ratings are too few or say nothing.

    Example:
        general = GeneralModel()
        names = ["a.jpg", "b.jpg", ...]
        seen = np.stack([general.see(name) for name in names])
        taught = teach(general, names, seen, Ratings.of(Star("a.jpg", 5), ...))
        taught.judgement.verdict
    """
    known = set(photos)
    usable = Ratings(tuple(rating for rating in ratings.given if known.issuperset(rating.photos)))
    require_teachable(usable)
    taste = Taste(TasteSpace(seen, general.layout), evidence_of(usable, list(photos)))
    return Taught(general, usable, taste, judge(taste))


def personal_file(name: str, folder: Path | None = None) -> Path:
    """Return the file of a personal model by its name.

    Args:
        name: Name of the model.
        folder: Folder of the models; None for the one that holds the user's own.

    Raises:
        TasteError: If the name cannot be used, or belongs to a model that is no personal one.
    """
    try:
        check_name(name)
    except ValueError as error:
        raise TasteError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    if not name.strip():
        raise TasteError("The personal model needs a name.")
    if name == "default" or (name in list_starts() and not is_personal(name)):
        raise TasteError(f"There is a model called {name} already, which is no personal one: choose another name.")
    return (folder or own_models()) / f"{name}.safetensors"


def is_personal(name: str) -> bool:
    """Return whether a name is that of a personal model."""
    try:
        return read_card_of(find_model(name)).architecture == PERSONAL
    except CheckpointError:
        return False


def delete_personal(name: str) -> None:
    """Delete a personal model.

    Raises:
        TasteError: If there is no personal model of this name, or the disk refuses.
    """
    if not is_personal(name):
        raise TasteError(f"There is no personal model called {name}.")
    file = find_model(name)
    try:
        file.with_suffix(".json").unlink()
        file.unlink()
    except OSError as error:
        raise TasteError(f"{file.name} cannot be deleted: {error.strerror}.") from error
