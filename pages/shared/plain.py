"""Text that others wrote, such as the name of a file, shown as it is: Markdown or a chart would interpret it.

A name could otherwise ask the page for an image from anywhere.
"""

import html
import re

from metaiqa_core.foreign_text import printable

_JOINER = "\u2060"
"""Invisible, and no part of any address: without it an address becomes a link even where it is escaped."""
_ADDRESSES = re.compile(r"(?i)(?<=http)(?=s?://)|(?<=www)(?=\.)|(?=@)")
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&@/^=])")


def plain(text: str) -> str:
    r"""Return Markdown that shows `text` as it is, on one line; labels, captions and cells of `st.table` need it too.

    >>> plain("![x](y)")
    '\\!\\[x\\]\\(y\\)'
    """
    return _MARKS.sub(r"\\\1", _ADDRESSES.sub(_JOINER, printable(" ".join(text.split()))))


def chart_text(text: str) -> str:
    """Return text that a Plotly figure shows as it is: as a title, a label of an axis, a name or a part of a template.

    Plotly knows some HTML, and its templates have places to fill in. `text_of_chart` gives the text back, which is how
    a click on a category of an axis is understood.

    >>> chart_text("<b>50 %{x}</b>")
    '&lt;b&gt;50 &#37;{x}&lt;/b&gt;'
    """
    return html.escape(text, quote=False).replace("%", "&#37;").replace("$", "&#36;")


def text_of_chart(shown: str) -> str:
    """Return the text that `chart_text` was given.

    >>> text_of_chart(chart_text("a &amp; <b>"))
    'a &amp; <b>'
    """
    return html.unescape(shown)
