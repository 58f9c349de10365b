"""Words that people have for what is wrong with a photo, and which of them each distortion type stands for.

49 types are too many for a sentence. A type may stand for several words: a mean shift makes a photo too bright or too
dark, by its level, and at one level it changes nothing. That table is ours (*inferred*); the types are those of
`metaiqa_core.distortions`, by their keys, and this file needs nothing of them but their names.
"""

from dataclasses import dataclass

NOTHING = "nothing found"

WORDS = (
    "blurred",
    "shaken",
    "noisy",
    "compressed (blocky)",
    "compressed (smeared)",
    "too dark",
    "too bright",
    "pale",
    "too contrasty",
    "colours off",
    "over-sharpened",
    "pixelated",
    "damaged in places",
    NOTHING,
)
"""Every word, in the order of a table; `pale` is said of little colour and of little contrast."""

_WORDS_OF_TYPES = {
    "blurred": "kadid10k:GB kadid10k:LB kadid10k:Denoise kadid10k:Jitter tid2013:GB tid2013:DEN tid2013:SSR",
    "shaken": "kadid10k:MB",
    "noisy": "kadid10k:WN kadid10k:WNCC kadid10k:IN kadid10k:MN tid2013:AGN tid2013:ANC tid2013:SCN tid2013:MN "
    "tid2013:HFN tid2013:IN tid2013:MGN tid2013:CN tid2013:LCNI",
    "compressed (blocky)": "kadid10k:JPEG tid2013:JPEG",
    "compressed (smeared)": "kadid10k:JP2K tid2013:JP2K",
    "too dark": "kadid10k:Darken kadid10k:MS tid2013:MS",
    "too bright": "kadid10k:Brighten",
    "pale": "kadid10k:CSA1 tid2013:CCS tid2013:CTC",
    "too contrasty": "kadid10k:CC",
    "colours off": "kadid10k:CD kadid10k:CS kadid10k:CQ kadid10k:CSA2 kadid10k:Quantization tid2013:QN tid2013:ICQD "
    "tid2013:CHA",
    "over-sharpened": "kadid10k:HS",
    "pixelated": "kadid10k:Pixelate",
    "damaged in places": "kadid10k:NEP kadid10k:CB tid2013:JGTE tid2013:J2TE tid2013:NEPN tid2013:Block",
}
_WORD_OF_TYPE = {kind: word for word, kinds in _WORDS_OF_TYPES.items() for kind in kinds.split()}

_WORD_OF_LEVEL = {
    "kadid10k:GB": {1: NOTHING},  # sigma 0.1: less than a grey level
    "kadid10k:MB": {1: NOTHING},  # one pixel long
    "kadid10k:CSA1": {5: "colours off"},  # factor -0.4: every hue becomes its opposite
    "kadid10k:CSA2": {1: NOTHING},  # factor 1
    "kadid10k:MS": {1: "too bright", 2: "too bright", 3: NOTHING},
    "kadid10k:CC": {3: NOTHING, 4: "pale", 5: "pale"},
    "tid2013:MS": {1: "too bright", 3: "too bright", 5: "too bright"},
    "tid2013:CTC": {2: "too contrasty", 4: "too contrasty"},
}
"""Words at single levels, where a type's parameter crosses what is harmless."""

_SEVERITY_OF_LEVEL = {
    "kadid10k:MS": {1: 5, 2: 3, 4: 3, 5: 5},
    "kadid10k:CC": {1: 5, 2: 3, 4: 3, 5: 5},
}
"""Severity of the levels of types that are strongest at both ends: level 3 of both is harmless."""

TWINS = {
    "tid2013:AGN": "kadid10k:WN",
    "tid2013:ANC": "kadid10k:WNCC",
    "tid2013:IN": "kadid10k:IN",
    "tid2013:MGN": "kadid10k:MN",
    "tid2013:GB": "kadid10k:GB",
    "tid2013:DEN": "kadid10k:Denoise",
    "tid2013:JPEG": "kadid10k:JPEG",
    "tid2013:JP2K": "kadid10k:JP2K",
    "tid2013:MS": "kadid10k:MS",
    "tid2013:QN": "kadid10k:Quantization",
    "tid2013:ICQD": "kadid10k:CQ",
    "tid2013:NEPN": "kadid10k:NEP",
    "tid2013:CCS": "kadid10k:CSA1",
}
"""Types of TID2013 that do to a photo what one of KADID-10k does; only the strengths of their levels differ."""


@dataclass(frozen=True, order=True)
class Defect:
    """What can be found in a photo.

    Attributes:
        type: Key of the distortion type, such as `kadid10k:GB`; "" where nothing is found.
        word: One of `WORDS`.
    """

    type: str
    word: str

    @property
    def name(self) -> str:
        """Name for tables of people who know the types.

        >>> Defect("kadid10k:MS", "too dark").name
        'kadid10k:MS too dark'
        """
        return f"{self.type} {self.word}".strip()


def defect_of(distortion_type: str, level: int) -> Defect:
    """Return what a photo shows that was distorted by a type at a level; twins count as the type of KADID-10k.

    >>> defect_of("tid2013:MS", 2), defect_of("kadid10k:CC", 3).word
    (Defect(type='kadid10k:MS', word='too dark'), 'nothing found')

    Args:
        distortion_type: Key of the type.
        level: Level, 1 to 5.

    Raises:
        ValueError: If the catalogue has no such type, or the level is none.
    """
    if distortion_type not in _WORD_OF_TYPE:
        raise ValueError(f"expected the key of a distortion type such as kadid10k:GB, got {distortion_type!r:.60}")
    if level not in (1, 2, 3, 4, 5):
        raise ValueError(f"expected a level from 1 to 5, got {level!r:.20}")
    word = _WORD_OF_LEVEL.get(distortion_type, {}).get(level, _WORD_OF_TYPE[distortion_type])
    return Defect("", NOTHING) if word == NOTHING else Defect(TWINS.get(distortion_type, distortion_type), word)


def severity_of(distortion_type: str, level: int) -> int:
    """Return how strong a level is, 0 (nothing) to 5: the level itself, except where a type has two strong ends.

    >>> severity_of("kadid10k:GB", 4), severity_of("kadid10k:MS", 1), severity_of("kadid10k:MS", 3)
    (4, 5, 0)
    """
    if defect_of(distortion_type, level).word == NOTHING:
        return 0
    return _SEVERITY_OF_LEVEL.get(distortion_type, {}).get(level, level)
