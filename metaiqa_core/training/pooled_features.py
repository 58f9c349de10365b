"""Pooled features of whole photos, which a head is fitted on: computed once for each photo, and kept in a file."""

from collections.abc import Sequence
from pathlib import Path

from metaiqa_core.databases.rated_image import RatedImage
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work
from metaiqa_core.training.fingerprint import hash_of_weights
from metaiqa_core.training.head_inputs import Pooled
from metaiqa_core.training.kept_features import Change, Features, kept_features


def pooled_features(
    network: Regressor,
    images: Sequence[RatedImage],
    preprocessing: Preprocessing,
    folder: Path,
    change: Change | None = None,
    change_name: str = "",
) -> Work[Features]:
    """Return what the head of a network sees of each image.

    Args:
        network: The network; its head is not used.
        images: The images.
        preprocessing: Steps from a photo to the network's input.
        folder: Folder of the files that finished features are kept in; see `kept_features`.
        change: Function that changes each photo before the preprocessing; None: they stay as they are.
        change_name: Name that tells this change from all others.

    Yields:
        A `Progress` for each image that is not kept yet.

    Returns:
        Features (N, P) in half precision, as float32.

    Raises:
        DatabaseError: If an image cannot be read.
    """
    identity = [hash_of_weights(network.backbone), str(network.config.pooled)]
    if network.config.fused:
        identity.append(hash_of_weights(network.fusion))
    if change:
        identity.append(change_name)
    return (yield from kept_features(Pooled(network), identity, images, preprocessing, folder, change))
