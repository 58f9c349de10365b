"""Colour spaces given by their primaries and transfer function instead of a profile, and the way from them to sRGB.

    linear = transfer(signal)                      1 is diffuse white
    linear_srgb = M_srgb^-1 . A . M . linear       A: Bradford, from the white of the space to D65
    srgb = round(255 . encode(clip(linear_srgb)))

Source: ITU-T H.273 (07/2024), tables 2 and 3; ITU-R BT.2100-3, tables 4 and 5; ITU-R BT.2408-8, section 2.1 (diffuse
white at 203 cd/m2); IEC 61966-2-1 (sRGB).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Transfer = Callable[[np.ndarray], np.ndarray]

DIFFUSE_WHITE = 203.0
"""Luminance of a white sheet of paper in an HDR picture, cd/m2."""
_HLG_PEAK, _HLG_GAMMA = 1000.0, 1.2
_SAME_COLOUR = 2
"""A space that moves no colour by more than this many of 255 levels is sRGB under another name."""
_ROWS = 256
_D65, _C, _E = (0.3127, 0.3290), (0.310, 0.316), (1 / 3, 1 / 3)
_SRGB = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65)
_BT2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65)

Chromaticities = tuple[float, ...]
"""Coordinates x and y of red, green, blue and white."""


@dataclass(frozen=True)
class ColourSpace:
    """The colour space of a picture, which gives its values their meaning.

    Attributes:
        name: Name for people.
        chromaticities: Coordinates x and y of red, green, blue and white, eight numbers.
        transfer: Function from a signal in [0, 1] to light, where 1 is diffuse white; for HLG, light of the scene in
            [0, 1].
        is_hlg: Whether the system gamma of HLG, which depends on the luminance of each pixel, still has to be applied.
        narrow_range: Whether black is at 16 and white at 235 of 255.
    """

    name: str
    chromaticities: Chromaticities
    transfer: Transfer
    is_hlg: bool = False
    narrow_range: bool = False

    def is_srgb(self) -> bool:
        """Whether no colour moves by more than two levels on the way to sRGB."""
        levels = np.linspace(0, 255, 9).round().astype(np.uint8)
        probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
        return bool(np.abs(self.to_srgb(probe)[0].astype(int) - probe).max() <= _SAME_COLOUR)

    def to_srgb(self, values: np.ndarray) -> tuple[np.ndarray, float]:
        """Convert pixels to sRGB.

        Args:
            values: Pixels (H, W, 3), or (H, W) for grey, uint8.

        Returns:
            Pixels of the same shape, uint8; and the share of values, in [0, 1], that were brighter than white and are
            cut off.
        """
        signal = np.arange(256) / 255
        if self.narrow_range:
            signal = np.clip((signal * 255 - 16) / 219, 0, 1)
        linear = self.transfer(signal).astype(np.float32)
        to_xyz = _matrix_to_xyz(self.chromaticities)
        white = self.chromaticities[6:]
        matrix = (np.linalg.inv(_matrix_to_xyz(_SRGB)) @ _adaptation(white, _D65) @ to_xyz).astype(np.float32)
        converted = np.empty_like(values)
        brighter = 0
        for top in range(0, len(values), _ROWS):  # 32-bit floats of a whole photo would not fit
            light = linear[values[top : top + _ROWS]]
            if self.is_hlg:
                light = _hlg_display_light(light, to_xyz[1].astype(np.float32))
            if light.ndim == 3:
                light = light @ matrix.T
            brighter += int(np.count_nonzero(light > 1.02))
            converted[top : top + _ROWS] = _SRGB_LEVELS[(light.clip(0, 1) * 65535 + 0.5).astype(np.uint16)]
        return converted, brighter / max(values.size, 1)


def srgb_signal(light: np.ndarray) -> np.ndarray:
    """Return the sRGB signal of light: the inverse of `srgb_transfer`."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)


_SRGB_LEVELS = np.rint(255 * srgb_signal(np.arange(65536) / 65535)).astype(np.uint8)


def _hlg_display_light(light: np.ndarray, luminance: np.ndarray) -> np.ndarray:
    """Apply the opto-optical transfer function of BT.2100 for a display of 1000 cd/m2."""
    scene = light if light.ndim == 2 else light @ luminance
    gain = (_HLG_PEAK / DIFFUSE_WHITE) * scene ** (_HLG_GAMMA - 1)
    return light * (gain if light.ndim == 2 else gain[..., None])


def _xyz(x: float, y: float) -> np.ndarray:
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _matrix_to_xyz(chromaticities: Chromaticities) -> np.ndarray:
    red, green, blue, white = zip(chromaticities[::2], chromaticities[1::2], strict=True)
    columns = np.array([[x, y, 1 - x - y] for x, y in (red, green, blue)]).T
    return columns * np.linalg.solve(columns, _xyz(*white))


def _adaptation(source: Chromaticities, target: Chromaticities) -> np.ndarray:
    """Return the Bradford transform between two white points, given as x and y."""
    cones = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    scale = (cones @ _xyz(*target)) / (cones @ _xyz(*source))
    return np.linalg.inv(cones) @ np.diag(scale) @ cones


def gamma(exponent: float) -> Transfer:
    """Return the transfer function light = signal ** exponent."""
    return lambda signal: np.asarray(signal) ** exponent


