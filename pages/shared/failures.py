"""Messages for failures: one sentence, never a stack trace."""

import contextlib
import logging
from collections.abc import Iterator

import streamlit as st

from metaiqa_core.errors import MetaIQAError
from pages.shared.plain import plain

UNEXPECTED = "Something unexpected went wrong; the details are in the program's log. The rest of the page still works."

_log = logging.getLogger(__name__)


def explain(error: Exception) -> str:
    """Return the sentence for an error; an unexpected one is logged with its trace."""
    if isinstance(error, MetaIQAError):
        return str(error)
    _log.error("unexpected error on a page", exc_info=error)
    return UNEXPECTED


@contextlib.contextmanager
def readable_failures() -> Iterator[None]:
    """Show any error of the block as one sentence and go on after it.

    Streamlit's own control flow (rerun, stop) is no `Exception` and passes through.
    """
    try:
        yield
    except Exception as error:
        st.error(plain(explain(error)))
