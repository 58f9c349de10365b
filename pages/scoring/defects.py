"""What the page says is wrong with a photo: a sentence, a word for lists, and nothing where it might be mistaken."""

from metaiqa_core.diagnosis import WEAKEST, Diagnosis

_LOOKS = {
    "blurred": "Looks blurred",
    "shaken": "Looks shaken",
    "noisy": "Looks noisy",
    "compressed (blocky)": "Looks blocky from compression",
    "compressed (smeared)": "Looks smeared by compression",
    "too bright": "Looks too bright",
    "pale": "Looks pale",
    "colours off": "Its colours look off",
    "over-sharpened": "Looks over-sharpened",
    "pixelated": "Looks pixelated",
    "damaged in places": "Looks damaged in places",
}
"""Beginning of the sentence for each word of the graph model that is said here.

`too dark` and `too contrasty` are not: among photos that it had not learned from, an earlier version was right in 39 %
and 50 % of the cases; each of the others is right in 96 % or more (docs/graph_model.md).
"""

TO_MAP = "Where does this score come from?"
"""Text of the button that opens a photo's map."""
NOT_CERTAIN = f"No defect is certain enough to be named. “{TO_MAP}” shows which places lower the score."
"""Sentence about a weak photo of which nothing may be claimed."""


def claim(said: Diagnosis | None) -> Diagnosis | None:
    """Return the diagnosis if a visitor may be told of its defect, else None.

    The word must be one that can be relied on; it must be probable enough, which the model's card says; and there must
    be something of it: where the interval of the level reaches down to the mildest, the photo may be undamaged.

    Args:
        said: Diagnosis of the photo; None for none.
    """
    if said is None or said.word not in _LOOKS or said.level_low is None or said.level_low <= WEAKEST:
        return None
    return said


def name(word: str) -> str:
    """Return the name of a defect for lists and filters.

    >>> name("compressed (blocky)")
    'Compressed (blocky)'
    """
    return word[:1].upper() + word[1:]


def sentence(claimed: Diagnosis) -> str:
    """Return what stands beside the score.

    >>> sentence(Diagnosis("blurred", 0.93, "kadid10k:GB", 3.2, 2.4, 4.0, {}, (), 0.4))
    'Looks blurred, about level 3 of 5 (93 % sure)'

    Args:
        claimed: Result of `claim`.
    """
    looks = _LOOKS[claimed.word or ""]
    return f"{looks}, about level {claimed.level:.0f} of 5 ({100 * claimed.probability:.0f} % sure)"


def span(claimed: Diagnosis) -> str:
    """Return the defect with the range of its level.

    >>> span(Diagnosis("blurred", 0.93, "kadid10k:GB", 3.2, 2.4, 4.0, {}, (), 0.4))
    'Blurred: level 2.4 to 4.0 of 5'

    Args:
        claimed: Result of `claim`.
    """
    return f"{name(claimed.word or '')}: level {claimed.level_low:.1f} to {claimed.level_high:.1f} of 5"


def explanation(model: str, interval: float) -> str:
    """Return what the numbers of the sentence mean.

    Args:
        model: Name of the model.
        interval: Nominal coverage of the level's interval, in (0, 1).
    """
    return (
        f"Level 1 is mild and level 5 is strong. The level of {100 * interval:.0f} of 100 photos lies in such a range. "
        f"Another model than the one that scores, {model}, names defects. It learned from photos that were damaged on "
        "purpose and can be mistaken, above all about light and colour. It says nothing where it is not sure enough."
    )
