"""The app's server, which `python app.py` becomes: it is ready for its first visitor before one comes."""

import logging
import sys
import threading
from collections.abc import Iterable

from pages.scoring import batch, diagnoses, sorting
from pages.shared import samples
from pages.shared.assessor import load
from pages.shared.session_scores import score_sample
from pages.shared.streamlit_internals import run_server
from pages.shared.turns import turn

FIRST_PAGE = (batch, sorting)
"""What the first page is made of, imported here so that no visitor waits for it."""

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
    threading.Thread(target=_judge, args=(others, samples.NAMES), name="judging samples", daemon=True).start()
    run_server(app, options)


def _judge(to_score: Iterable[str], to_diagnose: Iterable[str]) -> None:
    """Score and diagnose samples for all visitors; a fault is left to the page, which has words for it."""
    try:
        for name in to_score:
            with turn():
                score_sample(name, load())
        if card := diagnoses.graph_card():
            for name in to_diagnose:
                with turn():
                    diagnoses.diagnose_sample(name, card)
    except Exception:
        _log.debug("samples were not judged beforehand", exc_info=True)
