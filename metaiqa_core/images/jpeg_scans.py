"""Markers of a JPEG file: whether it is complete, and whether it has a gain map.

Source: ITU-T T.81 (JPEG), annex B and section G.1.1.1 (scans of a progressive file); Adobe's gain map specification
1.0; ISO 21496-1.
"""

import re
from dataclasses import dataclass, field

_END = b"\xff\xd9"
_ZEROS = 256
"""So many bytes of zero in a row, 2048 bits, are no code of a picture with anything in it."""
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_ZERO_RUN = re.compile(rb"\x00{%d,}" % _ZEROS)
_SOI, _EOI, _SOS, _DHT, _TEM = 0xD8, 0xD9, 0xDA, 0xC4, 0x01
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)})
_PROGRESSIVE = 0xC2
_FIRST_ARITHMETIC = 0xC9
_GAIN_MAPS = (b"http://ns.adobe.com/hdr-gain-map/1.0/", b"urn:iso:std:iso:ts:21496:-1", b"aux:hdrgainmap")


@dataclass(frozen=True)
class JpegScans:
    """Content of the markers of a JPEG file.

    Attributes:
        data: Content of the file, with an end marker where it had none.
        has_end: Whether the file contains the end marker of the main picture.
        is_complete: Whether every coefficient of every channel is in the file, in full precision.
        zero_share: Share of the picture's data, in [0, 1], in long runs of zeros that no intact picture has.
        has_gain_map: Whether the file contains a gain map for bright displays.
    """

    data: bytes
    has_end: bool = True
    is_complete: bool = True
    zero_share: float = 0.0
    has_gain_map: bool = False


@dataclass
class _Walk:
    """State of a walk through the markers."""

    frame: int = 0
    precision_left: dict[int, list[int]] = field(default_factory=dict)  # channel -> bits still to come, of 64 each
    zero_codes: dict[int, int] = field(default_factory=dict)  # table -> symbol whose code is all zeros
    first_scan: int = 0

    def open_frame(self, marker: int, segment: bytes) -> None:
        self.frame = marker
        count = segment[5] if len(segment) > 5 else 0
        self.precision_left = {channel: [-1] * 64 for channel in segment[6 : 6 + 3 * count : 3]}

    def read_tables(self, segment: bytes) -> None:
        while len(segment) > 17:
            count = sum(segment[1:17])
            if count and len(segment) > 17:
                self.zero_codes[segment[0]] = segment[17]
            segment = segment[17 + count :]

    def open_scan(self, segment: bytes) -> None:
        count = segment[0] if segment else 0
        if len(segment) < 4 + 2 * count:
            return
        first, last, bits = segment[1 + 2 * count : 4 + 2 * count]
        for channel in segment[1 : 1 + 2 * count : 2]:
            left = self.precision_left.get(channel)
            if left is not None and self.frame == _PROGRESSIVE:
                left[first : min(last, 63) + 1] = [bits & 15] * (min(last, 63) + 1 - first)
            elif left is not None:
                left[:] = [0] * 64

    def is_complete(self) -> bool:
        return not any(any(left) for left in self.precision_left.values())

    def zeros_may_be_flat(self) -> bool:
        """Whether zeros may be the code of a flat area: "no change, end of block" in this file's own tables."""
        changes = [symbol for table, symbol in self.zero_codes.items() if table < 16]
        blocks = [symbol for table, symbol in self.zero_codes.items() if table >= 16]
        return not changes or not blocks or (0 in changes and all(symbol & 15 == 0 for symbol in blocks))


def read_scans(data: bytes) -> JpegScans:
    """Read the markers of a JPEG file.

    Args:
        data: Content of the whole file.
    """
    walk, end = _walk(data)
    if not walk.first_scan:
        return JpegScans(data)
    zero_share = 0.0
    stop = end if end is not None else len(data)
    if walk.frame < _FIRST_ARITHMETIC and _may_hold_zeros(data, walk.first_scan, stop):
        zeros = sum(len(run.group()) for run in _ZERO_RUN.finditer(data, walk.first_scan, stop))
        is_suspect = zeros > 0 and (end is None or not walk.zeros_may_be_flat())
        zero_share = zeros / max(stop - walk.first_scan, 1) if is_suspect else 0.0
    header_end = walk.first_scan
    has_gain_map = any(data.find(name, 0, header_end) >= 0 for name in _GAIN_MAPS)
    if not has_gain_map and data.find(b"MPF\0", 0, header_end) >= 0:  # Apple's is told beside the second picture
        has_gain_map = any(data.find(name, stop) >= 0 for name in _GAIN_MAPS)
    return JpegScans(
        data if end is not None else data + _END,
        has_end=end is not None,
        is_complete=walk.is_complete(),
        zero_share=zero_share,
        has_gain_map=has_gain_map,
    )


def _may_hold_zeros(data: bytes, start: int, stop: int) -> bool:
    """Whether a run of `_ZEROS` may be there, told from a few bytes: it fills the space between two of the samples."""
    step = _ZEROS // 2
    sample = data[start:stop:step]
    pair = sample.find(b"\0\0")
    while pair >= 0:
        if not any(data[start + step * pair : start + step * (pair + 1)]):
            return True
        pair = sample.find(b"\0\0", pair + 1)
    return False


def _walk(data: bytes) -> tuple[_Walk, int | None]:
    """Walk the markers of the main picture; return the state at its end, and the position of its end marker."""
    walk, place = _Walk(), 2
    while place + 2 <= len(data):
        if data[place] != 0xFF:  # what lies between segments is skipped, as decoders do
            place = data.find(b"\xff", place)
            if place < 0:
                break
            continue
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
        elif marker == _EOI:
            return walk, place
        elif marker in (_SOI, _TEM, 0) or 0xD0 <= marker <= 0xD7:
            place += 2
        else:
            length = int.from_bytes(data[place + 2 : place + 4], "big")
            segment = data[place + 4 : place + 2 + length]
            place += 2 + max(length, 2)
            if marker in _FRAMES:
                walk.open_frame(marker, segment)
            elif marker == _DHT:
                walk.read_tables(segment)
            elif marker == _SOS:
                walk.first_scan = walk.first_scan or place
                walk.open_scan(segment)
                if walk.frame != _PROGRESSIVE and walk.is_complete():
                    return walk, _find_end(data, place)
                following = _MARKER.search(data, place)
                place = following.start() if following else len(data)
    return walk, None


def _find_end(data: bytes, start: int) -> int | None:
    if data.endswith(_END) and b"MPF\0" not in data[:start]:
        return len(data) - 2
    place = data.find(_END, start)
    return place if place >= 0 else None
