"""The form that starts a job: its fields are the command's own options, its defaults a preset."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from metaiqa_core.errors import JobError
from metaiqa_core.jobs import control
from metaiqa_core.jobs.catalogue import JOB_COMMANDS, JobCommand, job_title
from metaiqa_core.jobs.command_options import Option, options_of, words_of
from metaiqa_core.jobs.job import NAME, NAME_RULE, Job, find_jobs, shell_lines, shortest
from metaiqa_core.settings import read_settings
from pages.jobs import fields, memory, uploaded_database
from pages.jobs.checks import declares, require_startable
from pages.jobs.example import free_name
from pages.jobs.known_databases import known_databases
from pages.shared.plain import plain
from pages.shared.streamlit_internals import UploadedFile

_COMMAND = "job_command"
_WITH_UPLOAD = ("evaluate", "fine-tune")


def show(runs: Path) -> tuple[str, list[str], list[UploadedFile]]:
    """Draw the form.

    Returns:
        The run's name; the words of its command, empty where the form cannot be right yet; and the files of an uploaded
        database, none where a path was named.
    """
    memory.restore(_COMMAND)
    command = st.selectbox("What to do", list(JOB_COMMANDS), format_func=lambda name: job_title([name]), key=_COMMAND)
    memory.keep(_COMMAND, command)
    entry = JOB_COMMANDS[command]
    options = options_of(declares(entry), entry.left_out)
    st.caption(entry.summary)
    main = [option for option in options if option.required or option.name == "model" and command == "evaluate"]
    left, middle, right = st.columns([2, 1, 1])
    preset = None
    if entry.presets:
        preset = right.selectbox(
            "Preset",
            list(entry.presets),
            key=f"preset_{command}",
            help="Gives the value of every setting that you leave empty.",
        )
    name = middle.text_input("Name of the run", free_name(runs, command), key=f"name_{command}", max_chars=60)
    values = {option.name: fields.field(left, option, command, entry, None) for option in main}
    with left:
        _offer_known(runs, main, command)
        upload = uploaded_database.choose(command) if command in _WITH_UPLOAD else []
    if upload:
        values["database"] = shortest(uploaded_database.place_in(runs / (name or "NAME")), Path.cwd())
    settings = entry.presets[preset] if preset else entry.settings
    others = [option for option in options if option not in main]
    for title in dict.fromkeys(option.group for option in others):
        members = [option for option in others if option.group == title]
        values |= fields.group(title, members, command, entry, settings)
    try:
        words = words_of(entry.words, options, values, preset)
    except JobError as error:
        st.error(plain(str(error)))
        return name, [], upload
    run = shortest(runs / (name or "NAME"), Path.cwd())
    _show_command([*_named(words, entry, main, values), *entry.in_run(run)])
    missing = [fields.label(option, command) for option in main if option.required and not values[option.name]]
    if missing:
        st.caption(f"Still to fill in: {', '.join(missing)}.")
    return name, [] if missing else words, upload


def start(runs: Path, name: str, words: list[str], upload: Sequence[UploadedFile] = ()) -> Job:
    """Build the configuration that the command will build, so that a mistake is shown at once, and start the job.

    Raises:
        MetaIQAError: If something is wrong with the name, an option or the database.
    """
    if not NAME.fullmatch(name):
        raise JobError(f"The name of the run needs {NAME_RULE}; got {name!r}.")
    if not upload:
        require_startable(runs, name, words)
        return control.start(runs, name, [words])
    with uploaded_database.unpacked(upload, runs) as folder:
        place = shortest(uploaded_database.place_in(runs / name), Path.cwd())
        require_startable(runs, name, [str(folder) if word == place else word for word in words])
        return control.start(runs, name, [words], fill=lambda run: uploaded_database.move_into(folder, run))


def _offer_known(runs: Path, main: list[Option], command: str) -> None:
    """Offer the databases that this machine has; the chosen one is written into its field."""
    field = next((option for option in main if option.name in ("database", "folder")), None)
    if field is None:
        return
    known = known_databases(find_jobs(runs)[0], read_settings())
    if known:
        st.selectbox(
            "Databases on this machine",
            known,
            None,
            key=f"known_{command}",
            placeholder="choose one that was used or made before",
            on_change=_take,
            args=(f"known_{command}", f"{command}_{field.name}", field.kind == "lines"),
        )


def _take(key: str, field: str, several: bool) -> None:
    path = st.session_state[key]
    if path:
        written = str(st.session_state.get(field) or "").strip() if several else ""
        st.session_state[field] = f"{written}\n{path}".strip()
        st.session_state[key] = None


def _named(words: list[str], entry: JobCommand, main: list[Option], values: dict[str, Any]) -> list[str]:
    """Return the words to show while the form is incomplete: missing values stand in capitals."""
    gaps = [option for option in main if option.required and not values[option.name]]
    missing = [word for option in gaps for word in (option.flag, option.name.upper()) if word]
    return [*entry.words, *missing, *words[len(entry.words) :]]


def _show_command(words: list[str]) -> None:
    st.caption("Terminal command:")
    st.code(shell_lines([words]), language="bash", wrap_lines=True)
