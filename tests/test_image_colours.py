"""Colours that a file tells without a profile: compared with the formulas of H.273 and BT.2100."""

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from metaiqa_core.images import decode
from metaiqa_core.images.colour_spaces import from_code_points

pillow_heif.register_heif_opener()
PRIMARIES = {
    1: ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), (0.3127, 0.3290)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), (0.3127, 0.3290)),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.3127, 0.3290)),
}


def scene():
    """Muted colours, within every gamut, that change slowly."""
    y, x = np.mgrid[0:64, 0:96] / [[[64]], [[96]]]
    return np.rint(np.stack([60 + 150 * x, 70 + 130 * y, 90 + 60 * np.sin(3 * x + 2 * y)], axis=-1)).astype(np.uint8)


def matrix(primaries):
    """Solve for the RGB to XYZ matrix: (1, 1, 1) must give the white."""
    *corners, (white_x, white_y) = PRIMARIES[primaries]
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in corners]).T
    white = np.array([white_x / white_y, 1, (1 - white_x - white_y) / white_y])
    return columns @ np.diag(np.linalg.inv(columns) @ white)


def linear_light(srgb):
    unit = srgb / 255
    return np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)


def encode_pq(light):
    """BT.2100, table 4, inverse EOTF, of light where 1 is diffuse white at 203 cd/m2."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = (np.clip(light, 0, None) * 203 / 10000) ** m1
    return ((c1 + c2 * power) / (1 + c3 * power)) ** m2


def encode_hlg(light):
    """BT.2100, table 5: inverse OOTF for 1000 cd/m2 (gamma 1.2), then the OETF."""
    display = np.clip(light, 0, None) * 203 / 1000
    luminance = display @ (0.2627, 0.6780, 0.0593)
    scene_light = display * luminance[..., None] ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    high = a * np.log(np.maximum(12 * scene_light - b, 1e-9)) + c
    return np.where(scene_light <= 1 / 12, np.sqrt(3 * scene_light), high)


def encode_camera(light):
    light = np.clip(light, 0, None)
    return np.where(light < 0.018, 4.5 * light, 1.099 * light**0.45 - 0.099)


def encode_srgb(light):
    light = np.clip(light, 0, None)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


CURVES = {
    4: lambda light: np.clip(light, 0, None) ** (1 / 2.2),
    8: lambda light: np.clip(light, 0, None),
    13: encode_srgb,
    14: encode_camera,
    16: encode_pq,
    18: encode_hlg,
}
CODE_POINTS = [(9, 16), (9, 18), (12, 13), (9, 13), (9, 14), (12, 16), (1, 16), (1, 8), (12, 4)]


def stored(primaries, transfer):
    """The scene as the values that a file of these code points holds, 8 bits."""
    light = linear_light(scene()) @ (np.linalg.inv(matrix(primaries)) @ matrix(1)).T
    return np.rint(255 * CURVES[transfer](light)).astype(np.uint8)


def off(photo):
    return np.abs(photo.pixels.astype(int) - scene())


def encoded(array, pillow_format, **options):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, pillow_format, **options)
    return buffer.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunks(array, *chunks, **options):
    """A PNG with more chunks right behind its header."""
    data = encoded(array, "PNG", **options)
    return data[:33] + b"".join(chunk(kind, content) for kind, content in chunks) + data[33:]


@pytest.mark.parametrize(("primaries", "transfer"), CODE_POINTS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_png_with_code_points_is_converted(primaries, transfer, mode):
    values = stored(primaries, transfer)
    if mode == "RGBA":
        values = np.dstack([values, np.full(values.shape[:2], 255, np.uint8)])
    elif mode == "P":
        if transfer in (16, 18, 8):
            pytest.skip("256 colours are too few for these curves")
        values = np.asarray(Image.fromarray(values).quantize(256).convert("RGB"))
    photo = decode(with_chunks(values, (b"cICP", bytes([primaries, transfer, 0, 1]))))
    assert off(photo).mean() < (5 if mode == "P" else 2.5 if transfer == 8 else 1.5)
    assert photo.notes[0].startswith("colours converted from ")


def test_narrow_range_and_grey_are_understood():
    values = np.rint(16 + 219 / 255 * stored(9, 16)).astype(np.uint8)
    assert off(decode(with_chunks(values, (b"cICP", bytes([9, 16, 0, 0]))))).mean() < 1.6
    grey = scene()[..., 1]
    values = np.rint(255 * encode_pq(linear_light(grey))).astype(np.uint8)
    photo = decode(with_chunks(values, (b"cICP", bytes([9, 16, 0, 1]))))
    assert np.abs(photo.pixels[..., 0].astype(int) - grey).mean() < 1.5


def test_sixteen_bits_with_code_points_are_converted():
    light = linear_light(scene()) @ (np.linalg.inv(matrix(9)) @ matrix(1)).T
    values = np.rint(65535 * encode_pq(light)).astype(">u2")
    header = struct.pack(">IIBBBBB", 96, 64, 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    chunks = [(b"IHDR", header), (b"cICP", bytes([9, 16, 0, 1])), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    photo = decode(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks))
    assert off(photo).mean() < 3  # Pillow keeps the upper eight bits


@pytest.mark.parametrize(("primaries", "transfer"), CODE_POINTS)
def test_an_avif_with_nclx_is_converted(primaries, transfer):
    data = encoded(stored(primaries, transfer), "AVIF", quality=100, subsampling="4:4:4")
    place = data.find(b"colrnclx") + 8
    data = data[:place] + struct.pack(">2H", primaries, transfer) + data[place + 4 :]
    photo = decode(data)
    # Eight bits of linear values are too few in the shadows, and AVIF is lossy.
    assert off(photo).mean() < (5 if transfer == 8 else 3.5)
    assert photo.notes[0].startswith("colours converted from ")


@pytest.mark.parametrize(("primaries", "transfer"), [(9, 16), (9, 18), (12, 13), (9, 14)])
@pytest.mark.parametrize("bits", [8, 10])
def test_a_heic_with_nclx_is_converted(primaries, transfer, bits):
    values = stored(primaries, transfer)
    options = {"quality": 100, "chroma": 444, "color_primaries": primaries, "transfer_characteristics": transfer}
    if bits == 8:
        data = encoded(values, "HEIF", **options)
    else:
        image = pillow_heif.from_bytes("RGB;16", (96, 64), (values.astype(np.uint16) * 257).tobytes())
        buffer = io.BytesIO()
        image.save(buffer, **options)
        data = buffer.getvalue()
    photo = decode(data)
    assert off(photo).mean() < 3.5
    assert photo.notes[0].startswith("colours converted from ")


def test_srgb_and_camera_code_points_and_unspecified_ones_change_nothing():
    for points in ((1, 13), (1, 1), (2, 2), (1, 2), (6, 6), (5, 6), (1, 14)):
        photo = decode(with_chunks(scene(), (b"cICP", bytes([*points, 0, 1]))))
        np.testing.assert_array_equal(photo.pixels, scene())
        assert photo.notes == ()


def test_unknown_code_points_are_said():
    photo = decode(with_chunks(scene(), (b"cICP", bytes([99, 13, 0, 1]))))
    np.testing.assert_array_equal(photo.pixels, scene())
    assert photo.notes == ("colours are coded in a way that is not known here (primaries 99, curve 13): sRGB assumed",)
    photo = decode(with_chunks(scene(), (b"cICP", bytes([9, 16, 9, 1]))))
    assert photo.notes == ("the colours that the file declares are invalid: sRGB assumed",)


def test_light_above_diffuse_white_is_cut_off_and_said():
    bright = np.full((32, 32, 3), 200, np.uint8)  # PQ 0.78: about 1500 cd/m2
    photo = decode(with_chunks(bright, (b"cICP", bytes([9, 16, 0, 1]))))
    assert (photo.pixels == 255).all()
    assert photo.notes == (
        "colours converted from BT.2020 with the PQ curve to sRGB, 100% of it brighter than white and cut off",
    )


@pytest.mark.parametrize("transfer", [16, 18])
def test_diffuse_white_of_both_hdr_curves_becomes_white(transfer):
    white = np.rint(255 * CURVES[transfer](np.ones((32, 32, 3)))).astype(np.uint8)
    assert white[0, 0, 0] == {16: 148, 18: 191}[transfer]  # 58 % and 75 % of the signal (BT.2408, table 1)
    space = from_code_points(9, transfer)
    assert (space.to_srgb(white)[0] >= 253).all()
    assert (space.to_srgb(np.zeros_like(white))[0] == 0).all()


CHRM_P3 = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


def test_gamma_and_chromaticities_of_a_png_are_followed():
    photo = decode(with_chunks(stored(1, 8), (b"gAMA", struct.pack(">I", 100_000))))
    assert off(photo).mean() < 2.5
    values = np.rint(255 * linear_light(scene()) ** (1 / 1.8)).astype(np.uint8)
    assert off(decode(with_chunks(values, (b"gAMA", struct.pack(">I", 55556))))).mean() < 1
    photo = decode(with_chunks(stored(12, 4), (b"gAMA", struct.pack(">I", 45455)), (b"cHRM", CHRM_P3)))
    assert off(photo).mean() < 3  # 0.45455 stands for the curve of sRGB, which is close to 2.2
    assert photo.notes == ("colours converted from the colours of the file to sRGB",)
    assert off(decode(with_chunks(stored(12, 13), (b"cHRM", CHRM_P3)))).mean() < 1


def test_the_order_of_what_counts_in_a_png_is_kept():
    gamma = (b"gAMA", struct.pack(">I", 100_000))
    assert decode(with_chunks(scene(), (b"sRGB", b"\0"), gamma)).notes == ()
    photo = decode(with_chunks(stored(12, 13), (b"cICP", bytes([12, 13, 0, 1])), (b"sRGB", b"\0"), gamma))
    assert off(photo).mean() < 1
    srgb_chrm = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    photo = decode(with_chunks(scene(), (b"gAMA", struct.pack(">I", 45455)), (b"cHRM", srgb_chrm)))
    assert photo.notes == ()
    np.testing.assert_array_equal(photo.pixels, scene())


@pytest.mark.parametrize("content", [bytes(32), b"\xff" * 32, struct.pack(">8I", *[31270, 32900] * 4)])
def test_chromaticities_that_make_no_sense_are_said(content):
    photo = decode(with_chunks(scene(), (b"cHRM", content)))
    np.testing.assert_array_equal(photo.pixels, scene())
    assert photo.notes == ("the colours that the file declares are invalid: sRGB assumed",)


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP"])
def test_the_mark_of_adobe_rgb_that_cameras_leave_is_followed(pillow_format):
    to_adobe = np.linalg.inv(matrix_of_adobe()) @ matrix(1)
    values = np.rint(255 * (linear_light(scene()) @ to_adobe.T) ** (256 / 563)).astype(np.uint8)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 65535
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    options = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}}.get(pillow_format, {})
    photo = decode(encoded(values, pillow_format, exif=exif.tobytes(), **options))
    assert photo.notes == ("colours converted from Adobe RGB to sRGB",)
    assert off(photo).mean() < 1.5


def matrix_of_adobe():
    PRIMARIES["adobe"] = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), (0.3127, 0.3290))
    return matrix("adobe")


def bmp_v5(array, space, extra=b"", profile=b""):
    """A 24-bit BITMAPV5HEADER file by hand."""
    height, width = array.shape[:2]
    rows = array[::-1, :, ::-1].tobytes()
    header = struct.pack("<IiiHHIIiiII", 124, width, height, 1, 24, 0, len(rows), 2835, 2835, 0, 0)
    header += bytes(16) + space + extra.ljust(48, b"\0")
    header += struct.pack("<4I", 4, 124 + len(rows) if profile else 0, len(profile), 0)
    return b"BM" + struct.pack("<IHHI", 138 + len(rows) + len(profile), 0, 0, 138) + header + rows + profile


def test_the_endpoints_of_a_bmp_are_followed():
    columns = matrix(12).T
    extra = b"".join(struct.pack("<3I", *(round(value * 2**30) for value in column)) for column in columns)
    extra += struct.pack("<3I", *[round(2.2 * 65536)] * 3)
    photo = decode(bmp_v5(stored(12, 4), bytes(4), extra))
    assert photo.notes == ("colours converted from the colours of the file to sRGB",)
    assert off(photo).mean() < 3
    plain = decode(bmp_v5(scene(), b"BGRs"))
    np.testing.assert_array_equal(plain.pixels, scene())
    assert plain.notes == ()


def gain_map_jpeg(kind):
    """A JPEG with a second picture that brightens it, as phones write them."""
    base, second = encoded(scene(), "JPEG", quality=95), encoded(scene()[:32, :48, 0], "JPEG")
    xmp = {
        "adobe": b'http://ns.adobe.com/xap/1.0/\0<x xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"/>',
        "iso": b"urn:iso:std:iso:ts:21496:-1\0" + bytes(4),
    }[kind]
    marker = b"\xff\xe1" if kind == "adobe" else b"\xff\xe2"
    return base[:2] + marker + struct.pack(">H", len(xmp) + 2) + xmp + base[2:] + second


@pytest.mark.parametrize("kind", ["adobe", "iso"])
def test_of_a_gain_map_jpeg_the_base_picture_is_used_and_said(kind):
    photo = decode(gain_map_jpeg(kind))
    assert photo.full_size == (96, 64)
    assert off(photo).mean() < 2
    assert photo.notes == ("HDR photo with a gain map: its picture for ordinary screens is used",)


def test_a_large_conversion_stays_within_its_bands_and_is_the_same_everywhere():
    tall = np.tile(stored(12, 13), (12, 1, 1))  # 768 rows, three bands
    converted = decode(with_chunks(tall, (b"cICP", bytes([12, 13, 0, 1])))).pixels
    for part in range(12):
        np.testing.assert_array_equal(converted[64 * part : 64 * part + 64], converted[:64])
