"""The form that starts a job: its fields are the command's own options, its defaults a preset."""

import argparse
from pathlib import Path
from typing import Any

import streamlit as st

from metaiqa_core.cli import load_command
from metaiqa_core.commands.options.database_choice import chosen_database, chosen_databases
from metaiqa_core.databases import reading
from metaiqa_core.databases.learnable import require_learnable
from metaiqa_core.errors import JobError, MetaIQAError
from metaiqa_core.jobs import control
from metaiqa_core.jobs.catalogue import JOB_COMMANDS, JobCommand
from metaiqa_core.jobs.command_options import MAIN_GROUP, Option, options_of, parse, words_of
from metaiqa_core.jobs.job import NAME, NAME_RULE, Job, shell_lines, shortest
from metaiqa_core.settings import read_settings
from metaiqa_core.tasks import distortion_tasks
from pages.jobs.example import free_name
from pages.jobs.folders import require_allowed, require_allowed_photos
from pages.shared.plain import plain

_COLUMNS = 3


def show(runs: Path) -> tuple[str, list[str]]:
    """Draw the form.

    Returns:
        The run's name, and the words of its command; empty words where the form cannot be right yet.
    """
    command = st.segmented_control(
        "What to train", list(JOB_COMMANDS), default="meta-train", format_func=_title, required=True, key="job_command"
    )
    entry, options = JOB_COMMANDS[command], options_of(load_command(command).add_arguments)
    st.caption(entry.summary)
    main = [option for option in options if option.required]
    left, middle, right = st.columns([2, 1, 1])
    preset = right.selectbox(
        "Preset",
        list(entry.presets),
        key=f"preset_{command}",
        help="Gives the value of every setting that you leave empty.",
    )
    name = middle.text_input("Name of the run", free_name(runs, command), key=f"name_{command}", max_chars=60)
    values = {option.name: _field(left, option, command, None) for option in main}
    for group in dict.fromkeys(option.group for option in options if not option.required):
        members = [option for option in options if option.group == group and not option.required]
        values |= _group(group, members, command, entry.presets[preset])
    try:
        words = words_of(command, options, values, preset)
    except JobError as error:
        st.error(plain(str(error)))
        return name, []
    _show_command([*_named(words, main, values), "--run-dir", shortest(runs / (name or "NAME"), Path.cwd())])
    missing = [_label(option) for option in main if not values[option.name]]
    if missing:
        st.caption(f"Still to fill in: {', '.join(missing)}.")
    return name, [] if missing else words


def start(runs: Path, name: str, words: list[str]) -> Job:
    """Build the configuration that the command will build, so that a mistake is shown at once, and start the job.

    Raises:
        MetaIQAError: If something is wrong with the name, an option or the database.
    """
    if not NAME.fullmatch(name):
        raise JobError(f"The name of the run needs {NAME_RULE}; got {name!r}.")
    command = load_command(words[0])
    arguments = parse(command.add_arguments, words[1:], runs / name)
    require_allowed(arguments, read_settings())
    try:
        command.read_configuration(arguments)
    except (ValueError, TypeError) as error:
        raise JobError(f"The settings do not fit: {str(error).rstrip('.')}.") from error
    _check_databases(arguments, JOB_COMMANDS[words[0]])
    return control.start(runs, name, [words])


def _check_databases(arguments: argparse.Namespace, entry: JobCommand) -> None:
    try:
        several = isinstance(arguments.database, list)
        databases = chosen_databases(arguments) if several else [chosen_database(arguments)]
        targets = []
        if target := getattr(arguments, "target", None):
            targets.append(reading.read_database(target, images=arguments.target_images))
        require_allowed_photos([*databases, *targets], read_settings())
        if entry.by_type:
            distortion_tasks(*databases)
        require_learnable(*databases, by_type=entry.by_type)
        if targets:
            require_learnable(*targets)
    except MetaIQAError:
        raise
    except OSError as error:
        raise JobError(f"The database cannot be read: {error.strerror}.") from error


def _group(group: str, options: list[Option], command: str, preset: Any) -> dict[str, Any]:
    """Draw one group of options, folded; return the values that were filled in."""
    values = {}
    title = "More options" if group == MAIN_GROUP else f"{group[:1].upper()}{group[1:]}"
    with st.expander(title):
        for begin in range(0, len(options), _COLUMNS):
            row = options[begin : begin + _COLUMNS]
            for column, option in zip(st.columns(_COLUMNS), row, strict=False):
                values[option.name] = _field(column, option, command, preset)
    return values


def _field(place: Any, option: Option, command: str, preset: Any) -> Any:
    """Draw one option; an empty field leaves the preset's or the command's own value, which it shows in grey."""
    key, label, help_text = f"{command}_{option.name}", _label(option), f"`{option.flag}` {plain(option.help)}"
    default = getattr(preset, option.name, option.default) if preset is not None else option.default
    shown = "" if default is None else f"{default:g}" if isinstance(default, float) else str(default)
    match option.kind:
        case "switch":
            return place.checkbox(label, key=key, help=help_text)
        case "yes or no":
            texts = {True: "yes", False: "no"}
            return place.selectbox(
                label, list(texts), None, texts.get, key=key, help=help_text, placeholder=texts.get(default, "default")
            )
        case "choice":
            hint = shown or "none"
            return place.selectbox(label, option.choices, None, key=key, help=help_text, placeholder=hint)
        case "choices":
            return place.multiselect(label, option.choices, list(default or ()), key=key, help=help_text)
        case "whole number":
            return place.number_input(
                label, value=None, step=1, key=key, help=help_text, placeholder=shown or "default"
            )
        case "lines" if option.required:
            hint = "one per line"
            return place.text_area(f"{label} ({hint})", key=key, help=help_text, placeholder=_hint(option), height=82)
        case "lines":
            return place.text_area(f"{label} (one per line)", key=key, help=help_text, height=82)
        case "words":
            hint = " ".join(map(str, default)) if default else "default"
            return place.text_input(label, key=key, help=help_text, placeholder=hint)
        case _:
            hint = shown or (_hint(option) if option.required else "default")
            return place.text_input(label, key=key, help=help_text, placeholder=hint)


def _hint(option: Option) -> str:
    if option.name == "database":
        return "/path/to/a/folder or file.csv"
    return (
        "MetaIQA=runs/meta-train/meta-train.safetensors\nImageNet=resnet18:imagenet" if option.name == "start" else ""
    )


def _named(words: list[str], main: list[Option], values: dict[str, Any]) -> list[str]:
    """Return the words to show while the form is incomplete: missing values stand in capitals."""
    missing = [word for option in main if not values[option.name] for word in (option.flag, option.name.upper())]
    return [words[0], *missing, *words[1:]]


def _show_command(words: list[str]) -> None:
    st.caption("Terminal command:")
    st.code(shell_lines([words]), language="bash", wrap_lines=True)


def _title(command: str) -> str:
    return JOB_COMMANDS[command].title


def _label(option: Option) -> str:
    text = option.name.replace("_", " ")
    return f"{text[:1].upper()}{text[1:]}"
