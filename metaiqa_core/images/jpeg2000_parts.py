"""Completeness of a JPEG 2000 file, judged by the lengths that its tile-parts announce.

Source: ISO/IEC 15444-1, annex A (SOT, Psot and EOC).
"""

import struct

_START, _START_OF_PART, _END = b"\xff\x4f\xff\x51", b"\xff\x90", b"\xff\xd9"


def missing_share(data: bytes) -> float | None:
    """Return the missing share of the announced data, in [0, 1]; None for a whole file.

    Where only the end marker is missing, the share is 0.

    Args:
        data: Content of the whole file.
    """
    start = data.find(_START)
    place = data.find(_START_OF_PART, start)
    if start < 0 or place < 0:
        return None
    while data[place : place + 2] == _START_OF_PART and place + 12 <= len(data):
        length = struct.unpack_from(">I", data, place + 6)[0]
        if length == 0:  # the last part: up to the end marker
            return None if data.rfind(_END, place) >= 0 else 0.0
        if place + length > len(data):
            return (place + length - len(data)) / (place + length - start)
        place += max(length, 12)
    return None if data[place : place + 2] == _END else 0.0
