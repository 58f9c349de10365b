"""Small pictures of every format that can be read, and camera raws: what fuzzed uploads are mutations of."""

import functools
import io
import struct
import zlib

import numpy as np
import pillow_heif
import tifffile
from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin
from tiny_fixtures import photo_pixels

from metaiqa_core.images.formats import READABLE_FORMATS

WIDTH, HEIGHT = 72, 56
FORMATS = (*READABLE_FORMATS, "camera raw")
"""Formats that the mutations cover, each equally often."""


@functools.cache
def seed_uploads():
    """Return for each of `FORMATS` its small files, each with its name."""
    pillow_heif.register_heif_opener()
    makers = {
        "JPEG": jpegs, "PNG": pngs, "WEBP": webps, "AVIF": avifs, "HEIF": heics, "TIFF": tiffs, "BMP": bmps,
        "GIF": gifs, "JPEG2000": jpeg2000s, "camera raw": camera_raws,
    }  # fmt: skip
    assert set(makers) == set(FORMATS), "a format that can be read has no seeds here"
    return {name: make() for name, make in makers.items()}


def picture(mode="RGB", number=0):
    pixels = photo_pixels(number, noise=6, size=(WIDTH, HEIGHT))
    image = Image.fromarray(pixels)
    if mode in ("RGBA", "LA"):
        image = image.convert(mode.rstrip("A") if mode == "LA" else "RGB")
        image.putalpha(Image.fromarray(pixels[..., 1]))
        return image
    return image.convert(mode)


def saved(image, pillow_format, **options):
    buffer = io.BytesIO()
    image.save(buffer, pillow_format, **options)
    return buffer.getvalue()


def exif(orientation=6):
    tags = Image.Exif()
    tags[274], tags[271] = orientation, "Maker"
    tags.get_ifd(34665)[40961] = 65535
    return tags


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def jpegs():
    # What Pillow calls MPO is two JPEG pictures in one file.
    return [
        ("a.jpg", saved(picture(), "JPEG", quality=80)),
        ("progressive.jpg", saved(picture(), "JPEG", progressive=True, exif=exif(), icc_profile=PROFILE)),
        ("grey.jpeg", saved(picture("L"), "JPEG", comment=b"grey")),
        ("print.jpg", saved(picture("CMYK"), "JPEG")),
        ("restarts.jpg", saved(picture(), "JPEG", subsampling=0, restart_marker_blocks=4)),
        ("two.mpo", saved(picture(), "MPO", save_all=True, append_images=[picture(number=1)])),
    ]


