"""Colours and gain maps in the boxes of AVIF, HEIC and JPEG 2000 files.

A box is its length (4 bytes), its type (4 bytes) and its content, which may be boxes again. Source: ISO/IEC 14496-12
(boxes, `meta`), ISO/IEC 23008-12 (`iprp`, `colr`), ISO/IEC 15444-1, annex I (`jp2h`).
"""

from collections.abc import Iterator

_MAXIMUM_BOXES = 10_000
_APPLE_GAIN_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap"


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Walk the boxes between two places of a file; damaged ones end the walk.

    Args:
        data: Content of the whole file.
        start: Position of the first box, bytes.
        end: Position after the last box, bytes; None: the end of the file.

    Yields:
        (type, start of the content, end of the content).
    """
    end = len(data) if end is None else min(end, len(data))
    for _ in range(_MAXIMUM_BOXES):
        if start + 8 > end:
            return
        length, kind, header = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8], 8
        if length == 1:
            length, header = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        elif length == 0:
            length = end - start
        if length < header:
            return
        yield kind, start + header, min(start + length, end)
        start += length


def _inner(data: bytes, kind: bytes, start: int, end: int) -> tuple[int, int] | None:
    return next(((first, last) for found, first, last in boxes(data, start, end) if found == kind), None)


def nclx_code_points(data: bytes) -> tuple[int, int] | None:
    """Return (ColourPrimaries, TransferCharacteristics) of the main picture of an AVIF or HEIC file, or None.

    Args:
        data: Content of the whole file.
    """
    meta = _inner(data, b"meta", 0, len(data))
    if meta is None:  # a sequence: the description of its samples holds the box
        movie = _inner(data, b"moov", 0, len(data))
        place = data.find(b"colrnclx", *movie) if movie else -1
        return _code_points(data, place + 4) if place >= 0 else None
    start, end = meta[0] + 4, meta[1]
    properties = _inner(data, b"iprp", start, end)
    container = _inner(data, b"ipco", *properties) if properties else None
    if properties is None or container is None:
        return None
    listed = list(boxes(data, *container))
    colours = {
        index: first
        for index, (kind, first, _) in enumerate(listed, start=1)
        if kind == b"colr" and data[first : first + 4] == b"nclx"
    }
    if not colours:
        return None
    owned = _associations(data, properties, _primary_item(data, start, end))
    # A grid may leave the colour to its tiles, which are no main picture.
    chosen = next((colours[index] for index in owned if index in colours), None)
    has_profile = any(
        kind == b"colr" and data[first : first + 4] in (b"prof", b"rICC")
        for index, (kind, first, _) in enumerate(listed, start=1)
        if index in owned
    )
    if chosen is None and (has_profile or len({_code_points(data, place) for place in colours.values()}) > 1):
        return None
    return _code_points(data, chosen if chosen is not None else next(iter(colours.values())))


def _code_points(data: bytes, place: int) -> tuple[int, int]:
    return int.from_bytes(data[place + 4 : place + 6], "big"), int.from_bytes(data[place + 6 : place + 8], "big")


def _primary_item(data: bytes, start: int, end: int) -> int:
    place = _inner(data, b"pitm", start, end)
    if place is None:
        return 1
    width = 2 if data[place[0]] == 0 else 4
    return int.from_bytes(data[place[0] + 4 : place[0] + 4 + width], "big")


def _associations(data: bytes, properties: tuple[int, int], item: int) -> list[int]:
    """Return the numbers of the properties, from 1, that belong to an item."""
    found: list[int] = []
    for kind, start, end in boxes(data, *properties):
        if kind != b"ipma":
            continue
        id_width = 2 if data[start] == 0 else 4
        index_width = 2 if data[start + 3] & 1 else 1
        count, place = int.from_bytes(data[start + 4 : start + 8], "big"), start + 8
        for _ in range(min(count, _MAXIMUM_BOXES)):
            if place + id_width + 1 > end:
                break
            owner, number = int.from_bytes(data[place : place + id_width], "big"), data[place + id_width]
            place += id_width + 1
            for offset in range(place, min(place + number * index_width, end), index_width):
                index = int.from_bytes(data[offset : offset + index_width], "big")
                if owner == item:
                    found.append(index & (0x7FFF if index_width == 2 else 0x7F))
            place += number * index_width
    return found


def has_gain_map(data: bytes) -> bool:
    """Return whether an AVIF or HEIC file holds a gain map (ISO 21496-1, or Apple's) beside its picture."""
    brands = _inner(data, b"ftyp", 0, len(data))
    if brands and b"tmap" in {data[place : place + 4] for place in range(brands[0] + 8, brands[1], 4)}:
        return True
    meta = _inner(data, b"meta", 0, len(data))
    return meta is not None and data.find(_APPLE_GAIN_MAP, *meta) >= 0


def jpeg2000_profile(data: bytes) -> bytes | None:
    """Return the ICC profile of a JPEG 2000 file (`colr` with method 2 or 3), or None."""
    header = _inner(data, b"jp2h", 0, len(data))
    for kind, start, end in boxes(data, *header) if header else ():
        if kind == b"colr" and data[start] in (2, 3):
            return data[start + 3 : end]
    return None
