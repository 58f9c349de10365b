"""The chunks of a PNG file: those that declare its colours, and those that are no part of the picture.

A chunk is the length of its content (4 bytes), its type (4 bytes), its content and a checksum (4 bytes). Source:
Portable Network Graphics, third edition (W3C, 2025), sections 5 and 11.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

_MAXIMUM_CHUNKS = 200_000
_MAXIMUM_PROFILE = 8 * 2**20
_MAXIMUM_TEXT = 2**20
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_HOLD_ORIENTATION = (b"Raw profile type exif", b"Raw profile type APP1", b"XML:com.adobe.xmp")


@dataclass(frozen=True)
class PngChunks:
    """Content of the chunks of a PNG file.

    Attributes:
        data: Content of the file without chunks that a decoder may stumble over: long texts, profiles, and damaged
            extras.
        has_end: Whether the file contains the end marker (IEND).
        code_points: ColourPrimaries, TransferCharacteristics, MatrixCoefficients and VideoFullRangeFlag of H.273.
        profile: The ICC profile; empty if it is damaged or implausibly large; None if there is none.
        is_srgb: Whether a chunk declares the picture as sRGB.
        gamma: Value of gAMA, or None.
        chromaticities: Coordinates x and y of white, red, green and blue, or None.
        exif: The EXIF data, which may stand behind the pixels; empty if there are none.
    """

    data: bytes
    has_end: bool
    code_points: tuple[int, int, int, int] | None = None
    profile: bytes | None = None
    is_srgb: bool = False
    gamma: float | None = None
    chromaticities: tuple[float, ...] | None = None
    exif: bytes = b""


def read_chunks(data: bytes) -> PngChunks:
    """Read the chunks of a PNG file.

    Args:
        data: Content of the whole file.
    """
    found = PngChunks(data, has_end=False)
    kept: list[tuple[int, int]] = [(0, 8)]
    end = 8
    for kind, start, stop in _chunks(data):
        content = data[start : stop - 4] if kind in _READERS or kind in _TEXTS else b""
        if kind == b"IEND":
            found = replace(found, has_end=True)
        elif reader := _READERS.get(kind):
            found = reader(found, content)
        if _is_needed(data, kind, start, stop, content):
            if kept[-1][1] == start - 8:
                kept[-1] = (kept[-1][0], stop)
            else:
                kept.append((start - 8, stop))
        end = stop
    if end < len(data):
        kept.append((end, len(data)))  # a cut chunk: what is there of it may be pixels
    if len(kept) > 1:
        found = replace(found, data=b"".join(data[first:last] for first, last in kept))
    if not found.has_end and end == len(data):
        found = replace(found, data=found.data + b"\0\0\0\0IEND\xaeB`\x82")
    return found


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of the content, end with the checksum) of every whole chunk."""
    place = 8
    for _ in range(_MAXIMUM_CHUNKS):
        if place + 12 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, place)
        if place + 12 + length > len(data):
            return
        yield kind, place + 8, place + 12 + length
        if kind == b"IEND":
            return
        place += 12 + length


def _is_needed(data: bytes, kind: bytes, start: int, stop: int, content: bytes) -> bool:
    """Return whether the decoder needs a chunk: extras that are long, unused or damaged are left out."""
    if kind in _TEXTS:
        keyword, _, text = content.partition(b"\0")
        return keyword in _HOLD_ORIENTATION and _is_short(kind, text) and _is_intact(data, start, stop)
    if kind == b"iCCP":
        return False
    is_extra = bool(kind[0] & 0x20) and kind not in (b"acTL", b"fcTL", b"fdAT")
    return not is_extra or _is_intact(data, start, stop)


def _is_intact(data: bytes, start: int, stop: int) -> bool:
    return zlib.crc32(memoryview(data)[start - 4 : stop - 4]) == int.from_bytes(data[stop - 4 : stop], "big")


def _is_short(kind: bytes, text: bytes) -> bool:
    """Return whether a text, once unpacked, stays small."""
    if kind == b"tEXt" or (kind == b"iTXt" and text[:1] == b"\0"):
        return len(text) <= _MAXIMUM_TEXT
    packed = text[1:] if kind == b"zTXt" else text[2:].partition(b"\0")[2].partition(b"\0")[2]
    return _unpacked(packed, _MAXIMUM_TEXT) is not None


def _unpacked(packed: bytes, most: int) -> bytes | None:
    """Unpack at most `most` bytes; None if there are more or the content is damaged."""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(packed, most + 1)
    except zlib.error:
        return None
    return content if len(content) <= most and unpacker.eof else None


def _read_profile(found: PngChunks, content: bytes) -> PngChunks:
    _, separator, packed = content.partition(b"\0")
    profile = _unpacked(packed[1:], _MAXIMUM_PROFILE) if separator and packed[:1] == b"\0" else None
    return replace(found, profile=profile or b"")


def _read_code_points(found: PngChunks, content: bytes) -> PngChunks:
    return replace(found, code_points=struct.unpack("4B", content)) if len(content) == 4 else found


def _read_gamma(found: PngChunks, content: bytes) -> PngChunks:
    value = int.from_bytes(content, "big") / 100_000 if len(content) == 4 else 0.0
    return replace(found, gamma=value) if value > 0 else found


def _read_chromaticities(found: PngChunks, content: bytes) -> PngChunks:
    if len(content) != 32:
        return found
    return replace(found, chromaticities=tuple(value / 100_000 for value in struct.unpack(">8I", content)))


_READERS = {
    b"iCCP": _read_profile,
    b"cICP": _read_code_points,
    b"gAMA": _read_gamma,
    b"cHRM": _read_chromaticities,
    b"eXIf": lambda found, content: replace(found, exif=content),
    b"sRGB": lambda found, content: replace(found, is_srgb=True),
}
