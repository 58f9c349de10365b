"""Damage is judged by what is there of the picture: odd extras cost nothing, lost pixels are said or refused."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from metaiqa_core.errors import PhotoError
from metaiqa_core.images import decode

NO_END = "the end marker of the file is missing"


def scene(height=256, width=384):
    """Smooth colours with texture, so that every block of a JPEG file has something in it."""
    y, x = np.mgrid[0:height, 0:width] / [[[height]], [[width]]]
    colours = np.stack([60 + 150 * x, 70 + 130 * y, 90 + 60 * np.sin(9 * x + 7 * y)], axis=-1)
    return np.clip(colours + np.random.default_rng(4).normal(0, 12, colours.shape), 0, 255).astype(np.uint8)


def encoded(array, pillow_format, mode="RGB", **options):
    buffer = io.BytesIO()
    Image.fromarray(array).convert(mode).save(buffer, pillow_format, **options)
    return buffer.getvalue()


def chunk(kind, data, checksum=None):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum or zlib.crc32(kind + data))


def with_chunks(*chunks, place=33, **options):
    data = encoded(scene(), "PNG", **options)
    return data[:place] + b"".join(chunks) + data[place:]


LONG = b"a long text, such as the settings of a program " * 50_000
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(LONG)), id="zTXt"),
        pytest.param(chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(LONG)), id="packed iTXt"),
        pytest.param(chunk(b"iTXt", b"Comment\0\0\0\0\0" + LONG), id="iTXt"),
        pytest.param(chunk(b"tEXt", b"Comment\0" + LONG), id="tEXt"),
        pytest.param(chunk(b"tEXt", b"Comment\0" + LONG) * 40, id="many tEXt, 94 MB"),
        pytest.param(chunk(b"zTXt", b"Comment\0\0not packed at all"), id="zTXt that cannot be unpacked"),
        pytest.param(chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(LONG)), id="EXIF as a long text"),
        pytest.param(chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(PROFILE + bytes(3 * 2**20))), id="long profile"),
        pytest.param(chunk(b"tEXt", b"Comment\0short", checksum=1), id="text with a wrong checksum"),
        pytest.param(chunk(b"prIV", bytes(2**20), checksum=1), id="private chunk with a wrong checksum"),
        pytest.param(chunk(b"eXIf", b"no EXIF data"), id="damaged EXIF"),
    ],
)
@pytest.mark.parametrize("options", [{"mode": "RGB"}, {"mode": "RGBA"}, {"mode": "L"}])
def test_long_or_damaged_extras_of_a_png_are_no_damage(extra, options):
    photo = decode(with_chunks(extra, **options))
    np.testing.assert_array_equal(photo.pixels, decode(encoded(scene(), "PNG", **options)).pixels)
    assert not photo.notes or photo.notes[0].startswith("EXIF data is damaged")


def test_a_long_text_behind_the_pixels_is_no_damage_and_orientation_is_kept():
    data = encoded(scene(), "PNG")
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(LONG))
    np.testing.assert_array_equal(decode(data[:-12] + text + data[-12:]).pixels, scene())
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = decode(with_chunks(text, exif=exif))
    assert photo.full_size == (256, 384)


def test_a_profile_that_cannot_be_unpacked_is_said():
    photo = decode(with_chunks(chunk(b"iCCP", b"sRGB\0\0no profile")))
    assert photo.notes == ("colour profile is damaged or does not fit: sRGB assumed",)


@pytest.mark.parametrize("pillow_format", ["JPEG", "TIFF", "WEBP"])
def test_long_profiles_of_other_formats_are_no_damage(pillow_format):
    whole, padded = encoded(scene(), pillow_format), PROFILE + bytes(3 * 2**20)
    padded = struct.pack(">I", len(padded)) + padded[4:]
    photo = decode(encoded(scene(), pillow_format, icc_profile=padded))
    np.testing.assert_array_equal(photo.pixels, decode(whole).pixels)
    assert photo.notes == ()


JPEGS = {
    "baseline": {},
    "progressive": {"progressive": True},
    "optimised": {"optimize": True},
    "grey": {"mode": "L"},
    "CMYK": {"mode": "CMYK"},
    "4:4:4": {"subsampling": 0},
    "restart markers": {"restart_marker_rows": 1},
}


@pytest.mark.parametrize("kind", JPEGS)
def test_a_missing_end_marker_of_a_jpeg_is_only_said(kind):
    data = encoded(scene(), "JPEG", **JPEGS[kind])
    whole, cut = decode(data), decode(data[:-2])
    np.testing.assert_array_equal(cut.pixels, whole.pixels)
    assert cut.notes == (NO_END, *whole.notes)
    assert decode(data + b"more bytes, as some phones add").notes == whole.notes
    assert decode(data[:-1]).notes == (NO_END, *whole.notes)


def first_scan(data):
    place = data.index(b"\xff\xda")
    return place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")


@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize("kept", [0.15, 0.5, 0.8])
def test_a_jpeg_that_was_cut_in_its_scan_is_refused_or_said(kind, kept):
    data = encoded(scene(), "JPEG", **JPEGS[kind])
    start = first_scan(data)
    cut = data[: start + int(kept * (len(data) - start))]
    for least in (None, 40):
        for file in (cut, cut + b"\xff\xd9"):
            try:
                photo = decode(file, minimum_short_side=least)
            except PhotoError as error:
                assert "is damaged or cut off" in str(error)  # noqa: PT017 - a note would do as well
                continue
            said = any("plain grey" in note or "last refinement" in note for note in photo.notes)
            # The last scan of a progressive file holds the finest steps alone: cut there, hardly anything is missing.
            assert said or np.abs(photo.pixels.astype(int) - decode(data, minimum_short_side=least).pixels).mean() < 6
    if kind != "progressive":
        with pytest.raises(PhotoError, match="is damaged or cut off and cannot be decoded"):
            decode(cut)


@pytest.mark.parametrize("kind", ["baseline", "progressive", "grey", "4:4:4", "restart markers"])
@pytest.mark.parametrize("place", [0.3, 0.6])
def test_a_scan_with_a_blank_stretch_is_said(kind, place):
    data = bytearray(encoded(scene(), "JPEG", **JPEGS[kind]))
    start = first_scan(data)
    first = start + int(place * (len(data) - start))
    data[first : first + 4096] = bytes(4096)
    assert any("of the picture's data are blank" in note for note in decode(bytes(data)).notes)
    data[first:-2] = bytes(len(data) - 2 - first)
    assert any("of the picture's data are blank" in note for note in decode(bytes(data)).notes)
    data[first:] = bytes(len(data) - first)
    try:
        assert any("of the picture's data are blank" in note for note in decode(bytes(data)).notes)
    except PhotoError as error:
        assert "is damaged or cut off" in str(error)  # noqa: PT017


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}, {"quality": 30}])
@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (40, 90, 200)])
def test_pictures_with_large_flat_areas_are_not_damaged(options, colour):
    flat = scene(768, 1024)
    flat[200:, 100:] = colour
    assert decode(encoded(flat, "JPEG", **options)).notes == ()
    for pillow_format in ("PNG", "BMP", "TIFF"):
        assert decode(encoded(flat, pillow_format)).notes == ()


def test_a_photo_with_bars_above_and_below_is_not_damaged():
    barred = scene()
    barred[:60] = barred[-60:] = 0
    for pillow_format in ("JPEG", "BMP", "TIFF"):
        assert decode(encoded(barred, pillow_format)).notes == ()


@pytest.mark.parametrize("pillow_format", ["BMP", "TIFF"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_lost_blocks_of_an_uncompressed_picture_are_said(pillow_format, mode):
    data = bytearray(encoded(scene(), pillow_format, mode=mode))
    pixels = data[200:] if pillow_format == "TIFF" else data[1200:]
    half = len(data) - len(pixels) // 2
    if pillow_format == "TIFF":
        with Image.open(io.BytesIO(data)) as image:
            first, count = image.tag_v2[273][0], 384 * 256 * len(image.getbands())
        data[first + count // 2 : first + count] = bytes(count - count // 2)
    else:
        data[half:] = bytes(len(data) - half)
    assert any("of the picture are plain black" in note for note in decode(bytes(data)).notes)


def test_a_png_without_its_end_is_whole_and_a_cut_one_is_refused():
    data = encoded(scene(), "PNG")
    for missing in (1, 5, 12):
        photo = decode(data[:-missing])
        np.testing.assert_array_equal(photo.pixels, scene())
        assert photo.notes == (NO_END,)
    for kept in (0.3, 0.9):
        with pytest.raises(PhotoError, match="is damaged or cut off"):
            decode(data[: int(kept * len(data))])


def test_a_jpeg_2000_file_that_was_cut_is_refused_or_said():
    data = encoded(scene(), "JPEG2000")
    assert decode(data).notes == ()
    for kept in (0.3, 0.6, 0.95):
        try:
            notes = decode(data[: int(kept * len(data))]).notes
        except PhotoError as error:
            assert "is damaged or cut off" in str(error)  # noqa: PT017
        else:
            assert notes[0].startswith("the file is cut off: ")


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.97])
@pytest.mark.parametrize("pillow_format", ["WEBP", "AVIF", "HEIF", "TIFF", "BMP", "GIF"])
def test_files_of_other_formats_that_were_cut_are_refused(pillow_format, kept):
    import pillow_heif

    pillow_heif.register_heif_opener()
    data = encoded(scene(), pillow_format)
    with pytest.raises(PhotoError, match=r"is damaged or"):
        decode(data[: int(kept * len(data))])


def bmp_32(alpha, header_size=124):
    """A 32-bit BMP with an alpha mask, by hand."""
    array = np.dstack([scene()[..., ::-1], np.full(scene().shape[:2], alpha, np.uint8)])
    rows = array[::-1].tobytes()
    header = struct.pack("<IiiHHIIiiII", header_size, 384, 256, 1, 32, 3, len(rows), 2835, 2835, 0, 0)
    header += struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs"
    header = header[:header_size].ljust(header_size, b"\0")
    offset = 14 + header_size
    return b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset) + header + rows


@pytest.mark.parametrize("header_size", [56, 108, 124])
def test_a_bmp_whose_alpha_is_zero_everywhere_is_opaque(header_size):
    photo = decode(bmp_32(0, header_size))
    np.testing.assert_array_equal(photo.pixels, scene())
    assert photo.notes == ()
    assert decode(bmp_32(128, header_size)).notes == ("transparent areas shown on white",)


def tiff(array, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


def with_sub_directory(tag, value):
    """A TIFF whose plain preview holds a sub-directory, as Nikon's, Sony's and Pentax's raw files do."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(scene()[::2, ::2], subifds=1, photometric="rgb")
        writer.write(scene(), photometric="rgb")
    data = bytearray(buffer.getvalue())
    place = data.rindex(struct.pack("<HHI", tag, 3, 1)) + 8
    data[place : place + 2] = struct.pack("<H", value)
    return bytes(data)


