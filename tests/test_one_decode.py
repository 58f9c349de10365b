"""One file has one score, whichever use asks: reduced or in full, alone or with its tiles."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from metaiqa_core import assess
from metaiqa_core.assess import Assessor
from metaiqa_core.images import decode
from metaiqa_core.preprocessing import Preprocessing

SHORT = 64


def picture(kind, height, width):
    y, x = np.mgrid[0:height, 0:width]
    if kind == "zone plate":
        grey = 128 + 100 * np.cos(np.pi * ((x - width / 2) ** 2 + (y - height / 2) ** 2) / width)
    elif kind == "lines":
        grey = np.where(x % 3 == 0, 255, 0)
    else:  # a halftone of a ramp
        screen = 128 + 63 * (np.cos(2 * np.pi * (x + y) / 4.5) + np.cos(2 * np.pi * (x - y) / 4.5))
        grey = np.where(255 * x / width > screen, 255, 0)
    return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)


def jpeg(pixels, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=92, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["zone plate", "lines", "halftone"])
@pytest.mark.parametrize("size", [(257, 385), (371, 500), (372, 500), (769, 1001), (1537, 1600)])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_a_reduced_and_a_full_decode_give_the_same_model_input(kind, size, options):
    data = jpeg(picture(kind, *size), **options)
    preprocess = Preprocessing(short_side=SHORT)
    reduced, full = decode(data, minimum_short_side=SHORT), decode(data)
    assert full.pixels.shape[:2] == size
    assert (reduced.pixels.shape[0] < size[0]) == (size[0] >= 5.8 * SHORT)
    torch.testing.assert_close(preprocess(reduced), preprocess(full), rtol=0, atol=0)


@pytest.mark.parametrize("kind", ["zone plate", "lines", "halftone"])
def test_below_5_8_times_the_models_size_fine_lines_are_not_averaged_into_false_ones(kind):
    pixels = picture(kind, 371, 500)
    preprocess = Preprocessing(short_side=SHORT)
    seen = preprocess(decode(jpeg(pixels, subsampling=0), minimum_short_side=SHORT))
    target = preprocess.model_size(500, 371)
    direct = np.asarray(Image.fromarray(pixels).resize(target, Image.Resampling.BICUBIC)).transpose(2, 0, 1)
    assert np.abs(seen[0].numpy() * 255 - direct).mean() < 1


@pytest.mark.parametrize("pillow_format", ["PNG", "JPEG"])
def test_a_large_photo_gets_nearly_the_same_input_from_every_format(pillow_format):
    pixels = picture("halftone", 769, 1001)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(
        buffer, pillow_format, **({"quality": 95, "subsampling": 0} if pillow_format == "JPEG" else {})
    )
    preprocess = Preprocessing(short_side=SHORT)
    difference = preprocess(decode(buffer.getvalue())) - preprocess(pixels)
    assert difference.abs().mean() * 255 < 1


def test_a_score_with_its_tiles_decodes_the_file_once_and_agrees_with_the_score_alone(tiny_checkpoint, monkeypatch):
    data = jpeg(picture("zone plate", 640, 800))
    assessor = Assessor.load(tiny_checkpoint)
    alone = assessor.assess(data)
    calls = []

    def counting(source, **options):
        calls.append(source)
        return decode(source, **options)

    monkeypatch.setattr(assess, "decode", counting)
    together = assessor.assess(data, at_full_size=True)
    assert len(calls) == 1
    assert together.score == alone.score
    assert [each.score for each in assessor.assess_many([data, data], at_full_size=True)] == [alone.score] * 2
    assert len(calls) == 3
