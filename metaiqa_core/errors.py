"""Exceptions for failures that a user can meet, one class for each kind.

A `MetaIQAError` carries one clear sentence (what was expected, what came, what to do) that a page or a terminal shows
as it is. A programmer's mistake stays a `ValueError` or a `TypeError`.
"""


class MetaIQAError(Exception):
    """Something outside the program went wrong; `str(error)` is a sentence for the user."""


class PhotoError(MetaIQAError):
    """A photo that cannot be read, or that lies outside the limits."""


class CheckpointError(MetaIQAError):
    """A model file or its card that cannot be used."""


class DatabaseError(MetaIQAError):
    """A database of rated photos that is missing, damaged or out of range."""


class DistortionError(MetaIQAError):
    """A distortion that does not exist or that cannot be applied to this photo."""


class EngineError(MetaIQAError):
    """An engine that cannot run a network, or a network that no engine can run."""


class TrainingError(MetaIQAError):
    """A training run that cannot start, go on or be resumed."""


class EvaluationError(MetaIQAError):
    """Predictions that cannot be judged: too few, constant or not finite."""


class TasteError(MetaIQAError):
    """Ratings that cannot be read or learned from, or a personal model that cannot be made of them."""


class ExplanationError(MetaIQAError):
    """A gradient map that cannot be computed for this model or photo."""


class ResultsError(MetaIQAError):
    """A results file that is damaged, foreign or of another version."""


class JobError(MetaIQAError):
    """A job that cannot be started, found or stopped."""


class SessionError(MetaIQAError):
    """A session that cannot be opened here."""


class OutputError(MetaIQAError):
    """An output that cannot be written, or that would overwrite an input."""


class ClusterError(MetaIQAError):
    """A cluster of Ray that cannot be started or reached, or that went away."""


class SettingsError(MetaIQAError):
    """An environment variable with a value that it cannot have."""