def srgb_transfer(signal: np.ndarray) -> np.ndarray:
    """Return the light of an sRGB signal (IEC 61966-2-1)."""
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def camera_transfer(signal: np.ndarray) -> np.ndarray:
    """Return the light of a BT.709, BT.601 or BT.2020 signal: the inverse of the camera's curve."""
    alpha, beta = 1.09929682680944, 0.018053968510807
    return np.where(signal < 4.5 * beta, signal / 4.5, ((signal + alpha - 1) / alpha) ** (1 / 0.45))


def _smpte_240m(signal: np.ndarray) -> np.ndarray:
    return np.where(signal < 4 * 0.0228, signal / 4, ((signal + 0.1115) / 1.1115) ** (1 / 0.45))


def pq_transfer(signal: np.ndarray) -> np.ndarray:
    """Return the light of a PQ signal (BT.2100, table 4), where 1 is `DIFFUSE_WHITE`."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = np.asarray(signal) ** (1 / m2)
    return 10_000 / DIFFUSE_WHITE * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)


def hlg_transfer(signal: np.ndarray) -> np.ndarray:
    """Return the light of the scene, in [0, 1], of an HLG signal (BT.2100, table 5)."""
    a = 0.17883277
    b = 1 - 4 * a
    c = 0.5 - a * math.log(4 * a)
    signal = np.asarray(signal)
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)


def _logarithmic(decades: float) -> Transfer:
    return lambda signal: np.where(signal > 0, 10 ** (decades * (np.asarray(signal) - 1)), 0)


ADOBE_RGB = ColourSpace("Adobe RGB", (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, *_D65), gamma(563 / 256))

_PRIMARIES: dict[int, tuple[str, Chromaticities]] = {
    1: ("BT.709", _SRGB),
    4: ("BT.470 M", (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_C)),
    5: ("BT.601 (625 lines)", (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65)),
    6: ("BT.601 (525 lines)", (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65)),
    7: ("SMPTE 240M", (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65)),
    8: ("film", (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C)),
    9: ("BT.2020", _BT2020),
    10: ("CIE XYZ", (1.0, 0.0, 0.0, 1.0, 1e-9, 1e-9, *_E)),
    11: ("DCI P3", (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351)),
    12: ("Display P3", (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65)),
    22: ("EBU 3213", (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65)),
}
_CAMERA_CURVES = frozenset({1, 6, 11, 12, 14, 15})
_PQ, _HLG, _UNSPECIFIED = 16, 18, 2
_TRANSFERS: dict[int, Transfer] = {
    **dict.fromkeys(_CAMERA_CURVES, camera_transfer),
    4: gamma(2.2),
    5: gamma(2.8),
    7: _smpte_240m,
    8: gamma(1.0),
    9: _logarithmic(2.0),
    10: _logarithmic(2.5),
    13: srgb_transfer,
    _PQ: pq_transfer,
    17: lambda signal: np.asarray(signal) ** 2.6 * (52.37 / 48),
    _HLG: hlg_transfer,
}


def from_code_points(primaries: int, transfer: int, *, narrow_range: bool = False) -> ColourSpace | None:
    """Return the colour space that code points of H.273 declare, or None where they declare none.

    Args:
        primaries: ColourPrimaries, an integer of table 2.
        transfer: TransferCharacteristics, an integer of table 3.
        narrow_range: Whether the pixels still have black at 16 and white at 235.

    Raises:
        KeyError: If a code point is not known.

    Note:
        Pictures of BT.709 and BT.601 cameras are shown everywhere as if they were sRGB, so that they stay as they are.
    """
    primaries, transfer = (1 if primaries == _UNSPECIFIED else primaries, 13 if transfer == _UNSPECIFIED else transfer)
    name, chromaticities = _PRIMARIES[primaries]
    curve = _TRANSFERS[transfer]
    if primaries in (1, 5, 6) and transfer in _CAMERA_CURVES:
        curve, chromaticities = srgb_transfer, _SRGB
    curve_name = {_PQ: " with the PQ curve", _HLG: " with the HLG curve", 8: " with linear values"}.get(transfer, "")
    return ColourSpace(name + curve_name, chromaticities, curve, transfer == _HLG, narrow_range)


def from_gamma_and_chromaticities(exponent: float | None, chromaticities: Chromaticities | None) -> ColourSpace | None:
    """Return the colour space of the gAMA and cHRM chunks of a PNG file, or None where they make no sense.

    Args:
        exponent: Number stored as gAMA (1 / 2.2 for most), or None if there is none.
        chromaticities: Coordinates x and y of white, red, green and blue, in the order of cHRM; None if there are none.
    """
    # Writers say 0.45455 when they mean sRGB.
    usual = exponent is None or abs(exponent - 0.45455) < 0.01
    if exponent is not None and not 0.05 <= exponent <= 20:
        return None
    places: Chromaticities = _SRGB
    if chromaticities is not None:
        places = (*chromaticities[2:], *chromaticities[:2])
        if not _make_sense(places):
            return None
    return ColourSpace(
        "the colours of the file", places, srgb_transfer if usual or exponent is None else gamma(1 / exponent)
    )


def _make_sense(places: Chromaticities) -> bool:
    if len(places) != 8 or not all(0 <= value <= 1 for value in places) or min(places[7], 1) < 0.05:
        return False
    matrix = np.array([[x, y, 1 - x - y] for x, y in zip(places[:6:2], places[1:6:2], strict=True)])
    if abs(np.linalg.det(matrix)) < 1e-3:
        return False
    return bool((np.linalg.solve(matrix.T, _xyz(*places[6:])) > 0).all())  # white lies within the triangle
