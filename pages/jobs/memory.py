"""What was written into the form stays for the session: another command or another page takes nothing away."""

import streamlit as st

_KEPT = "job_texts"


def restore(key: str, shared: str = "", *, several: bool = True) -> None:
    """Give a field that is not on the page yet the text that it had before.

    Args:
        key: Key of the field's widget.
        shared: Name that the fields of several commands share, such as `database`; empty for none.
        several: Whether the field takes several lines; one that does not gets the first line alone.
    """
    texts = _texts()
    text = texts.get(key) or texts.get(shared, "")
    text = text if several else text.partition("\n")[0]
    if text and key not in st.session_state:
        st.session_state[key] = text


def keep(key: str, text: str, shared: str = "") -> None:
    """Keep the text of a field."""
    texts = _texts()
    texts[key] = text
    if shared and text:
        texts[shared] = text


def _texts() -> dict[str, str]:
    texts: dict[str, str] = st.session_state.setdefault(_KEPT, {})
    return texts
