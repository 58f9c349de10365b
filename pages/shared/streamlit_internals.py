"""The only file that knows parts of Streamlit which its documentation leaves out: look here after each update of it."""

import functools
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocketDisconnected
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime import exists, get_instance
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import ScriptRunner, get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

__all__ = [
    "DeltaGenerator",
    "StreamlitPage",
    "UploadedFile",
    "has_visitors",
    "keep_files",
    "keep_messages",
    "media_url",
    "one_line_for_lost_uploads",
    "opens_pages_without_app",
    "release_upload",
    "run_server",
    "silence_late_refreshes",
    "uninterrupted",
]

_ANSWERS = frozenset({"file_urls_response", "backend_operation_response", "heartbeat_ack"})
"""Messages for which a browser waits because it asked, whatever the script does meanwhile."""
_KEPT_SECONDS = 60.0
"""Seconds that a file is kept after the last page that used it was drawn anew without it."""


def run_server(script: str, options: list[str]) -> None:
    """Become the server of a script, as `streamlit run` does, and end the process with it.

    Args:
        script: The file.
        options: Options of `streamlit run`.
    """
    from streamlit.web import cli  # which pages, drawn by a server that runs already, need not load

    cli.main(["run", script, *options], prog_name="streamlit")


def has_visitors() -> bool:
    """Return whether a page is open in any browser."""
    return exists() and get_instance()._session_mgr.num_active_sessions() > 0


def opens_pages_without_app() -> bool:
    """Return whether the server opens the files in pages/ by their names, as it does until app.py has run once."""
    return bool(PagesManager.uses_pages_directory)


def release_upload(file: UploadedFile) -> None:
    """Free the memory of an upload: Streamlit holds it to the session's end, also after its widget is gone."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(session_id=context.session_id, file_id=file.file_id)
    file.close()


def media_url(content: bytes, place: str, kind: str = "image/jpeg") -> str:
    """Return the address at which this server gives out a file; it holds until the next run of the whole script.

    Args:
        content: The file.
        place: Name of the place on the page where it is used; another file at the same place replaces it.
        kind: MIME type of the file.
    """
    return get_instance().media_file_mgr.add(content, kind, place)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let the block come to its end before the run of the script stops or begins anew.

    When a reader clicks, Streamlit tells the run under way to stop and starts another one beside it. The first one
    stops where it next draws, and already where it next looks into the session's state. In the middle of work that
    both runs share, this would end the work for the second one too.
    """
    context = get_script_run_ctx(suppress_warning=True)
    runner = getattr(context and context._enqueue, "__self__", None)
    if not isinstance(runner, ScriptRunner):  # a thread of its own, or no page at all
        yield
        return
    stops, runner._execing = runner._execing, False
    try:
        yield
    finally:
        runner._execing = stops


def one_line_for_lost_uploads() -> None:
    """Say in one line that a browser went away while it sent a file, or was answered; calling it again changes nothing.

    The server writes sixty lines of stack trace for it, though a closed tab is no fault of the program.
    """
    logging.getLogger("uvicorn.error").addFilter(_shorten)  # the same filter is added once


def _shorten(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, ClientDisconnect | WebSocketDisconnected):
        what = "it sent a file" if isinstance(error, ClientDisconnect) else "it was answered"
        record.msg, record.args, record.exc_info = f"A browser went away while {what}.", (), None
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True


def keep_messages() -> None:
    """Let messages to a browser outlive the start of a run, where they must; calling it again changes nothing.

    Streamlit queues what a browser is told, and a run that starts before the queue is sent takes messages out of it.
    Two of these are missed. A browser asks where to put a file before it sends it: without the answer the upload waits
    for ever. It happens while the page draws itself again by itself, such as right after a reload, when the samples are
    being scored. And a fragment that refreshes itself takes out its own place on the page, and puts it behind what
    comes after that place: the browser finds nothing that the later one could follow, and the whole page turns
    blank. It happens where a reader goes on to a page before the first one is drawn.
    """
    if hasattr(ForwardMsgQueue.clear, "__wrapped__"):
        return
    original = ForwardMsgQueue.clear

    @functools.wraps(original)
    def clear(
        self: ForwardMsgQueue, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None
    ) -> None:
        waiting = list(self._queue) if retain_lifecycle_msgs else []
        # Of a fragment that is drawn again nothing is taken out: what it draws takes the place of what it drew.
        original(self, retain_lifecycle_msgs, None if fragment_ids_this_run is None else [])
        kept = {id(message) for message in self._queue}
        self._queue += [m for m in waiting if m.WhichOneof("type") in _ANSWERS and id(m) not in kept]

    ForwardMsgQueue.clear = clear  # type: ignore[method-assign]


