"""Camera raw files that look like TIFF files: recognised by their directories, whatever their name is.

Their first picture is often a mere preview, which would be scored in the photo's place. Source: TIFF 6.0, section 2;
TIFF/EP (ISO 12234-2); DNG specification 1.7; the marks of makers as libraw and ExifTool know them.
"""

import struct
from collections.abc import Iterator

_MAXIMUM_DIRECTORIES, _MAXIMUM_ENTRIES = 64, 1000
_SUBFILE_TYPE, _COMPRESSION, _PHOTOMETRIC, _SUB_DIRECTORIES = 254, 259, 262, 330
_DNG_VERSION = 50706
_COLOUR_FILTER_TAGS = frozenset({33421, 33422, 50710})
_COLOUR_FILTER, _LINEAR_RAW = 32803, 34892
_RAW_COMPRESSIONS = frozenset({262, 32767, 32769, 32770, 32772, 34713, 65000, 65535})
_MAKERS_MARKS = (b"CR\x02", b"IIII", b"MMMM")
"""Bytes 8 and following of Canon CR2 and Phase One files."""


def is_camera_raw(data: bytes) -> bool:
    """Return whether a file with a TIFF signature is a camera raw file.

    Args:
        data: Content of the whole file.
    """
    if data[8:].startswith(_MAKERS_MARKS):
        return True
    for number, entries in enumerate(_directories(data)):
        values = {tag: value for tag, value in entries.items() if value}
        if number == 0 and values.get(_SUBFILE_TYPE, (0,))[0] & 1:
            return True
        if _DNG_VERSION in values or values.keys() & _COLOUR_FILTER_TAGS:
            return True
        if values.get(_PHOTOMETRIC, (0,))[0] in (_COLOUR_FILTER, _LINEAR_RAW):
            return True
        if values.get(_COMPRESSION, (0,))[0] in _RAW_COMPRESSIONS:
            return True
    return False


def _directories(data: bytes) -> Iterator[dict[int, tuple[int, ...]]]:
    """Yield the whole numbers in every directory of the file and its sub-directories, the first directory first."""
    order = "<" if data[:2] == b"II" else ">"
    if len(data) < 8 or struct.unpack_from(order + "H", data, 2)[0] != 42:
        return
    waiting = [struct.unpack_from(order + "I", data, 4)[0]]
    seen: set[int] = set()
    while waiting and len(seen) < _MAXIMUM_DIRECTORIES:
        place = waiting.pop(0)
        if place in seen or place < 8 or place + 2 > len(data):
            continue
        seen.add(place)
        count = struct.unpack_from(order + "H", data, place)[0]
        last = place + 2 + 12 * count
        entries = {}
        for start in range(place + 2, min(last, place + 2 + 12 * _MAXIMUM_ENTRIES), 12):
            if start + 12 <= len(data):
                tag, values = _entry(data, start, order)
                entries[tag] = values
        yield entries
        waiting.extend(entries.get(_SUB_DIRECTORIES, ()))
        if last + 4 <= len(data):
            waiting.append(struct.unpack_from(order + "I", data, last)[0])


def _entry(data: bytes, start: int, order: str) -> tuple[int, tuple[int, ...]]:
    """Return the tag of an entry and its first values; no values where they are no whole numbers."""
    tag, kind, count = struct.unpack_from(order + "HHI", data, start)
    code = {1: "B", 3: "H", 4: "I", 7: "B", 13: "I"}.get(kind)
    if code is None or count == 0:
        return tag, ()
    count = min(count, 16)
    size = struct.calcsize(code) * count
    place = start + 8 if size <= 4 else struct.unpack_from(order + "I", data, start + 8)[0]
    if place + size > len(data):
        return tag, ()
    return tag, struct.unpack_from(f"{order}{count}{code}", data, place)
