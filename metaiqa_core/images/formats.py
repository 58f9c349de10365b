"""The format of a file, recognised by its first bytes, never by its suffix.

Only the formats listed here are ever handed to Pillow, so that a file cannot choose its own decoder (Pillow would give
an EPS file to Ghostscript). A known format that cannot be read is named in the message, with the remedy.
"""

import io
import threading
import warnings
from pathlib import PurePath

# Importing a plugin registers it; Pillow would otherwise import all forty of them to find one.
import PIL.AvifImagePlugin
import PIL.BmpImagePlugin
import PIL.GifImagePlugin
import PIL.Jpeg2KImagePlugin
import PIL.JpegImagePlugin
import PIL.PngImagePlugin
import PIL.WebPImagePlugin  # noqa: F401
from PIL import Image, ImageFile, TiffImagePlugin

from metaiqa_core.errors import PhotoError
from metaiqa_core.images.camera_raw import is_camera_raw

_SUFFIXES_BY_FORMAT: dict[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "AVIF": (".avif",),
    "HEIF": (".heic", ".heif", ".hif"),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "JPEG2000": (".jp2", ".j2k", ".jpx", ".j2c"),
}
READABLE_FORMATS: tuple[str, ...] = tuple(_SUFFIXES_BY_FORMAT)
"""Names of the formats that can be read, as Pillow spells them."""
READABLE_SUFFIXES: tuple[str, ...] = tuple(suffix for each in _SUFFIXES_BY_FORMAT.values() for suffix in each)
"""Lower-case suffixes with their dot, for file pickers and folder scans."""

_READABLE_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"BM", "BMP"),
)
_RAW = "a camera raw file"
_FOREIGN_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%!PS", "a PostScript file"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (b"%PDF", "a PDF document"),
    (b"8BPS", "a Photoshop document"),
    (b"gimp xcf", "a GIMP document"),
    (b"FUJIFILMCCD-RAW", _RAW),
    (b"IIRO", _RAW),
    (b"IIRS", _RAW),
    (b"IIRT", _RAW),
    (b"MMOR", _RAW),
    (b"II\x1a\x00\x00\x00HEAPCCDR", _RAW),
    (b"IIU\x00", _RAW),
    (b"FOVb", _RAW),
    (b"\x00MRM", _RAW),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"\x00\x00\x01\x00", "an icon file"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"PK\x03\x04", "a ZIP archive"),
)
# fmt: off
_RAW_SUFFIXES = frozenset({
    ".3fr", ".arw", ".cr2", ".cr3", ".dcr", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos",
    ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".sr2", ".srf", ".srw", ".x3f",
})
# fmt: on
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_TAG_BITS, _TAG_PLANES = 258, 284

_preparing = threading.Lock()
_prepared: set[str] = set()


def _prepare(pillow_format: str) -> None:
    """Set Pillow up once for the process: at first use, never at import."""
    with _preparing:
        if not _prepared:
            # Pillow warns above 89 megapixels; the question is answered here, by the limits, before a pixel is decoded.
            warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
        if pillow_format == "HEIF" and "HEIF" not in _prepared:
            import pillow_heif

            pillow_heif.register_heif_opener()
        _prepared.add(pillow_format)


def _format_in_container(data: bytes) -> str | None:
    """Tell AVIF from HEIC: both are ISO base media files and may share the major brand `mif1`."""
    end_of_box = min(max(int.from_bytes(data[:4], "big"), 16), 512)
    brands = {data[8:12], *(data[i : i + 4] for i in range(16, end_of_box, 4))}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    return "HEIF" if brands & _HEIF_BRANDS else None


def identify(data: bytes, name: str) -> str:
    """Return the Pillow name of the format that the first bytes announce.

    Args:
        data: Content of the file, or at least its first 512 bytes.
        name: Name of the file in messages.

    Raises:
        PhotoError: If the file is of a kind that cannot be read, or not a picture at all.
    """
    for signature, pillow_format in _READABLE_SIGNATURES:
        if data.startswith(signature):
            return pillow_format
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        if container_format := _format_in_container(data):
            return container_format
        raise PhotoError(_advise(name, _RAW if data[8:11] == b"crx" else "a video"))
    for signature, kind in _FOREIGN_SIGNATURES:
        if data.startswith(signature):
            raise PhotoError(_advise(name, kind))
    if b"<svg" in data[:512].lower():
        raise PhotoError(_advise(name, "an SVG drawing"))
    raise PhotoError(
        f"{name} is not a photo that can be read: expected JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP, GIF or JPEG 2000."
    )


def _advise(name: str, kind: str) -> str:
    return f"{name} is {kind}, which cannot be read here: export the picture as JPEG or PNG."


def open_image(data: bytes, name: str) -> ImageFile.ImageFile:
    """Open a picture without decoding its pixels.

    Args:
        data: Content of the whole file.
        name: Name of the file in messages; its suffix only serves to tell raw files from plain TIFF files.

    Raises:
        PhotoError: If the file is not a readable picture, or is a camera raw file (whose first TIFF picture is a mere
            thumbnail that would be scored in the photo's place).
    """
    pillow_format = identify(data, name)
    _prepare(pillow_format)
    # Before Pillow opens it: some raw files are none that Pillow knows.
    if pillow_format == "TIFF" and (is_camera_raw(data) or PurePath(name).suffix.lower() in _RAW_SUFFIXES):
        raise PhotoError(_advise(name, _RAW))
    try:
        image = Image.open(io.BytesIO(data), formats=[pillow_format])
    except Image.UnidentifiedImageError as error:
        raise PhotoError(
            f"{name} begins like a {pillow_format} file but is damaged or of an unusual kind: "
            "export it again, for example as PNG."
        ) from error
    # Pillow 13 reads these as noise, without a word.
    if (
        isinstance(image, TiffImagePlugin.TiffImageFile)
        and image.tag_v2.get(_TAG_PLANES) == 2
        and max(image.tag_v2.get(_TAG_BITS, (8,))) > 8
    ):
        raise PhotoError(_advise(name, "a TIFF file with separate 16-bit colour planes"))
    return image
