"""The decode contract: what comes out is upright 8-bit sRGB on white, or one clear sentence."""

import dataclasses
import io
import os
import re
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import numpy as np
import pillow_heif
import pytest
import tifffile
import torch
from PIL import Image, ImageCms
from skimage import color

from metaiqa_core.errors import PhotoError
from metaiqa_core.images import READABLE_SUFFIXES, DecodeLimits, decode
from metaiqa_core.images.colours import reduce_uint16
from metaiqa_core.preprocessing import Preprocessing

pillow_heif.register_heif_opener()
WIDTH, HEIGHT = 48, 32


def scene(width=WIDTH, height=HEIGHT):
    """Smooth, without any symmetry, so that codecs keep it and no orientation resembles another."""
    y, x = np.mgrid[0:height, 0:width] / [[[height]], [[width]]]
    return np.stack([255 * x, 255 * y, 128 + 100 * np.sin(5 * x + 2 * y)], axis=-1).astype(np.uint8)


def encode(image, pillow_format, **options):
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    buffer = io.BytesIO()
    image.save(buffer, pillow_format, **options)
    return buffer.getvalue()


def tiff(array, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, bits, colour_type, rows, *extra_chunks):
    """Write a PNG by hand: an encoder that shares no code with the decoder under test."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra_chunks, (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, data) for kind, data in chunks)


def png_rows(array):
    """Rows of a PNG with filter type 0; uint16 in network byte order."""
    array = array.astype(">u2") if array.dtype == np.uint16 else array
    return b"".join(b"\0" + row.tobytes() for row in array)


def oriented(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


FILES = {
    "JPEG": encode(scene(), "JPEG", quality=95, subsampling=0),
    "PNG": encode(scene(), "PNG"),
    "WEBP": encode(scene(), "WEBP", lossless=True),
    "AVIF": encode(scene(), "AVIF", quality=100, subsampling="4:4:4"),
    "HEIF": encode(scene(), "HEIF", quality=100, chroma=444),
    "TIFF": encode(scene(), "TIFF", compression="tiff_lzw"),
    "BMP": encode(scene(), "BMP"),
    "GIF": encode(Image.fromarray(scene()).quantize(256), "GIF"),
    "JPEG2000": encode(scene(), "JPEG2000"),
}
LOSSLESS = {"PNG", "WEBP", "TIFF", "BMP", "JPEG2000"}


@pytest.mark.parametrize("name", FILES)
def test_every_format_decodes_to_the_same_scene(name):
    photo = decode(FILES[name])
    assert (photo.format, photo.full_size, photo.notes) == (name, (WIDTH, HEIGHT), ())
    error = np.abs(photo.pixels.astype(int) - scene()).mean()
    assert error == 0 if name in LOSSLESS else error < 6


def test_pixels_are_contiguous_and_cannot_be_written():
    pixels = decode(FILES["PNG"]).pixels
    assert pixels.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0, 0] = 1


def test_paths_bytes_and_files_give_the_same_photo_and_the_content_decides_not_the_suffix(tmp_path):
    path = tmp_path / "renamed.jpg"
    path.write_bytes(FILES["PNG"])
    half_read = io.BytesIO(FILES["PNG"])
    half_read.read(10)
    for source in (path, str(path), FILES["PNG"], half_read):
        photo = decode(source)
        assert photo.format == "PNG"
        np.testing.assert_array_equal(photo.pixels, scene())


def test_suffixes_are_lower_case_and_cover_the_common_ones():
    assert {".jpg", ".png", ".webp", ".avif", ".heic", ".tif", ".bmp", ".gif", ".jp2"} <= set(READABLE_SUFFIXES)
    assert all(re.fullmatch(r"\.[a-z0-9]+", suffix) for suffix in READABLE_SUFFIXES)


# How the stored pixels of each EXIF orientation arise from the upright ones, in NumPy's terms (Exif 2.3, tag 274).
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("pillow_format", ["PNG", "WEBP", "TIFF"])
def test_the_eight_exif_orientations_decode_to_identical_pixels(pillow_format, orientation):
    options = {"lossless": True} if pillow_format == "WEBP" else {}
    stored = np.ascontiguousarray(STORED[orientation](scene()))
    photo = decode(encode(stored, pillow_format, exif=oriented(orientation), **options))
    assert photo.full_size == (WIDTH, HEIGHT)
    np.testing.assert_array_equal(photo.pixels, scene())


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("pillow_format", ["AVIF", "HEIF"])
def test_photos_of_phones_come_out_upright(pillow_format, orientation):
    stored = np.ascontiguousarray(STORED[orientation](scene()))
    photo = decode(encode(stored, pillow_format, exif=oriented(orientation).tobytes(), quality=100))
    assert photo.full_size == (WIDTH, HEIGHT)
    assert np.abs(photo.pixels.astype(int) - scene()).mean() < 6


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_reduced_jpeg_decode_changes_the_model_input_by_less_than_half_a_level(orientation, mode):
    stored = np.ascontiguousarray(STORED[orientation](scene(1001, 803)))  # no multiple of eight
    data = encode(Image.fromarray(stored).convert(mode), "JPEG", quality=95, exif=oriented(orientation))
    full, reduced = dataclasses.replace(decode(data), reread=None), decode(data, minimum_short_side=66)
    assert reduced.pixels.shape == (201, 251, 3)
    assert reduced.full_size == full.full_size == (1001, 803)
    preprocess = Preprocessing(short_side=66)
    difference = (preprocess(full) - preprocess(reduced)).abs() * 255
    assert difference.mean() < 0.5
    assert difference[..., :3].mean() < 0.7  # neither edge is stretched
    assert difference[..., -3:].mean() < 0.7


def test_a_reduced_decode_keeps_2_9_times_the_wanted_short_side_and_is_deterministic():
    data = encode(scene(640, 480), "JPEG")
    assert decode(data, minimum_short_side=83).pixels.shape == (480, 640, 3)
    assert decode(data, minimum_short_side=82).pixels.shape == (240, 320, 3)
    np.testing.assert_array_equal(
        decode(data, minimum_short_side=30).pixels, decode(data, minimum_short_side=30).pixels, strict=True
    )
    with pytest.raises(ValueError, match="minimum_short_side must be positive or None, got 0"):
        decode(data, minimum_short_side=0)


# ---- transparency ----------------------------------------------------------------------------------------------------


def test_an_opaque_alpha_channel_changes_nothing():
    opaque = np.dstack([scene(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    photo = decode(encode(opaque, "PNG"))
    assert photo.notes == ()
    np.testing.assert_array_equal(photo.pixels, scene())


@pytest.mark.parametrize("pillow_format", ["PNG", "WEBP", "TIFF"])
def test_alpha_is_shown_on_white(pillow_format):
    alpha = np.linspace(0, 255, WIDTH * HEIGHT).astype(np.uint8).reshape(HEIGHT, WIDTH)
    options = {"lossless": True, "exact": True} if pillow_format == "WEBP" else {}
    photo = decode(encode(np.dstack([scene(), alpha]), pillow_format, **options))
    weight = alpha[..., None] / 255
    assert np.abs(photo.pixels - (scene() * weight + 255 * (1 - weight))).max() <= 1
    assert photo.notes == ("transparent areas shown on white",)


def test_grey_with_alpha_and_palette_transparency_are_shown_on_white():
    grey = np.dstack([scene()[..., 0], np.zeros((HEIGHT, WIDTH), np.uint8)])
    assert (decode(encode(Image.fromarray(grey, "LA"), "PNG")).pixels == 255).all()
    palette = Image.fromarray(np.tile(np.arange(WIDTH, dtype=np.uint8) % 2, (HEIGHT, 1)), "P")
    palette.putpalette([10, 20, 30, 40, 50, 60])
    for pillow_format in ("PNG", "GIF"):
        pixels = decode(encode(palette, pillow_format, transparency=1)).pixels
        assert (pixels[:, 0::2] == [10, 20, 30]).all()
        assert (pixels[:, 1::2] == 255).all()


@pytest.mark.parametrize("bits", [2, 4, 8, 16])
def test_a_transparent_grey_of_a_png_is_taken_in_the_files_own_bit_depth(bits):
    values = np.tile(np.arange(16) % 2**bits, (16, 1))  # 16 x 16, the transparent value is 3
    if bits == 16:
        rows = png_rows(values.astype(np.uint16))
    else:
        per_byte = 8 // bits
        packed = sum(values[:, i::per_byte] << (8 - bits * (i + 1)) for i in range(per_byte))
        rows = png_rows(packed.astype(np.uint8))
    pixels = decode(png(16, 16, bits, 0, rows, (b"tRNS", struct.pack(">H", 3)))).pixels
    expected = np.where(values == 3, 255, np.rint(values * 255 / (2**bits - 1))).astype(np.uint8)
    np.testing.assert_array_equal(pixels, np.repeat(expected[..., None], 3, axis=2))


# ---- depth -----------------------------------------------------------------------------------------------------------

RAMP_16 = np.tile(np.linspace(0, 65535, 512).astype(np.uint16), (32, 1))


def test_sixteen_bits_are_rounded_exactly():
    values = np.arange(65536, dtype=np.uint16)
    np.testing.assert_array_equal(reduce_uint16(values), np.rint(values / 257))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(png(512, 32, 16, 0, png_rows(RAMP_16)), id="grey PNG"),
        pytest.param(png(512, 32, 16, 2, png_rows(np.dstack([RAMP_16] * 3).reshape(32, -1))), id="RGB PNG"),
        pytest.param(tiff(RAMP_16), id="grey TIFF"),
        pytest.param(tiff(RAMP_16, byteorder=">"), id="grey TIFF, big-endian"),
        pytest.param(tiff(~RAMP_16, photometric="miniswhite"), id="grey TIFF, zero is white"),
        pytest.param(tiff(np.dstack([RAMP_16] * 3), photometric="rgb"), id="RGB TIFF"),
        pytest.param(tiff(np.dstack([RAMP_16] * 3), photometric="rgb", byteorder=">"), id="RGB TIFF, big-endian"),
        pytest.param(tiff(np.dstack([RAMP_16] * 3), photometric="rgb", compression="zlib"), id="RGB TIFF, zlib"),
    ],
)
def test_a_sixteen_bit_ramp_keeps_256_levels_and_its_ends(data):
    photo = decode(data)
    assert len(np.unique(photo.pixels[0, :, 1])) == 256
    assert np.abs(photo.pixels[..., 0] - RAMP_16 / 257).max() <= 1
    assert photo.notes == ("16 bits per channel reduced to 8",)


def test_floating_point_tiffs_are_read_from_zero_to_one_only():
    ramp = np.tile(np.linspace(0, 1, WIDTH, dtype=np.float32), (HEIGHT, 1))
    np.testing.assert_array_equal(decode(tiff(ramp)).pixels[..., 2], np.rint(ramp * 255))
    with pytest.raises(PhotoError, match="holds floating-point values from 0 to 700: expected 0 to 1"):
        decode(tiff(ramp * 700))
    with pytest.raises(PhotoError, match="holds 32-bit or signed integers, whose white is not defined"):
        decode(tiff((ramp * 1e6).astype(np.int32)))


def test_one_bit_pictures_are_black_and_white():
    bits = np.tile(np.arange(WIDTH) % 3 == 0, (HEIGHT, 1))
    for pillow_format in ("PNG", "TIFF", "BMP"):
        assert (decode(encode(Image.fromarray(bits), pillow_format)).pixels[..., 0] == 255 * bits).all()


# ---- colour ----------------------------------------------------------------------------------------------------------


def matrix_profile(primaries, gamma=2.2):
    """Build an ICC 2 profile from columns of XYZ (D50), byte by byte after ICC.1:2001-04."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    xyz = [b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in column)) for column in primaries]
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"Wide\0" + bytes(78 + 3)
    tags = [(b"desc", text), (b"wtpt", white), *zip((b"rXYZ", b"gXYZ", b"bXYZ"), xyz, strict=True)]
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12x4s", 128 + len(table) + len(body), b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"acsp"
    )
    header = header.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + body


ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_a_wide_gamut_photo_is_converted_to_srgb():
    wide = np.full((HEIGHT, WIDTH, 3), (100, 150, 120), np.uint8)
    photo = decode(encode(wide, "PNG", icc_profile=matrix_profile(ADOBE_RGB, 563 / 256)))
    # Independent of lcms: linearise, matrix to XYZ (D50), Bradford to sRGB's D65 (skimage knows sRGB from D65).
    xyz_d50 = np.array(ADOBE_RGB).T @ (wide[0, 0] / 255) ** (563 / 256)
    bradford = np.array(
        [[0.9555766, -0.0230393, 0.0631636], [-0.0282895, 1.0099416, 0.0210077], [0.0122982, -0.020483, 1.3299098]]
    )
    expected = 255 * color.xyz2rgb((bradford @ xyz_d50)[None, None])[0, 0]
    assert np.abs(photo.pixels[0, 0] - expected).max() <= 1.5
    assert photo.notes == ("colours converted from Wide to sRGB",)
    assert np.abs(photo.pixels[0, 0].astype(int) - wide[0, 0]).max() > 10


