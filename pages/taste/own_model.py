"""The personal model as a thing to keep: save it, use it on every page, take it along, delete it."""

import re
import tempfile
from pathlib import Path

import streamlit as st

from metaiqa_core.errors import MetaIQAError
from metaiqa_core.taste.judgement import Verdict
from metaiqa_core.taste.store import zipped
from metaiqa_core.taste.teaching import delete_personal, is_personal, personal_file
from pages.shared.assessor import choose_model
from pages.shared.plain import plain
from pages.taste.current import CurrentTaste, are_kept
from pages.taste.lessons import Lesson


def offer(current: CurrentTaste, lesson: Lesson | None) -> None:
    """Offer to save the personal model, and what can be done with the one that is saved."""
    name = current.record.name
    if notice := st.session_state.pop("taste_saved", None):
        st.success(plain(notice))
    is_saved = are_kept() and is_personal(name)
    if lesson is not None:
        helps = lesson.taught.judgement.verdict is Verdict.BETTER
        if are_kept():
            st.button(
                "Update your model" if is_saved else "Save as your model" if helps else "Save it anyway",
                type="primary" if helps else "secondary",
                key="taste_save",
                on_click=_save,
                args=(lesson, name),
                help="A saved model can be chosen on every page and in the terminal.",
            )
        _download_new(lesson, name)
    if is_saved:
        _saved(name)


def _save(lesson: Lesson, name: str) -> None:
    try:
        lesson.taught.save(personal_file(name))
    except MetaIQAError as error:
        st.session_state["taste_problem"] = str(error)
        return
    choose_model(name)
    st.session_state["taste_saved"] = f"{name} is saved, and chosen on every page from now on."


def _saved(name: str) -> None:
    word = name if re.fullmatch(r"[\w.-]+", name) else f'"{name}"'
    st.caption("Your saved model: every page offers it under Model. Terminal command:")
    st.code(f"metaiqa score photo.jpg --model {word}", language="bash", wrap_lines=True)
    with st.popover("Delete the model"):
        st.write("Your ratings stay, so that it can be taught again.")
        st.button("Delete it", key="taste_delete_model", on_click=_delete, args=(name,))


def _delete(name: str) -> None:
    try:
        delete_personal(name)
    except MetaIQAError as error:
        st.session_state["taste_problem"] = str(error)
        return
    if st.session_state.get("model") == name:
        del st.session_state["model"]


def _download_new(lesson: Lesson, name: str) -> None:
    """Offer the model as an archive, made when it is asked for."""
    st.download_button(
        "Download the model",
        lambda: _archive(lesson, name),
        file_name=f"{name}.zip",
        mime="application/zip",
        key="taste_download_model",
        on_click="ignore",
        help="The weights (safetensors) and their card: unpack both, and name the file with --model.",
    )


def _archive(lesson: Lesson, name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.safetensors"
        lesson.taught.save(file)
        return zipped({one.name: one.read_bytes() for one in (file, file.with_suffix(".json"))})
