"""Compression and transmission: what the codecs are told, and what happens to their streams."""

import math

import numpy as np
import pytest
import skimage.data
import torch
from hypothesis import given
from hypothesis import strategies as st

from metaiqa_core.distortions import codecs, compression, distort, transmission
from metaiqa_core.errors import DistortionError


@pytest.fixture(scope="module")
def photo():
    return np.ascontiguousarray(skimage.data.astronaut()[:256:2, 60:316:2])


@pytest.fixture
def streams(monkeypatch):
    """Every stream that compression encodes during the test."""
    seen = []

    def spy(*args, **kwargs):
        seen.append(codecs.encode(*args, **kwargs))
        return seen[-1]

    monkeypatch.setattr(compression, "encode", spy)
    return seen


def psnr(result, image):
    return -10 * math.log10(((result / 255.0 - image / 255.0) ** 2).mean())


@pytest.mark.parametrize(("level", "quality"), enumerate((43, 36, 24, 7, 4), start=1))
def test_kadid_jpeg_uses_the_standard_table_scaled_to_its_quality(level, quality, photo, streams):
    distort(photo, "kadid10k:JPEG", level)
    scale = 5000 // quality  # the rule of the Independent JPEG Group below 50
    table = streams[0][streams[0].index(b"\xff\xdb") + 5 :][:64]
    assert table[0] == math.floor((16 * scale + 50) / 100)  # the step of the mean, 16 at quality 50
    assert max(table) == min(255, math.floor((121 * scale + 50) / 100))


@pytest.mark.parametrize(("level", "ratio"), enumerate((16, 32, 45, 120), start=1))
def test_kadid_jpeg2000_keeps_its_compression_ratio(level, ratio, streams):
    large = skimage.data.astronaut()
    distort(large, "kadid10k:JP2K", level)
    assert large.nbytes / len(streams[0]) == pytest.approx(ratio, rel=0.06)


def test_coarse_tid_jpeg_is_progressive_and_stays_silent(photo, streams, capfd):
    distort(photo // 8 + 100, "tid2013:JPEG", 5)
    assert any(b"\xff\xc2" in stream for stream in streams)
    assert capfd.readouterr().err == ""


def test_jpeg_shows_its_blocks_at_level_5(photo):
    difference = np.abs(np.diff(distort(photo, "kadid10k:JPEG", 5).astype(float), axis=1)).mean((0, 2))
    at_borders = difference[7::8].mean()
    assert at_borders > 1.5 * np.delete(difference, np.s_[7::8]).mean()


def test_comfort_noise_keeps_the_energy_of_every_frequency_and_all_block_means(photo):
    grey = np.full((64, 64, 3), 0.5)
    texture = grey + 0.1 * np.random.default_rng(0).standard_normal((64, 64, 1))
    result = distort(texture, "tid2013:CN", 4, seed=5)
    assert result.std() == pytest.approx(texture.std(), rel=0.02)
    means, means_before = (image.reshape(8, 8, 8, 8, 3).mean((1, 3)) for image in (result, texture))
    np.testing.assert_allclose(means, means_before, atol=1e-5)


def test_compressed_noise_is_quantised_with_a_flat_table_of_four_deviations(photo, streams):
    distort(photo, "tid2013:LCNI", 4)
    table = streams[-1][streams[-1].index(b"\xff\xdb") + 5 :][:64]
    assert len(set(table)) == 1


@given(position=st.integers(3, 40), burst=st.binary(min_size=1, max_size=8), data=st.data())
def test_damage_never_makes_breaks_or_moves_a_marker(position, burst, data):
    body = data.draw(st.lists(st.sampled_from([0x00, 0x12, 0x80, 0xD0, 0xFF]), min_size=40, max_size=40))
    stream = b"\xff\xda\x01" + bytes(body) + b"\xff\xd9"
    damaged = transmission.damage(stream, position, burst)
    assert len(damaged) == len(stream)
    assert damaged[:position] == stream[:position]
    assert damaged[-2:] == b"\xff\xd9"
    for before, after, follower_before, follower_after in zip(stream, damaged, stream[1:], damaged[1:], strict=False):
        assert (before == 0xFF) == (after == 0xFF)
        if before == 0xFF:
            assert follower_before == follower_after


@pytest.mark.parametrize("name", ["tid2013:JGTE", "tid2013:J2TE"])
def test_transmission_errors_reach_the_psnr_of_their_level(name, photo):
    reached = [psnr(distort(photo, name, level, seed=1), photo) for level in range(1, 6)]
    np.testing.assert_allclose(reached, [33, 30, 27, 24, 21], atol=1)


def test_jpeg_transmission_errors_stay_within_the_rows_between_restart_markers(photo):
    stream = codecs.encode(photo, "JPEG", quality=transmission.CLEAN_JPEG_QUALITY, restart_marker_rows=1)
    clean = codecs.decode(stream)
    for place in range(len(stream) // 4, len(stream) - 100, len(stream) // 8):
        damaged = codecs.decode(transmission.damage(stream, place, bytes(range(40, 48))))
        rows_hit = np.flatnonzero((damaged != clean).any((1, 2)).reshape(-1, 16).any(1))
        assert 1 <= len(rows_hit) <= 3  # the row itself, and its neighbours through the interpolated chroma
        assert np.ptp(rows_hit) == len(rows_hit) - 1


@pytest.mark.parametrize("name", ["tid2013:JGTE", "tid2013:J2TE"])
def test_a_refused_stream_is_replaced_by_another_damage(name, photo, monkeypatch):
    calls = []

    def moody(stream):
        calls.append(stream)
        if len(calls) % 3 == 2:
            raise OSError("broken data stream")
        return codecs.decode(stream)

    monkeypatch.setattr(transmission, "decode", moody)
    assert psnr(distort(photo, name, 3), photo) < 30
    assert len(calls) >= 3  # the clean stream, a refused one and its replacement


def test_a_decoder_that_refuses_everything_ends_in_a_clear_error(photo, monkeypatch):
    clean = []

    def only_once(stream):
        if clean:
            raise OSError("broken data stream")
        clean.append(stream)
        return codecs.decode(stream)

    monkeypatch.setattr(transmission, "decode", only_once)
    with pytest.raises(
        DistortionError, match=r"^Expected a damaged stream that still decodes, .* refused all 100 that"
    ):
        distort(photo, "tid2013:JGTE", 3)
    assert len(clean) == 1


def test_headers_are_never_hit(photo, monkeypatch):
    seen = []
    monkeypatch.setattr(transmission, "decode", lambda stream: seen.append(stream) or codecs.decode(stream))
    distort(photo, "tid2013:JGTE", 5)
    data_start = seen[0].index(b"\xff\xda") + 14
    assert {stream[:data_start] for stream in seen} == {seen[0][:data_start]}
    assert len(set(seen)) > 2


def test_8_bit_conversion_rounds_and_returns(photo):
    tensor = codecs.as_tensor(photo, torch.zeros(1))
    np.testing.assert_array_equal(codecs.as_uint8(tensor), photo)
    np.testing.assert_array_equal(codecs.as_uint8(tensor + 0.4 / 255), photo)
