"""Photos as they come in: one `decode` for every file, array and tensor, and one way to write a PNG."""

from metaiqa_core.images.decoding import decode
from metaiqa_core.images.encoding import png
from metaiqa_core.images.formats import READABLE_SUFFIXES
from metaiqa_core.images.limits import DecodeLimits
from metaiqa_core.images.photo import Photo
from metaiqa_core.images.sources import PhotoSource

__all__ = ["READABLE_SUFFIXES", "DecodeLimits", "Photo", "PhotoSource", "decode", "png"]