@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_an_srgb_profile_changes_nothing(mode):
    image = Image.fromarray(scene()).convert(mode)
    photo = decode(encode(image, "PNG", icc_profile=SRGB_PROFILE))
    assert photo.notes == ()
    np.testing.assert_array_equal(photo.pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(
    "profile", [b"not a profile", SRGB_PROFILE[:200], bytes(9 * 2**20)], ids=["text", "cut", "huge"]
)
def test_a_damaged_profile_is_ignored_with_a_note(profile):
    photo = decode(encode(scene(), "TIFF", icc_profile=profile))
    assert photo.notes == ("colour profile is damaged or does not fit: sRGB assumed",)
    np.testing.assert_array_equal(photo.pixels, scene())


def test_a_reduced_decode_still_converts_colours():
    data = encode(scene(640, 480), "JPEG", icc_profile=matrix_profile(ADOBE_RGB))
    full, reduced = decode(data), decode(data, minimum_short_side=60)
    assert full.notes == reduced.notes == ("colours converted from Wide to sRGB",)
    assert np.abs(full.pixels.mean((0, 1)) - reduced.pixels.mean((0, 1))).max() < 0.5


@pytest.mark.parametrize("pillow_format", ["JPEG", "TIFF"])
def test_cmyk_is_not_inverted(pillow_format):
    photo = decode(encode(Image.new("CMYK", (WIDTH, HEIGHT), (0, 255, 255, 0)), pillow_format))
    assert np.abs(photo.pixels.astype(int) - (255, 0, 0)).max() <= 3
    assert photo.notes == ("CMYK without a usable colour profile converted to RGB by the plain formula",)


def test_lab_matches_an_independent_conversion():
    lab = np.zeros((HEIGHT, WIDTH, 3)) + (60, 30, -20)
    stored = np.zeros((HEIGHT, WIDTH, 3), np.uint8) + np.array((153, 30, 236), np.uint8)  # L * 2.55; a, b as int8
    photo = decode(tiff(stored, photometric="cielab"))
    expected = 255 * color.lab2rgb(lab[:1, :1])[0, 0]
    assert np.abs(photo.pixels[0, 0] - expected).max() <= 4  # D50 adapted to D65 against D65 throughout
    assert photo.notes == ("CIELAB converted to sRGB",)


# ---- several pictures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pillow_format", "note"),
    [
        ("GIF", "first frame of an animation"),
        ("PNG", "first of 3 frames"),
        ("WEBP", "first of 3 frames"),
        ("AVIF", "first of 3 frames"),
        ("TIFF", "first of several pages"),
        ("HEIF", "main picture of 3"),
        ("MPO", "main picture of 3"),
    ],
)
def test_the_first_picture_of_several_is_shown_and_said(pillow_format, note):
    first, *rest = (Image.new("RGB", (64, 64), (value, value, value)) for value in (200, 100, 0))
    photo = decode(encode(first, pillow_format, save_all=True, append_images=rest))
    assert np.abs(photo.pixels.astype(int) - 200).max() <= 2
    assert photo.notes == (note,)


