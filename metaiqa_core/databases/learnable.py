"""Check that databases can be learned from, made by commands and forms before a training begins."""

from collections import Counter

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import DatabaseError


def require_learnable(*databases: Database, by_type: bool = False) -> None:
    """Refuse databases that teach nothing: a single photo, or photos that all have the same score.

    Args:
        *databases: Databases to learn from together.
        by_type: Whether each distortion type is a task, which is divided into a support set and a query set.

    Raises:
        DatabaseError: If nothing can be learned; the message names the database.
    """
    images = [image for database in databases for image in database]
    names = " and ".join(database.name for database in databases)
    if len(images) < 2:
        raise DatabaseError(
            f"{names} has a single photo, and learning needs at least two with different scores: add rated photos."
        )
    if len({image.unit_score for image in images}) == 1:
        raise DatabaseError(
            f"All {len(images):,} photos of {names} have the score {images[0].raw_score:g}, and a model learns from "
            "differences: add photos that were rated otherwise, or check the column of the scores."
        )
    if by_type:
        counts = Counter((database.name, image.distortion_type) for database in databases for image in database)
        for (name, kind), count in counts.items():
            if count < 2:
                raise DatabaseError(
                    f"{name} has a single photo of the distortion type {kind}, and a task needs at least two: add "
                    "some, or leave that one out."
                )