def pngs():
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "made for a test " * 9, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta/>")
    colours = PngImagePlugin.PngInfo()
    colours.add(b"gAMA", struct.pack(">I", 45455))
    colours.add(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
    pq = PngImagePlugin.PngInfo()
    pq.add(b"cICP", bytes((9, 16, 0, 1)))
    grey16 = Image.fromarray(np.asarray(picture("L")).astype(np.uint16) * 257)
    frames = [picture(number=1), picture(number=2)]
    return [
        ("a.png", saved(picture(), "PNG", pnginfo=texts)),
        ("alpha.png", saved(picture("RGBA"), "PNG", exif=exif(), icc_profile=PROFILE)),
        ("palette.png", saved(picture("P"), "PNG", transparency=3)),
        ("deep.png", saved(grey16, "PNG", pnginfo=colours)),
        ("pq.png", saved(picture(), "PNG", pnginfo=pq)),
        ("bits.png", saved(picture("1"), "PNG")),
        ("animated.png", saved(picture(), "PNG", save_all=True, append_images=frames)),
    ]


def webps():
    frames = [picture("RGBA", 1), picture("RGBA", 2)]
    return [
        ("a.webp", saved(picture(), "WEBP", quality=70)),
        ("lossless.webp", saved(picture("RGBA"), "WEBP", lossless=True, exif=exif(), icc_profile=PROFILE)),
        ("animated.webp", saved(picture("RGBA"), "WEBP", save_all=True, append_images=frames)),
    ]


def avifs():
    frames = [picture(number=1), picture(number=2)]
    return [
        ("a.avif", saved(picture(), "AVIF", quality=60, speed=10)),
        ("alpha.avif", saved(picture("RGBA"), "AVIF", speed=10, exif=exif(), icc_profile=PROFILE)),
        ("sequence.avif", saved(picture(), "AVIF", speed=10, save_all=True, append_images=frames)),
    ]


def heics():
    file = pillow_heif.from_pillow(picture())
    file.add_from_pillow(picture(number=1))
    several = io.BytesIO()
    file.save(several, quality=50)
    return [
        ("a.heic", saved(picture(), "HEIF", quality=50)),
        ("alpha.heif", saved(picture("RGBA"), "HEIF", quality=50, exif=exif().tobytes(), icc_profile=PROFILE)),
        ("several.heic", several.getvalue()),
    ]


def tiffs():
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270] = "made for a test"
    deep = np.asarray(picture()).astype(np.uint16) * 257
    grey_float = np.asarray(picture("L")).astype(np.float32) / 255
    tiled, big = io.BytesIO(), io.BytesIO()
    tifffile.imwrite(tiled, deep, photometric="rgb", tile=(16, 16), compression="zlib", predictor=True)
    tifffile.imwrite(big, np.asarray(picture()), photometric="rgb", bigtiff=True)
    several = {"save_all": True, "append_images": [picture(number=1)]}
    return [
        ("a.tif", saved(picture(), "TIFF", tiffinfo=tags)),
        ("lzw.tiff", saved(picture("RGBA"), "TIFF", compression="tiff_lzw", icc_profile=PROFILE)),
        ("jpeg.tif", saved(picture(), "TIFF", compression="jpeg")),
        ("fax.tif", saved(picture("1"), "TIFF", compression="group4")),
        ("packed.tif", saved(picture("P"), "TIFF", compression="packbits")),
        ("print.tif", saved(picture("CMYK"), "TIFF", compression="tiff_adobe_deflate")),
        ("lab.tif", saved(picture("LAB"), "TIFF")),
        ("float.tif", saved(Image.fromarray(grey_float), "TIFF")),
        ("tiled.tif", tiled.getvalue()),
        ("big.tif", big.getvalue()),
        ("pages.tif", saved(picture(), "TIFF", **several)),
    ]


def bmps():
    return [
        ("a.bmp", saved(picture(), "BMP")),
        ("palette.bmp", saved(picture("P"), "BMP")),
        ("bits.bmp", saved(picture("1"), "BMP")),
        ("v5.bmp", bmp_with_profile()),
        ("runs.bmp", bmp_of_runs()),
    ]


def bmp_with_profile():
    """A 32-bit BMP with masks and an embedded profile (BITMAPV5HEADER)."""
    rows = np.dstack([np.asarray(picture())[..., ::-1], np.full((HEIGHT, WIDTH), 200, np.uint8)])[::-1].tobytes()
    header = struct.pack("<IiiHHIIiiII", 124, WIDTH, HEIGHT, 1, 32, 3, len(rows), 2835, 2835, 0, 0)
    header += struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"DEBM"
    header = header.ljust(112, b"\0") + struct.pack("<3I", 124 + len(rows), len(PROFILE), 0)
    header = header.ljust(124, b"\0")
    return b"BM" + struct.pack("<IHHI", 138 + len(rows) + len(PROFILE), 0, 0, 138) + header + rows + PROFILE


