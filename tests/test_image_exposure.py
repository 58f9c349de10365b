"""Exposure: light is scaled as a camera would, in linear light."""

import numpy as np
import pytest

from metaiqa_core.images.colour_spaces import srgb_signal, srgb_transfer
from metaiqa_core.images.exposure import exposed

GREYS = np.arange(256, dtype=np.uint8)


@pytest.mark.parametrize("stops", [-2.5, -1.0, 1.0, 2.5])
def test_the_light_of_each_pixel_is_that_many_doublings_away_up_to_white(stops):
    expected = np.minimum(srgb_transfer(GREYS / 255) * 2**stops, 1)
    # Half a step of the stored levels, as light.
    steps = np.gradient(srgb_transfer(np.arange(256) / 255))
    shown = exposed(GREYS, stops)
    assert np.all(np.abs(srgb_transfer(shown / 255) - expected) <= steps[shown])


def test_no_stops_leave_a_photo_as_it_is_and_its_shape_always():
    photo = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert np.array_equal(exposed(photo, 0), photo)
    assert exposed(photo, -2).shape == photo.shape


def test_signal_and_light_are_each_others_inverse():
    signal = np.linspace(0, 1, 1001)
    np.testing.assert_allclose(srgb_signal(srgb_transfer(signal)), signal, atol=1e-4)
