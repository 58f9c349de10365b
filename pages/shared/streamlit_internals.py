"""The only file that knows parts of Streamlit which its documentation leaves out: look here after each update of it."""

from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

__all__ = ["DeltaGenerator", "StreamlitPage", "UploadedFile", "opens_pages_without_app", "release_upload"]


def opens_pages_without_app() -> bool:
    """Return whether the server opens the files in pages/ by their names, as it does until app.py has run once."""
    return bool(PagesManager.uses_pages_directory)


def release_upload(file: UploadedFile) -> None:
    """Free the memory of an upload: Streamlit holds it to the session's end, also after its widget is gone."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(session_id=context.session_id, file_id=file.file_id)
    file.close()
