"""What a finished run has made: its model to use, take along and compare, its database, its report, its results."""

from pathlib import Path

import streamlit as st

from metaiqa_core.errors import CheckpointError
from metaiqa_core.jobs.catalogue import DATABASE_FOLDER
from metaiqa_core.jobs.job import Job, State, shell_lines, shortest
from metaiqa_core.models.card import ModelCard, read_card
from metaiqa_core.models.model_files import list_models, list_run_models
from pages.jobs import check_report, evaluation_report, model_export
from pages.jobs.job_list import close
from pages.jobs.known_databases import is_database
from pages.shared import model_card
from pages.shared.assessor import choose_model
from pages.shared.plain import plain

_FORM_FIELDS = {"evaluate": "evaluate_model", "meta-train": "meta-train_database"}


def show(job: Job) -> None:
    """Show what a run has made, once it has ended; one from a terminal may be at work still."""
    if job.state not in (State.FINISHED, State.TERMINAL):
        return
    for name, file in list_run_models().items():
        if file.parent == job.folder.resolve():
            _model(name, file)
    command = job.commands[-1][0] if job.commands else ""
    if command == "evaluate":
        evaluation_report.show(job)
    elif command == "databases":
        check_report.show(job)
    elif command == "synthesize" and is_database(job.folder / DATABASE_FOLDER):
        _database(job.folder / DATABASE_FOLDER)
    if (job.folder / "results.json").is_file():
        st.caption(
            "This run's results are shown on the pages *Leave-one-distortion-out* and *Authentic databases* (ablation, "
            "parameter study, adaptation, repeats)."
        )


def _model(name: str, file: Path) -> None:
    try:
        card = read_card(file.with_suffix(".json"))
    except CheckpointError as error:
        st.error(plain(str(error)))
        return
    is_judge = name in list_models()
    with st.container(border=True):
        st.markdown(f"**Model: {plain(name)}**")
        st.write(plain(card.summary))
        model_card.show_accuracy(card.accuracy)
        with st.container(horizontal=True, vertical_alignment="center"):
            help_text = (
                "From now on every page scores with it, until you choose another. Teach it your taste, which keeps a "
                "model for each taste, offers it under Ratings and settings."
            )
            if is_judge and st.button(
                "Use it", type="primary", key=f"use_{name}", help=help_text, on_click=choose_model, args=(name,)
            ):
                st.switch_page("pages/score_photos.py")
            if is_judge:
                st.button(
                    "Evaluate it …",
                    key=f"evaluate_{name}",
                    help="On a database of yours.",
                    on_click=_fill_form,
                    args=("evaluate", name),
                )
            st.download_button(
                "Export",
                lambda: model_export.as_zip(file),
                f"{name}.zip",
                "application/zip",
                key=f"export_{name}",
                help="Weights (safetensors) and card (JSON) in one ZIP file.",
                on_click="ignore",
            )
        with st.expander("Card and terminal command"):
            words = ["score", "PHOTO", "--model", name] if is_judge else ["diagnose", "PHOTO", "--model", name]
            st.code(shell_lines([words]), language="bash", wrap_lines=True)
            _card(card)


def _card(card: ModelCard) -> None:
    st.markdown("**Training data**")
    st.write(plain(card.training_data))
    st.markdown("**Licence**")
    st.write(plain(card.licence))
    model_card.show_recipe_and_file(card)


def _database(folder: Path) -> None:
    path = shortest(folder, Path.cwd())
    st.success(plain(f"The database lies in {path}."))
    st.button("Train with it …", key="train_with", on_click=_fill_form, args=("meta-train", path))


def _fill_form(command: str, value: str) -> None:
    """Open the form of a command with its first field filled in."""
    close()
    st.session_state["job_command"] = command
    st.session_state[_FORM_FIELDS[command]] = value
