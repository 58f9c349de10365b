"""Features of the quarters of many photos, which the graph learns from while the backbone rests."""

from collections.abc import Sequence
from pathlib import Path

from metaiqa_core.databases.rated_image import RatedImage
from metaiqa_core.models.distortion_graph.quarter_features import QuarterFeatures
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work
from metaiqa_core.training.fingerprint import hash_of_weights
from metaiqa_core.training.kept_features import Change, Features, kept_features


def quarter_rows(
    module: QuarterFeatures,
    images: Sequence[RatedImage],
    preprocessing: Preprocessing,
    folder: Path,
    *,
    change: Change | None = None,
    changes: Sequence[str] = (),
) -> Work[Features]:
    """Return the features of each image's quarters (N, 4, P); see `kept_features`.

    Args:
        module: The backbone, in evaluation mode.
        images: The images.
        preprocessing: Steps from a photo to the module's input.
        folder: Folder of the kept features.
        change: Function that changes each photo first; None: they stay as they are.
        changes: Name of that change, by which kept features are found again.

    Raises:
        DatabaseError: If an image cannot be read.
    """
    backbone = module.config.backbone
    identity = ["quarters", hash_of_weights(module), str(backbone.pooled), str(backbone.fused), str(module.config.tone)]
    return (yield from kept_features(module, [*identity, *changes], images, preprocessing, folder, change))
