"""Every colour of the pages: those of charts, and the scale for quality, 0-100 (orange for bad, blue for good).

Orange and blue stay apart in every kind of colour blindness; the tests check it. Words, numbers, markers or dashes
always stand beside the colour, so that nothing is said by colour alone. The theme is in `.streamlit/config.toml`.
"""

from metaiqa_core.assessment import WORDS

ACCENT = "#2f8fb5"
"""The first series of a chart, the model, what speaks for something; readable on the light and the dark background."""
OPPOSITE = "#d9822b"
"""The second series, people, what speaks against something; as far from ACCENT as two colours are for all eyes."""
PURPLE, GREEN, DEEP = "#7b5ea7", "#4d9d6b", "#5b6b7a"
SERIES = (ACCENT, OPPOSITE, PURPLE, GREEN)
"""The series of a chart, in this order."""
MUTED = "#8a929a"
"""Lines for comparison, axes at zero, intervals."""
DARK, LIGHT = "#101418", "#ffffff"
"""Text and frames on top of photos and heat maps."""
KEEP, REJECT = "#21708f", "#a8560f"
"""Marks of kept and of rejected photos: ACCENT and OPPOSITE, dark enough for white on them."""
SELECTED = "#d1495b"
"""The frame of the cell that is open."""
CLEAR = "rgba(0,0,0,0)"
VALUE_SCALE = "cividis"
"""Plotly's scale for correlations: perceptually uniform, and the same for colour-blind readers."""
DIFFERENCE_SCALE = "PuOr_r"
"""Plotly's scale for differences, which have a sign: purple below 0, orange above."""

_ANCHORS = ((178, 63, 36), (224, 143, 92), (226, 211, 176), (110, 167, 190), (36, 99, 138))
"""Colours (sRGB) at the scores 0, 25, 50, 75 and 100, interpolated linearly between them."""
_DARK_TEXT, _LIGHT_TEXT = "#000000", "#ffffff"
"""Colours of text, one of which has a contrast of at least 4.58 on any colour."""


def faint(colour: str, opacity: float) -> str:
    """Return a #rrggbb colour as CSS with an opacity in [0, 1].

    >>> faint("#2f8fb5", 0.5)
    'rgba(47,143,181,0.5)'
    """
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def as_css() -> str:
    """Return the colours that style sheets of components use, as custom properties."""
    colours = {
        "accent": ACCENT,
        "opposite": OPPOSITE,
        "keep": KEEP,
        "reject": REJECT,
        "dark": DARK,
        "light": LIGHT,
    }
    return f":host {{ {' '.join(f'--{name}: {colour};' for name, colour in colours.items())} }}"


def rgb_of(score: float) -> tuple[int, int, int]:
    """Return the sRGB colour of a score, 0-100.

    >>> rgb_of(0), rgb_of(50)
    ((178, 63, 36), (226, 211, 176))
    """
    position = min(max(score, 0.0), 100.0) / 25
    index = min(int(position), 3)
    share = position - index
    low, high = _ANCHORS[index], _ANCHORS[index + 1]
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(low, high, strict=True))
    return red, green, blue


def colour_of(score: float) -> str:
    """Return the colour of a score as #rrggbb."""
    return "#{:02x}{:02x}{:02x}".format(*rgb_of(score))


def colour_of_word(word: str) -> str:
    """Return the colour of a grade: that of the middle of its fifth of the scale."""
    return colour_of(WORDS.index(word) * 20 + 10)


def text_colour_on(background: str) -> str:
    """Return the darker or lighter text colour, whichever has the higher contrast (WCAG 2.2) on a #rrggbb colour."""
    luminance = _luminance(background)
    on_dark = (_luminance(_LIGHT_TEXT) + 0.05) / (luminance + 0.05)
    on_light = (luminance + 0.05) / (_luminance(_DARK_TEXT) + 0.05)
    return _LIGHT_TEXT if on_dark > on_light else _DARK_TEXT


def _luminance(colour: str) -> float:
    """Return the relative luminance. Source: WCAG 2.2, definition of relative luminance."""
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