# ---- arrays, tensors, Pillow images ----------------------------------------------------------------------------------


def test_a_photo_is_read_while_another_thread_imports_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))  # there, but nothing is in it yet
    assert decode(encode(scene(90, 80), "JPEG")).full_size == (90, 80)


def test_arrays_and_tensors_of_every_kind_give_the_same_photo():
    image = scene()
    planes = torch.from_numpy(image).permute(2, 0, 1)
    unit = (image / 255).astype(np.float32)
    opaque = np.dstack([image, np.full((HEIGHT, WIDTH), 255, np.uint8)])
    sources = [image, image.astype(np.uint16) * 257, unit, unit.astype(float), opaque, np.asfortranarray(image)]
    sources += [planes, planes[None], (planes / 255).requires_grad_(), (planes / 255).half(), Image.fromarray(image)]
    for source in sources:
        np.testing.assert_array_equal(decode(source).pixels, image)
    grey = image[..., 0]
    for source in (grey, grey[..., None], Image.fromarray(grey)):
        np.testing.assert_array_equal(decode(source).pixels, np.dstack([grey] * 3))
    assert (decode(grey > 100).pixels[..., 0] == 255 * (grey > 100)).all()


def test_the_callers_array_and_image_stay_his():
    image = scene()
    photo = decode(image)
    image[:] = 0
    np.testing.assert_array_equal(photo.pixels, scene())
    pillow = Image.fromarray(scene())
    photo = decode(pillow)
    pillow.paste((0, 0, 0), (0, 0, WIDTH, HEIGHT))
    np.testing.assert_array_equal(photo.pixels, scene())
    pillow.getexif()[0x0112] = 6
    assert decode(pillow).full_size == (HEIGHT, WIDTH)
    assert pillow.size == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.full((32, 32), np.nan), "the array holds floating-point values that are not finite: expected 0 to 1"),
        (np.full((32, 32), 255.0), "the array holds floating-point values from 255 to 255: expected 0 to 1"),
        (np.zeros((32, 32, 2), np.uint8), r"the array has the shape \(32, 32, 2\): expected \(height, width\)"),
        (torch.zeros(2, 3, 32, 32), r"the tensor has the shape \(2, 3, 32, 32\): expected \(3, height, width\)"),
        (np.zeros((0, 32), np.uint8), "the array is 32 x 0 pixels: each side must have at least 16"),
    ],
)
def test_arrays_that_are_no_photos_are_refused(source, message):
    with pytest.raises(PhotoError, match=message):
        decode(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((32, 32), np.int32), "an array must be uint8, uint16, bool, or floating point in"),
        (torch.zeros(3, 32, 32, dtype=torch.int64), "a tensor must be uint8, or floating point in"),
        (None, "a photo must be a path, bytes, .* got NoneType"),
        (io.StringIO("text"), "a file must be opened in binary mode, its read\\(\\) gave str"),
    ],
)
def test_a_source_of_no_accepted_type_is_a_type_error(source, message):
    with pytest.raises(TypeError, match=message):
        decode(source)


