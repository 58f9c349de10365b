"""The folder for what may be deleted at any time."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder: METAIQA_CACHE, or a folder in the user's cache."""
    named = os.environ.get("METAIQA_CACHE")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "metaiqa")
