"""Settings of an app that others can reach: what visitors may bring, do and see, from environment variables.

Without any variable the app is for one person at their own machine. `docs/deploy.md` lists the variables. Other files
read variables of their own with `whole_number` and `seconds`, so that a wrong value is one sentence everywhere.
"""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from metaiqa_core.errors import SettingsError

JOBS, HOSTS, FOLDERS = "METAIQA_JOBS", "METAIQA_ALLOWED_HOSTS", "METAIQA_FOLDERS"
UPLOAD, PIXELS, WORK = "METAIQA_MAX_UPLOAD_MB", "METAIQA_MAX_MEGAPIXELS", "METAIQA_WORK_AT_ONCE"
SESSIONS = "METAIQA_SESSIONS"
VARIABLES = (JOBS, HOSTS, FOLDERS, UPLOAD, PIXELS, WORK, SESSIONS)
"""Names of the variables that `read_settings` reads."""

RUNS = "METAIQA_RUNS"
"""Name of the variable that names the folder of own runs."""

_MOST_MEGABYTES, _MOST_MEGAPIXELS, _MOST_AT_ONCE = 200, 150, 64
_AT_ONCE = 2
_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]|\*", re.IGNORECASE)


@dataclass(frozen=True)
class Settings:
    """Settings of the app.

    Attributes:
        jobs: Whether training jobs can be seen and, by those who may, started.
        allowed_hosts: Names under which browsers may reach the app; empty: any.
        folders: Folders outside of which no database, photo or run is read; None: anywhere.
        max_upload_mb: Largest file that a visitor may upload, MiB.
        max_megapixels: Largest photo that is decoded, millions of pixels.
        work_at_once: Number of visitors for whom photos are decoded and scored at the same time; the others wait.
        sessions: Whether photos, scores and decisions are kept for a day on the disk of the app's computer.
    """

    jobs: bool = True
    allowed_hosts: tuple[str, ...] = ()
    folders: tuple[Path, ...] | None = None
    max_upload_mb: int = _MOST_MEGABYTES
    max_megapixels: int = _MOST_MEGAPIXELS
    work_at_once: int = _AT_ONCE
    sessions: bool = True

    def allows(self, path: str | os.PathLike[str]) -> bool:
        """Return whether a file or folder may be read, wherever its links lead."""
        if self.folders is None:
            return True
        try:
            place = Path(path).resolve()
        except (OSError, ValueError, RuntimeError):  # a null byte, a circle of links
            return False
        return any(place.is_relative_to(folder.resolve()) for folder in self.folders)


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; an empty variable counts as none.

    Raises:
        SettingsError: If a value is none that the variable can have.
    """
    hosts = _hosts(environment)
    return Settings(
        jobs=_switch(environment, JOBS, default=True),
        allowed_hosts=hosts,
        folders=_folders(environment),
        max_upload_mb=whole_number(environment, UPLOAD, _MOST_MEGABYTES, "MiB"),
        max_megapixels=whole_number(environment, PIXELS, _MOST_MEGAPIXELS, "millions of pixels"),
        work_at_once=whole_number(environment, WORK, _MOST_AT_ONCE, "visitors", default=_AT_ONCE),
        # An app with names of its own serves others, whose photos are not kept unless somebody says so.
        sessions=_switch(environment, SESSIONS, default=not hosts),
    )


def runs_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of own runs: `METAIQA_RUNS`, or `runs` in the working directory."""
    return Path(environment.get(RUNS) or "runs")


def whole_number(
    environment: Mapping[str, str], name: str, most: int, unit: str, default: int | None = None, *, least: int = 1
) -> int:
    """Return the whole number that a variable holds; an empty one counts as none.

    Args:
        environment: Environment variables.
        name: Name of the variable.
        most: Largest number that it may hold.
        unit: What it counts, for the sentence.
        default: Number without the variable; None: the largest.
        least: Smallest number that it may hold, 0 or more.

    Raises:
        SettingsError: If the value is no such number.
    """
    text = environment.get(name, "").strip() or str(most if default is None else default)
    if text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most:
        return int(text)
    raise SettingsError(f"{name} must be a whole number from {least} to {most} ({unit}), got {text!r:.80}: correct it.")


def seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    """Return the seconds that a variable holds, from 0 on; an empty one counts as none.

    Args:
        environment: Environment variables.
        name: Name of the variable.
        default: Seconds without the variable.

    Raises:
        SettingsError: If the value is no finite number from 0 on.
    """
    text = environment.get(name, "").strip() or str(default)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number) and number >= 0:
        return number
    raise SettingsError(
        f"{name} must be a number of seconds from 0 on, such as {default:g}, got {text!r:.80}: correct it."
    )


def _switch(environment: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environment.get(name, "").strip() or ("on" if default else "off")
    if text not in ("on", "off"):
        raise SettingsError(f"{name} must be on or off, got {text!r:.80}: set it to one of them or remove it.")
    return text == "on"


def _hosts(environment: Mapping[str, str]) -> tuple[str, ...]:
    names = tuple(name for part in environment.get(HOSTS, "").split(",") if (name := part.strip()))
    for name in names:
        if not _HOST.fullmatch(name):
            raise SettingsError(
                f"{HOSTS} must be host names separated by commas, such as photos.example.org, got {name!r:.80}: "
                "leave out https://, ports and paths."
            )
    return names


def _folders(environment: Mapping[str, str]) -> tuple[Path, ...] | None:
    paths = [Path(part) for part in environment.get(FOLDERS, "").split(os.pathsep) if part.strip()]
    for path in paths:
        if not path.is_absolute():
            raise SettingsError(
                f"{FOLDERS} must be absolute folders separated by {os.pathsep!r}, got {str(path)!r:.80}: "
                "write each from the root on."
            )
    return tuple(paths) or None
