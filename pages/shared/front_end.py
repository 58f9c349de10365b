"""Style sheets, scripts and HTML of the pages: files beside the Python file that uses them, each read once."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.palette import as_css

_PAGES = Path(__file__).resolve().parents[1]


@cache
def source(name: str) -> str:
    """Return the text of a file of the pages.

    Args:
        name: Path inside pages/, such as `lab/gallery.css`.
    """
    return (_PAGES / name).read_text(encoding="utf-8")


def component(name: str, files: str, scripts: Sequence[str] = ()) -> Any:
    """Return a component made of an HTML, a CSS and a JavaScript file; call it to show it.

    It is registered where it is shown, since every runtime has its own register; the same definition is no second one.

    Args:
        name: Name in Streamlit's register.
        files: Path of the three files inside pages/, without a suffix. The style sheet can use the palette's colours.
        scripts: Paths of further JavaScript files inside pages/, whose functions the component's own script uses.
    """
    html, css, js = (source(f"{files}.{suffix}") for suffix in ("html", "css", "js"))
    script = "\n".join([*map(source, scripts), js])
    return st.components.v2.component(name, html=html, css=f"{as_css()}\n{css}", js=script)


def read_when_drawn() -> None:
    """Let a component send a value that is read where the page is drawn: Streamlit asks for a function anyway."""
