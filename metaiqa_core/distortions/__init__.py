"""Distortions: the 25 types of KADID-10k and the 24 of TID2013, each at five levels.

>>> import numpy as np
>>> photo = np.full((64, 96, 3), 128, dtype=np.uint8)
>>> distort(photo, "kadid10k:MS", 1).mean()  # 0.15 of 255 brighter
np.float64(166.0)
"""

from metaiqa_core.distortions.apply import SMALLEST_SIDE, distort
from metaiqa_core.distortions.catalogue import CATALOGUE, FAMILIES, find_distortion
from metaiqa_core.distortions.distortion_type import LEVELS, DistortionType
from metaiqa_core.distortions.kadid10k import KADID10K
from metaiqa_core.distortions.tid2013 import TID2013

__all__ = [
    "CATALOGUE",
    "FAMILIES",
    "KADID10K",
    "LEVELS",
    "SMALLEST_SIDE",
    "TID2013",
    "DistortionType",
    "distort",
    "find_distortion",
]