def silence_late_refreshes() -> None:
    """Leave out of the log that a browser asked for a part of the page that is gone; calling it again changes nothing.

    While work is under way the browser asks for its progress several times a second, by a clock of its own. Where the
    server is busy, requests arrive when the work is done and its progress is gone: nothing is wrong, and with eight
    visitors these were 1,543 of 1,605 lines of the log.
    """
    logging.getLogger("streamlit.runtime.app_session").addFilter(_is_not_late)  # the same filter is added once


def _is_not_late(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("The fragment with id %s does not exist anymore")


def keep_files() -> None:
    """Let what a page offers outlive the page's drawing; calling it again changes nothing. See `LastingFiles`."""
    manager = get_instance().media_file_mgr
    if not isinstance(manager, LastingFiles):
        manager.__class__ = LastingFiles  # which has no state of its own


class LastingFiles(MediaFileManager):
    """Files that pages show and offer, each kept as long as a browser may still ask for it.

    When the whole page is drawn anew, Streamlit forgets what the session uses, notes it again piece by piece, and
    after every drawing of any session deletes all that no session uses at that moment. Under load the two lie seconds
    apart, and three things went wrong: a button of the page that one still saw named a file which was "not found"; a
    file that was made on a click was deleted before the browser fetched it, since no session uses such files at all;
    and pictures were gone before they were fetched. Here a button keeps the name of its file from one drawing to the
    next, and files are deleted when nobody has used them for a minute.
    """

    def add_deferred(
        self,
        data_callable: Callable[[], Any],
        mimetype: str | None,
        coordinates: str,
        file_name: str | None = None,
        *,
        element_id: str = "",
    ) -> str:
        """Offer a file that is made on a click, and return its name: that of the button's file before, if there is one.

        Args:
            data_callable: Function that makes the file.
            mimetype: MIME type of the file.
            coordinates: Place of the button on the page.
            file_name: Name under which the browser keeps the file.
            element_id: Identity of the button; buttons without one get another name with each drawing.
        """
        new = super().add_deferred(data_callable, mimetype, coordinates, file_name, element_id=element_id)
        with self._lock:
            offered = self._deferred_callables.get(new)
            if not element_id or offered is None:
                return new
            session = offered["session_id"]
            for known in self._deferred_ids_by_session[session] - {new}:
                if self._deferred_callables[known]["element_id"] == element_id:
                    self._deferred_callables[known] = offered
                    self._files_by_session_and_coord[session][coordinates] = known
                    self._drop_deferred_id(new)
                    return known
        return new

    def clear_session_refs(self, session_id: str | None = None) -> None:
        """Forget what a session uses, and what it offers if it is over.

        Args:
            session_id: Session that is over; None when the present session begins to draw its page anew.
        """
        super().clear_session_refs(session_id)
        with self._lock:
            for offered in list(self._deferred_ids_by_session.get(session_id or "", ())):
                self._drop_deferred_id(offered)

    def _get_inactive_file_ids(self) -> set[str]:
        # A file that is used again gets new metadata, so that its time begins anew.
        return {file for file in super()._get_inactive_file_ids() if _is_over(vars(self._file_metadata[file]))}

    def _remove_orphaned_deferred_callables(self) -> None:
        used = {file for files in self._files_by_session_and_coord.values() for file in files.values()}
        session = _session()
        for file, offered in list(self._deferred_callables.items()):
            # Only the session that draws a button can tell that it is gone.
            if file not in used and offered["session_id"] == session and _is_over(cast("dict[str, Any]", offered)):
                self._drop_deferred_id(file)


def _session() -> str:
    """Return the session that draws its page; empty for none, such as after its end."""
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context else ""


def _is_over(unused: dict[str, Any]) -> bool:
    """Return whether something that is not used has not been used for a while; the first call begins that time."""
    now = time.monotonic()
    return bool(now - unused.setdefault("unused_since", now) > _KEPT_SECONDS)
