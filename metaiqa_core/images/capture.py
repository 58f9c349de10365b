"""When and by which camera a photo was taken, as its EXIF data say."""

import re
from dataclasses import dataclass
from datetime import datetime

from PIL import ExifTags

from metaiqa_core.images.formats import open_image

_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
_MOST_CHARACTERS = 80


@dataclass(frozen=True)
class Capture:
    """Time and camera of a photo.

    Attributes:
        taken: Time by the camera's own clock, with fractions of a second where it writes them; None where unknown.
        camera: Maker, model and serial number; empty where unknown.
    """

    taken: datetime | None = None
    camera: str = ""


def capture_of(content: bytes) -> Capture:
    """Return time and camera of a photo; unknown where its EXIF data are missing or damaged.

    Args:
        content: Content of the photo's file.
    """
    try:
        with open_image(content, "the photo") as image:
            exif = image.getexif()
            details = exif.get_ifd(ExifTags.IFD.Exif)
            camera = (
                exif.get(ExifTags.Base.Make),
                exif.get(ExifTags.Base.Model),
                details.get(ExifTags.Base.BodySerialNumber),
            )
            taken = _time(details.get(ExifTags.Base.DateTimeOriginal), details.get(ExifTags.Base.SubsecTimeOriginal))
    except Exception:  # EXIF blocks are damaged in many ways
        return Capture()
    return Capture(taken, " ".join(text for part in camera if (text := _text(part))))


def _time(value: object, fraction: object) -> datetime | None:
    match = _TIME.match(_text(value))
    if match is None:
        return None
    digits = _text(fraction)
    microseconds = int(f"{digits[:6]:0<6}") if digits.isascii() and digits.isdigit() else 0
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        return datetime(year, month, day, hour, minute, second, microseconds)
    except ValueError:  # a camera whose clock was never set writes month 0
        return None


def _text(value: object) -> str:
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else value if isinstance(value, str) else ""
    return text.replace("\0", "").strip()[:_MOST_CHARACTERS]
