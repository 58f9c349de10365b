"""Traces of lossy compression in a photo's file, and its strength."""

from pathlib import Path

from PIL import Image, JpegImagePlugin

from metaiqa_core.distortions.block_dct import JPEG_LUMINANCE_TABLE

LOSSLESS_SUFFIXES = {".png", ".bmp", ".tif", ".tiff", ".ppm"}
_STANDARD_SUM = sum(map(sum, JPEG_LUMINANCE_TABLE))


def is_lossy(path: Path) -> bool:
    """Tell whether a file's format loses detail; formats that may or may not count as lossy, except for WebP."""
    if path.suffix.lower() == ".webp":
        return not _is_lossless_webp(path.read_bytes())
    return path.suffix.lower() not in LOSSLESS_SUFFIXES


def jpeg_quality(path: Path) -> int | None:
    """Estimate the quality setting, 1 to 100, at which a JPEG file was saved; None for other formats.

    The sum of its luminance table against the sum of the standard's, by the Independent JPEG Group's formula: exact to
    rounding for libjpeg's own tables, an equivalent for others; below 30, where tables are cut at 255, too high.
    """
    with Image.open(path) as image:
        if not isinstance(image, JpegImagePlugin.JpegImageFile) or 0 not in image.quantization:
            return None
        percent = 100 * sum(image.quantization[0]) / _STANDARD_SUM
    quality = (200 - percent) / 2 if percent <= 100 else 5000 / percent
    return max(1, min(100, round(quality)))


def _is_lossless_webp(data: bytes) -> bool:
    """Find the first image chunk of the RIFF container: `VP8L` is lossless, `VP8 ` is not. Source: RFC 9649."""
    position = 12
    while position + 8 <= len(data):
        kind, length = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        if kind in (b"VP8L", b"VP8 "):
            return kind == b"VP8L"
        position += 8 + length + length % 2
    return False
