"""The only file that knows parts of Streamlit which its documentation leaves out: look here after each update of it."""

import functools
import logging

from starlette.requests import ClientDisconnect
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime import get_instance
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

__all__ = [
    "DeltaGenerator",
    "StreamlitPage",
    "UploadedFile",
    "keep_answers",
    "media_url",
    "one_line_for_lost_uploads",
    "opens_pages_without_app",
    "release_upload",
]

_ANSWERS = frozenset({"file_urls_response", "backend_operation_response", "heartbeat_ack"})
"""Messages for which a browser waits because it asked, whatever the script does meanwhile."""


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


def one_line_for_lost_uploads() -> None:
    """Say in one line that a browser went away while it sent a file; calling it again changes nothing.

    The server writes sixty lines of stack trace for it, though a closed tab is no fault of the program.
    """
    logging.getLogger("uvicorn.error").addFilter(_shorten)  # the same filter is added once


def _shorten(record: logging.LogRecord) -> bool:
    if record.exc_info and isinstance(record.exc_info[1], ClientDisconnect):
        record.msg, record.args, record.exc_info = "A browser went away while it sent a file.", (), None
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True


def keep_answers() -> None:
    """Let answers to a browser's questions outlive the start of a run; calling it again changes nothing.

    A browser asks where to put a file before it sends it. Streamlit queues the answer, and a run of the whole script
    that starts before the queue is sent empties it: the answer is lost, and the upload waits for ever. It happens while
    the page draws itself again by itself, such as right after a reload, when the samples are being scored.
    """
    if hasattr(ForwardMsgQueue.clear, "__wrapped__"):
        return
    original = ForwardMsgQueue.clear

    @functools.wraps(original)
    def clear(
        self: ForwardMsgQueue, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None
    ) -> None:
        waiting = list(self._queue) if retain_lifecycle_msgs else []
        original(self, retain_lifecycle_msgs, fragment_ids_this_run)
        kept = {id(message) for message in self._queue}
        self._queue += [m for m in waiting if m.WhichOneof("type") in _ANSWERS and id(m) not in kept]

    ForwardMsgQueue.clear = clear  # type: ignore[method-assign]
