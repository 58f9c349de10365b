"""A file as an opened picture, with all the metadata beside its pixels."""

from dataclasses import dataclass

from PIL import Image, ImageFile

from metaiqa_core.errors import PhotoError
from metaiqa_core.images import damage, iso_boxes
from metaiqa_core.images.declared_colours import DeclaredColours, colours_of, colours_of_png
from metaiqa_core.images.formats import identify, open_image
from metaiqa_core.images.jpeg2000_parts import missing_share
from metaiqa_core.images.jpeg_scans import JpegScans, read_scans
from metaiqa_core.images.png_chunks import read_chunks

_GAIN_MAP = "HDR photo with a gain map: its picture for ordinary screens is used"
_NO_END = "the end marker of the file is missing"


@dataclass(frozen=True)
class Picture:
    """A picture that is opened but not loaded.

    Attributes:
        image: Pillow's image of the picture.
        format: Pillow's name of its format; None for an image that did not come from a file.
        notes: Remarks on the file, plain sentences.
        colours: Colour description of the file, beside its profile.
        scans: Content of the markers of a JPEG file.
    """

    image: Image.Image
    format: str | None = None
    notes: tuple[str, ...] = ()
    colours: DeclaredColours = DeclaredColours()
    scans: JpegScans | None = None


def open_picture(data: bytes, name: str) -> Picture:
    """Open a picture and read the metadata of its file, without decoding pixels.

    Args:
        data: Content of the whole file.
        name: Name of the file in messages.

    Raises:
        PhotoError: If the file is not a readable picture.
    """
    kind = identify(data, name)
    notes: list[str] = []
    if kind == "PNG":
        chunks = read_chunks(data)
        image: ImageFile.ImageFile = open_image(chunks.data, name)
        notes += [] if chunks.has_end else [_NO_END]
        notes += _several_pictures(image)
        return Picture(image, "PNG", tuple(notes), colours_of_png(chunks))
    if kind == "JPEG":
        scans = read_scans(data)
        image = open_image(scans.data, name)
        notes += [_GAIN_MAP] if scans.has_gain_map else _several_pictures(image)
        return Picture(image, image.format, tuple(notes), colours_of(image, data), scans)
    image = open_image(data, name)
    is_container = kind in ("AVIF", "HEIF")
    notes += [_GAIN_MAP] if is_container and iso_boxes.has_gain_map(data) else _several_pictures(image)
    if kind == "JPEG2000" and (share := missing_share(data)) is not None:
        notes.append(_NO_END if share == 0 else f"the file is cut off: {max(share, 0.01):.0%} of its data are missing")
    return Picture(image, image.format, tuple(notes), colours_of(image, data))


def notes_on_damage(picture: Picture, name: str) -> list[str]:
    """Return sentences on parts of a loaded picture that are not there.

    Args:
        picture: Loaded picture.
        name: Name of the file in messages.

    Raises:
        PhotoError: If a cut file lacks more than a tenth of its rows.
    """
    if picture.format in ("BMP", "TIFF") and picture.image.mode not in ("1", "P"):
        note = damage.black_note(damage.black_share(picture.image))
        return [note] if note else []
    scans = picture.scans
    if scans is None:
        return []
    grey = damage.grey_share(picture.image)
    if not scans.has_end and grey > damage.MAXIMUM_MISSING_SHARE:
        raise PhotoError(f"{name} is damaged or cut off and cannot be decoded: copy or export it again.")
    notes = []
    if not scans.has_end:
        notes.append(f"{_NO_END}, and {max(grey, 0.01):.0%} of the picture" if grey else _NO_END)
    elif note := damage.grey_note(grey):
        notes.append(note)
    if not scans.is_complete:
        notes.append("the file ends before the last refinement of its picture: details or colours are missing")
    if scans.zero_share:
        notes.append(f"{max(scans.zero_share, 0.01):.0%} of the picture's data are blank: a part of it is lost")
    return notes


def _several_pictures(image: Image.Image) -> list[str]:
    """Return a note that one picture of several is used; GIF and TIFF are not counted, which would read all of them."""
    if not isinstance(image, ImageFile.ImageFile) or not getattr(image, "is_animated", False):
        return []
    if image.format == "TIFF":
        return ["first of several pages"]
    if image.format == "GIF":
        return ["first frame of an animation"]
    count = getattr(image, "n_frames", 1)
    return [f"main picture of {count}" if image.format in ("MPO", "HEIF") else f"first of {count} frames"]