# ---- refusals --------------------------------------------------------------------------------------------------------


def test_files_that_cannot_be_read_are_named_by_their_last_part(tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("not a photo")
    (tmp_path / "cut.jpg").write_bytes(FILES["JPEG"][:-200])
    os.mkfifo(tmp_path / "pipe.jpg")
    expected = {
        "absent.jpg": "absent.jpg does not exist: check the path.",
        ".": f"{tmp_path.name} is a folder: expected a photo.",
        "empty.jpg": "empty.jpg is empty: copy or export it again.",
        "pipe.jpg": "pipe.jpg is not a regular file: expected a photo.",
        "text.jpg": "text.jpg is not a photo that can be read: "
        "expected JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP, GIF or JPEG 2000.",
        "cut.jpg": "cut.jpg is damaged or cut off and cannot be decoded: copy or export it again.",
        "bad\nname\0.jpg": "bad?name?.jpg cannot be read: check the path and the disk.",
    }
    for name, message in expected.items():
        with pytest.raises(PhotoError) as caught:
            decode(tmp_path / name)
        assert str(caught.value) == message


def test_a_photo_without_a_name_is_refused_in_whole_sentences(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for source, message in (
        ("", "The name of the photo is empty: expected the path of a photo."),
        (Path(), "the path is a folder: expected a photo."),
        (io.BytesIO(), "the file is empty: copy or export it again."),
    ):
        with pytest.raises(PhotoError) as caught:
            decode(source)
        assert str(caught.value) == message


def test_a_file_without_permission_is_refused_in_words(tmp_path, monkeypatch):
    path = tmp_path / "secret.jpg"
    path.write_bytes(FILES["JPEG"])

    def forbid(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", forbid)  # root may read everything
    with pytest.raises(PhotoError, match=r"^secret.jpg may not be read: its permissions forbid it.$"):
        decode(path)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a PostScript file"),
        (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"8BPS\0\1" + bytes(40), "a Photoshop document"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(40), "a camera raw file"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(40), "a camera raw file"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(40), "a video"),
        (tiff(scene(), subfiletype=1), "a camera raw file"),
        (
            tiff(np.zeros((3, 32, 32), np.uint16), photometric="rgb", planarconfig="separate"),
            "a TIFF file with separate 16-bit colour planes",
        ),
        (tiff(scene(), extratags=[(50706, 1, 4, (1, 4, 0, 0), True)]), "a camera raw file"),
    ],
)
def test_known_foreign_files_are_named_with_what_to_do(data, kind):
    with pytest.raises(PhotoError) as caught:
        decode(data)
    assert str(caught.value) == (
        f"the image data is {kind}, which cannot be read here: export the picture as JPEG or PNG."
    )


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((1, 1), "is 1 x 1 pixels: each side must have at least 16"),
        ((40_000, 2_000), "is 40000 x 2000 pixels: no side may have more than 30000"),
        ((13_000, 12_000), "is 13000 x 12000 pixels, 156 megapixels: at most 150 are read"),
        ((29_000, 29_000), "has more pixels than can be read"),
        ((900, 40), "is 900 x 40 pixels: the long side may be at most 20 times the short side"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_limits_are_checked_before_a_pixel_is_decoded(size, message):
    with pytest.raises(PhotoError, match=message):
        decode(png(*size, 8, 2, b"no rows at all"))


def test_limits_can_be_changed_and_are_themselves_checked():
    with pytest.raises(PhotoError, match="the image data is larger than 0.000976562 MiB, the limit for one photo"):
        decode(bytes(2000), limits=DecodeLimits(max_file_bytes=1024))
    with pytest.raises(ValueError, match="max_side must be a positive integer, got 0"):
        DecodeLimits(max_side=0)
    with pytest.raises(ValueError, match="max_pixels must be at most 178956970"):
        DecodeLimits(max_pixels=10**9)
    with pytest.raises(ValueError, match="max_aspect must be a finite number of at least 1, got nan"):
        DecodeLimits(max_aspect=float("nan"))


BOMBS = {
    "pixels": png(10_000, 16_000, 1, 0, bytes(16_000 * 1251)),
    "text": png(32, 32, 8, 0, bytes(32 * 33), (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(300 * 2**20), 9))),
    "profile": png(32, 32, 8, 0, bytes(32 * 33), (b"iCCP", b"ICC\0\0" + zlib.compress(bytes(300 * 2**20), 9))),
}


def test_bombs_are_refused_or_left_packed_within_little_memory(tmp_path):
    for kind, data in BOMBS.items():
        assert len(data) < 2**20
        (tmp_path / kind).write_bytes(data)
    program = """
import pathlib, resource, sys
from metaiqa_core.errors import PhotoError
from metaiqa_core.images import decode
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in pathlib.Path(sys.argv[1]).iterdir():
    try:
        print(path.name, *decode(path).notes)
    except PhotoError as error:
        print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    *messages, growth = done.stdout.splitlines()
    assert sorted(messages) == [
        "pixels is 10000 x 16000 pixels, 160 megapixels: at most 150 are read, please make it smaller.",
        "profile colour profile is damaged or does not fit: sRGB assumed",
        "text",
    ]
    assert int(growth) < 60  # MiB


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", FILES)
def test_damaged_files_give_a_photo_or_a_photo_error_and_nothing_else(name):
    generator = np.random.default_rng(20)
    intact = np.frombuffer(FILES[name], np.uint8)
    messages = []
    for trial in range(40):
        data = intact[: generator.integers(1, len(intact))] if trial % 2 else intact.copy()
        if not trial % 2:
            places = generator.integers(0, min(len(data), 10 ** generator.integers(2, 6)), generator.integers(1, 9))
            data[places] = generator.integers(0, 256, len(places))
        try:
            assert decode(data.tobytes(), minimum_short_side=16).pixels.dtype == np.uint8
        except PhotoError as error:
            messages.append(str(error))
    assert len(messages) >= 10
    assert all(re.fullmatch(r"the image data .*\.", message) for message in messages)


def test_many_threads_decode_the_same_pixels():
    with ThreadPoolExecutor(8) as pool:
        photos = list(pool.map(decode, [FILES["HEIF"], FILES["AVIF"], FILES["JPEG"]] * 8))
    for photo, again in zip(photos[:3] * 8, photos, strict=True):
        np.testing.assert_array_equal(photo.pixels, again.pixels)
