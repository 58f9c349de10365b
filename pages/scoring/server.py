"""The app's server, which `python app.py` becomes: it is ready for its first visitor before one comes."""

import logging
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pages.scoring import batch, diagnoses, sorting
from pages.shared import samples
from pages.shared.assessor import load
from pages.shared.photo_library import sample_photos
from pages.shared.session_scores import score_sample
from pages.shared.streamlit_internals import has_visitors, run_server
from pages.shared.turns import turn

FIRST_PAGE = (batch, sorting)
"""What the first page is made of, imported here so that no visitor waits for it."""

BREATH = 3.0
"""Seconds after the start until samples are judged beforehand: whoever comes at once needs the processors."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as a shell expects it."""

_log = logging.getLogger(__name__)


def serve(app: str, options: list[str]) -> None:
    """Serve the app until Ctrl-C, which ends it without a trace before there is a server too.

    Args:
        app: The file app.py.
        options: Options of `streamlit run`, such as `--server.port=8501`.
    """
    opened, *others = samples.NAMES
    try:
        _judge([opened], [])
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    work = threading.Thread(target=_judge, args=(others, samples.NAMES, BREATH), name="judging samples", daemon=True)
    work.start()
    run_server(app, options)


def _judge(to_score: Iterable[str], to_diagnose: Iterable[str], breath: float = 0.0) -> None:
    """Score and diagnose samples for all visitors; a fault is left to the page, which has words for it.

    Args:
        to_score: Names of samples.
        to_diagnose: Names of samples.
        breath: Seconds until the first one; after that, each waits while a page is open, which judges them itself.
    """
    try:
        time.sleep(breath)
        sample_photos()
        for name in to_score:
            with _quiet(breath):
                score_sample(name, load())
        if card := diagnoses.graph_card():
            for name in to_diagnose:
                with _quiet(breath):
                    diagnoses.diagnose_sample(name, card)
    except Exception:
        _log.debug("samples were not judged beforehand", exc_info=True)


@contextmanager
def _quiet(breath: float) -> Iterator[None]:
    """Take a turn once nobody is looking at a page."""
    while breath and has_visitors():
        time.sleep(breath)
    with turn():
        yield