@pytest.mark.parametrize("name", ["photo.tif", "photo.jpg", "photo.png", "photo"])
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"II*\0\x10\0\0\0CR\2\0" + tiff(scene())[12:], id="Canon CR2"),
        pytest.param(b"II*\0\x10\0\0\0IIII" + tiff(scene())[12:], id="Phase One"),
        pytest.param(b"II\x1a\0\0\0HEAPCCDR" + bytes(100), id="Canon CRW"),
        pytest.param(b"MMOR" + bytes(100), id="Olympus"),
        pytest.param(with_sub_directory(262, 32803), id="colour filter in a sub-directory"),
        pytest.param(with_sub_directory(259, 34713), id="Nikon's compression"),
        pytest.param(tiff(scene()[..., 0], photometric=32803, extratags=[(33422, 1, 4, (0, 1, 1, 2), True)]), id="CFA"),
        pytest.param(tiff(scene(), subfiletype=1), id="preview first"),
        pytest.param(tiff(scene(), extratags=[(50706, 1, 4, (1, 4, 0, 0), True)], byteorder=">"), id="DNG"),
    ],
)
def test_camera_raw_files_are_told_by_their_content(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PhotoError, match=rf"{name} is a camera raw file, which cannot be read here"):
        decode(tmp_path / name)


def test_ordinary_tiffs_with_several_pictures_are_no_camera_raw_files():
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(scene(), subifds=1, photometric="rgb", extratags=[(271, 2, 6, b"Nikon\0", True)])
        writer.write(scene()[::2, ::2], subfiletype=1, photometric="rgb")
    np.testing.assert_array_equal(decode(buffer.getvalue()).pixels, scene())