def bmp_of_runs():
    """An 8-bit BMP whose rows are run-length coded."""
    palette = b"".join(bytes((value, value, value, 0)) for value in range(256))
    rows = b"".join(bytes((WIDTH // 2, row % 256, WIDTH - WIDTH // 2, 255 - row, 0, 0)) for row in range(HEIGHT))
    rows += b"\0\1"
    offset = 14 + 40 + len(palette)
    header = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, 8, 1, len(rows), 2835, 2835, 256, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset) + header + palette + rows


def gifs():
    frames = [picture("P", 1), picture("P", 2)]
    return [
        ("a.gif", saved(picture("P"), "GIF")),
        ("clear.gif", saved(picture("P"), "GIF", transparency=5, comment=b"made for a test")),
        ("animated.gif", saved(picture("P"), "GIF", save_all=True, append_images=frames, disposal=2)),
    ]


def jpeg2000s():
    return [
        ("a.jp2", saved(picture(), "JPEG2000", quality_mode="rates", quality_layers=[8])),
        ("tiles.j2k", saved(picture(), "JPEG2000", tile_size=(32, 32), no_jp2=True)),
        ("alpha.jp2", saved(picture("RGBA"), "JPEG2000")),
        ("grey.jpx", saved(picture("L"), "JPEG2000", irreversible=True)),
    ]


def camera_raws():
    """Camera raws told by their content, and plain pictures under names of raws."""
    plain = saved(picture(), "TIFF")
    filtered = io.BytesIO()
    tifffile.imwrite(
        filtered, np.asarray(picture("L")), photometric=32803, extratags=[(33422, 1, 4, (0, 1, 1, 2), True)]
    )
    dng = io.BytesIO()
    tifffile.imwrite(dng, np.asarray(picture()), extratags=[(50706, 1, 4, (1, 4, 0, 0), True)], byteorder=">")
    return [
        ("a.cr2", b"II*\0\x10\0\0\0CR\2\0" + plain[12:]),
        ("a.dng", dng.getvalue()),
        ("a.nef", filtered.getvalue()),
        ("a.raf", b"FUJIFILMCCD-RAW 0201" + bytes(80) + saved(picture(), "JPEG")),
        ("a.cr3", struct.pack(">I", 24) + b"ftypcrx \0\0\0\1crx isom" + plain[:400]),
        ("a.arw", plain),
    ]


def bombs():
    """Return makers of files that are small and hold, or claim to hold, many pixels, by their names."""
    side = 12_200  # nearly as many as are read of any format
    grey, colours = bytes(1 + side), bytes(1 + 4 * side)
    return {
        "bits.png": lambda: _png(side, 1, 0, bytes(1 + (side + 7) // 8)),
        "palette.png": lambda: _png(side, 8, 3, grey, _chunk(b"PLTE", bytes(768)), _chunk(b"tRNS", b"\0\x80")),
        "deep.png": lambda: _png(side, 16, 0, bytes(1 + 2 * side)),
        "alpha.png": lambda: _png(side, 8, 6, colours),
        "runs.bmp": lambda: _with_sides(bmp_of_runs(), side, (18, 22), 4, "little"),
        "cut.jpg": lambda: _with_frame(saved(picture(), "JPEG"), side),
        "canvas.gif": lambda: _with_sides(gifs()[0][1], side, (6, 8), 2, "little"),
        "cut.webp": lambda: _with_sides(webps()[1][1], side - 1, (24, 27), 3, "little"),
        "cut.jp2": lambda: _with_sides(jpeg2000s()[0][1], side, (48, 52), 4, "big"),
    }


def _with_frame(jpeg, side):
    frame = jpeg.index(b"\xff\xc0")
    return _with_sides(jpeg, side, (frame + 5, frame + 7), 2, "big")


def _with_sides(data, side, places, width, order):
    changed = bytearray(data)
    for place in places:
        changed[place : place + width] = side.to_bytes(width, order)
    return bytes(changed)


def _png(side, depth, colour_type, row, *chunks):
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, colour_type, 0, 0, 0))
    return b"".join([b"\x89PNG\r\n\x1a\n", header, *chunks, _chunk(b"IDAT", packed), _chunk(b"IEND", b"")])


def _chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
