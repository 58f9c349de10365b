"""Mutations of uploads: the damage that disks and networks do, and that somebody does who means harm.

`mutants(number, seed)` gives the same files each time. Each is made of a small picture by one to three operators: bytes
are flipped, lost, repeated or zeroed, parts (segments, chunks, boxes, directory entries) are moved, doubled, dropped or
taken from another file, lengths and dimensions lie, files are joined, and any of them may bear another format's suffix.
"""

import random
import re
import struct
import zlib
from typing import NamedTuple

from upload_seeds import FORMATS, seed_uploads

EXTREMES = (0, 1, 2, 15, 16, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
SIDES = (0, 1, 15, 16, 600, 8_000, 12_000, 16_383, 30_000, 65_535, 2**31 - 1, 2**32 - 1)
_MOST_BYTES = 400_000


class Upload(NamedTuple):
    """A mutated file: its name, its content, and how it was made."""

    name: str
    data: bytes
    origin: str


def mutants(number, seed):
    """Yield so many mutated uploads, every format equally often."""
    for index in range(number):
        yield mutant(index, seed)


def mutant(index, seed):
    """Return one of the mutated uploads; it depends on no other."""
    chance = random.Random(f"{seed}/{index}")
    kind = FORMATS[index % len(FORMATS)]
    name, data = chance.choice(seed_uploads()[kind])
    operators = chance.choices(OPERATORS, k=chance.choice((1, 1, 1, 2, 3)))
    for operator in operators:
        data = operator(chance, data, kind)[:_MOST_BYTES]
    steps = [operator.__name__ for operator in operators]
    if chance.random() < 0.15:
        other, _ = chance.choice(seed_uploads()[chance.choice(FORMATS)])
        steps.append(f"named {other}")
        name = other
    return Upload(name, data, f"{index}: {kind} {', '.join(steps)}")


def flip_bytes(chance, data, kind):
    changed = bytearray(data)
    for _ in range(chance.choice((1, 2, 8, 40)) if data else 0):
        # Half of them in the headers, where more hangs on a byte.
        place = chance.randrange(min(len(data), 300) if chance.random() < 0.5 else len(data))
        changed[place] = chance.randrange(256) if chance.random() < 0.5 else changed[place] ^ (1 << chance.randrange(8))
    return bytes(changed)


def cut_end(chance, data, kind):
    return data[: chance.randrange(len(data) + 1)]


def cut_middle(chance, data, kind):
    start, end = _stretch(chance, data)
    return data[:start] + data[end:]


def repeat_stretch(chance, data, kind):
    start, end = _stretch(chance, data)
    return data[:end] + data[start:end] * chance.choice((1, 3, 50)) + data[end:]


def fill_stretch(chance, data, kind):
    start, end = _stretch(chance, data)
    return data[:start] + bytes((chance.choice((0, 0xFF, chance.randrange(256))),)) * (end - start) + data[end:]


def insert_noise(chance, data, kind):
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.randbytes(chance.choice((1, 4, 100, 3000))) + data[place:]


def splice_other(chance, data, kind):
    _, other = chance.choice(seed_uploads()[kind if chance.random() < 0.5 else chance.choice(FORMATS)])
    start, end = _stretch(chance, other)
    place = chance.randrange(len(data) + 1)
    kept = place if chance.random() < 0.5 else min(place + end - start, len(data))
    return data[:place] + other[start:end] + data[kept:]


def join_other(chance, data, kind):
    _, other = chance.choice(seed_uploads()[chance.choice(FORMATS)])
    return data + other if chance.random() < 0.7 else other[: chance.randrange(20)] + data


def set_number(chance, data, kind):
    """Write an extreme number of one, two, four or eight bytes somewhere, mostly into the headers."""
    width = chance.choice((1, 2, 4, 4, 8))
    if len(data) <= width:
        return data
    place = chance.randrange(min(len(data), 400 if chance.random() < 0.7 else len(data)) - width)
    value = chance.choice(EXTREMES) & (2 ** (8 * width) - 1)
    return data[:place] + value.to_bytes(width, chance.choice(("big", "little"))) + data[place + width :]


def set_length(chance, data, kind):
    """Write an extreme number where the format keeps the length of one of its parts."""
    places = _lengths(data, kind)
    if not places:
        return set_number(chance, data, kind)
    place, width, order = chance.choice(places)
    value = chance.choice((*EXTREMES, len(data), len(data) - place)) & (2 ** (8 * width) - 1)
    return data[:place] + value.to_bytes(width, order) + data[place + width :]


def move_parts(chance, data, kind):
    """Drop, double, exchange or take over whole parts of the format."""
    head, *parts = _parts(data, kind)
    if len(parts) < 2:
        return splice_other(chance, data, kind)
    one, two = chance.randrange(len(parts)), chance.randrange(len(parts))
    action = chance.randrange(4)
    if action == 0:
        del parts[one]
    elif action == 1:
        parts.insert(two, parts[one] * chance.choice((1, 2, 500)))
    elif action == 2:
        parts[one], parts[two] = parts[two], parts[one]
    else:
        _, other = chance.choice(seed_uploads()[kind])
        parts.insert(one, chance.choice(_parts(other, kind)))
    return head + b"".join(parts)


def claim_size(chance, data, kind):
    """Write other dimensions into the headers, with the checksum that belongs to them."""
    places = _dimensions(data, kind)
    if not places:
        return set_number(chance, data, kind)
    changed = bytearray(data)
    same = chance.choice(SIDES) if chance.random() < 0.6 else None
    for place, width, order in places:
        value = chance.choice(SIDES) if same is None else same
        changed[place : place + width] = (value & (2 ** (8 * width) - 1)).to_bytes(width, order)
    if data.startswith(b"\x89PNG"):
        changed[29:33] = struct.pack(">I", zlib.crc32(changed[12:29]))
    return bytes(changed)


def mend_checksums(chance, data, kind):
    """Flip bytes and give every chunk of a PNG file its right checksum, so that decoders look at what is inside."""
    changed = flip_bytes(chance, data, kind)
    if not changed.startswith(b"\x89PNG"):
        return changed
    head, *parts = _parts(changed, "PNG")
    return head + b"".join(
        part[:-4] + struct.pack(">I", zlib.crc32(part[4:-4])) if len(part) >= 12 else part for part in parts
    )


def swap_signature(chance, data, kind):
    """Let a file begin as one of another format does."""
    _, other = chance.choice(seed_uploads()[chance.choice(FORMATS)])
    length = chance.choice((4, 8, 12, 16, 64))
    return other[:length] + data[length:]


OPERATORS = (
    flip_bytes, flip_bytes, cut_end, cut_middle, repeat_stretch, fill_stretch, insert_noise, splice_other, join_other,
    set_number, set_length, set_length, move_parts, move_parts, claim_size, claim_size, mend_checksums, swap_signature,
)  # fmt: skip


def _stretch(chance, data):
    start = chance.randrange(len(data) + 1)
    return start, min(start + chance.choice((1, 4, 16, 100, 1000, 10_000)), len(data))


def _parts(data, kind):
    """Cut a file into its signature and the parts that its format is made of; what does not fit is one part."""
    bounds = [place for place, _, _ in _lengths(data, kind)]
    if kind == "JPEG":
        bounds = [place - 2 for place in bounds]
    elif kind not in ("PNG", "AVIF", "HEIF", "JPEG2000"):
        bounds = [place - 4 for place in bounds]
    bounds = sorted({min(max(place, 0), len(data)) for place in bounds})
    return [data[start:end] for start, end in zip([0, *bounds], [*bounds, len(data)], strict=True)]


def _lengths(data, kind):
    """Return where a file keeps lengths of its parts: (place, bytes, order of the bytes)."""
    if kind == "PNG":
        return [(8 + match.start(), 4, "big") for match in _PNG_PART.finditer(data[8:])]
    if kind == "JPEG":
        return [(match.start() + 2, 2, "big") for match in _JPEG_PART.finditer(data)]
    if kind in ("AVIF", "HEIF", "JPEG2000"):
        return [(match.start(), 4, "big") for match in _BOX.finditer(data)]
    if kind == "WEBP":
        return [(match.start() + 4, 4, "little") for match in _RIFF_PART.finditer(data)]
    if kind in ("TIFF", "camera raw"):
        return [(place + 4, 4, _order(data)) for place in _entries(data)]
    if kind == "BMP":
        return [(place, 4, "little") for place in (2, 10, 14, 34, 46, 126, 130) if place + 4 <= len(data)]
    return [(match.start() + 2, 1, "little") for match in re.finditer(rb"\x21[\xf9\xfe\xff\x01]", data)]


_PNG_PART = re.compile(rb"(?s).{4}(?=IHDR|PLTE|IDAT|IEND|tRNS|iCCP|zTXt|iTXt|tEXt|eXIf|gAMA|cHRM|cICP|acTL|fcTL|fdAT)")
_JPEG_PART = re.compile(rb"\xff[\xc0-\xc4\xda\xdb\xdd\xe0-\xef\xfe]")
_BOX = re.compile(
    rb"(?s).{4}(?=ftyp|meta|hdlr|pitm|iloc|iinf|infe|iprp|ipco|ispe|colr|pixi|av1C|hvcC|ipma|iref|auxC|mdat|moov|trak"
    rb"|mdia|minf|stbl|stsd|stts|stsc|stsz|stco|jp2h|ihdr|jp2c)"
)
_RIFF_PART = re.compile(rb"RIFF|VP8 |VP8L|VP8X|ALPH|ANIM|ANMF|ICCP|EXIF|XMP ")


def _order(data):
    return "little" if data[:2] == b"II" else "big"


def _entries(data):
    """Return the places of the entries of the first directory of a TIFF file."""
    if data[:2] not in (b"II", b"MM") or len(data) < 8:
        return []
    start = int.from_bytes(data[4:8], _order(data))
    count = int.from_bytes(data[start : start + 2], _order(data))
    return [place for place in range(start + 2, start + 2 + 12 * min(count, 60), 12) if place + 12 <= len(data)]


def _dimensions(data, kind):
    """Return where a file keeps its width and height: (place, bytes, order of the bytes)."""
    if kind == "PNG":
        return [(16, 4, "big"), (20, 4, "big")]
    if kind == "JPEG":
        frames = [match.start() for match in re.finditer(rb"\xff[\xc0\xc2]\x00", data)]
        return [(place + offset, 2, "big") for place in frames[:1] for offset in (5, 7)]
    if kind in ("AVIF", "HEIF"):
        places = [match.start() for match in re.finditer(b"ispe", data)]
        return [(place + offset, 4, "big") for place in places for offset in (8, 12)]
    if kind == "JPEG2000":
        boxes = [(match.start() + offset, 4, "big") for match in re.finditer(b"ihdr", data) for offset in (4, 8)]
        frames = [match.start() for match in re.finditer(rb"\xff\x51", data)][:1]
        return boxes + [(place + offset, 4, "big") for place in frames for offset in (6, 10, 22, 26)]
    if kind == "WEBP":
        place = data.find(b"VP8X")
        return (
            [(place + 12, 3, "little"), (place + 15, 3, "little")]
            if place >= 0
            else [(26, 2, "little"), (28, 2, "little")]
        )
    if kind in ("TIFF", "camera raw"):
        order = _order(data)
        wanted = [
            place for place in _entries(data) if int.from_bytes(data[place : place + 2], order) in (256, 257, 278, 322)
        ]
        return [(place + 8, 4, order) for place in wanted]
    return [(18, 4, "little"), (22, 4, "little")] if kind == "BMP" else [(6, 2, "little"), (8, 2, "little")]
