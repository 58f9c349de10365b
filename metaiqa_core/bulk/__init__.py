"""Scoring of any number of photos, part by part, by the processes of one machine or of a cluster of Ray."""

from metaiqa_core.bulk.part_scoring import Scoring
from metaiqa_core.bulk.photo_lists import PhotoList, PhotoPaths, open_manifest
from metaiqa_core.bulk.score_folder import ScoreFolder
from metaiqa_core.bulk.scoring import BulkSummary, part_size_for, score_in_bulk

__all__ = [
    "BulkSummary",
    "PhotoList",
    "PhotoPaths",
    "ScoreFolder",
    "Scoring",
    "open_manifest",
    "part_size_for",
    "score_in_bulk",
]
