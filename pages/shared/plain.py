"""File names are text, never Markdown: one could otherwise ask the page for an image from anywhere."""

import re

_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&@/^=])")


def plain(text: str) -> str:
    r"""Return Markdown that shows `text` as it is, on one line.

    >>> plain("![x](http://y)")
    '\\!\\[x\\]\\(http\\:\\/\\/y\\)'
    """
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
