"""The fields of the form: one widget for each option of a command."""

from functools import lru_cache
from typing import Any

import streamlit as st

from metaiqa_core.jobs.catalogue import JobCommand
from metaiqa_core.jobs.command_options import MAIN_GROUP, Option
from metaiqa_core.models.model_files import list_graph_models, list_models, list_run_models, list_starts
from pages.jobs import memory
from pages.shared.plain import plain

_COLUMNS = 3
_SHARED = {"database": "database", "folder": "database", "images": "images", "mos_range": "mos_range"}
"""Options whose text goes along from one command to another, with the name that they share."""
_LABELS = {
    "adapters": "Stages with an adapter",
    "folder": "Folder or CSV file",
    "fused": "Channels of the fusion",
    "images": "Folder of the images",
    "like": "Which database to imitate",
    "mos_range": "Scale of the scores",
    "databases_name": "Which database",
    "leave-one-out_types": "Types to hold out",
    "levels": "Stages to pool",
    "synthesize_levels": "Levels",
    "synthesize_most": "Most photos of a folder",
}
"""Labels of fields, also those of one command alone, where the option's name does not say what belongs into them."""


def group(title: str, options: list[Option], command: str, entry: JobCommand, preset: Any) -> dict[str, Any]:
    """Draw one group of options, folded; return the values that were filled in."""
    values = {}
    with st.expander("More options" if title == MAIN_GROUP else f"{title[:1].upper()}{title[1:]}"):
        for begin in range(0, len(options), _COLUMNS):
            row = options[begin : begin + _COLUMNS]
            for column, option in zip(st.columns(_COLUMNS), row, strict=False):
                values[option.name] = field(column, option, command, entry, preset)
    return values


def field(place: Any, option: Option, command: str, entry: JobCommand, preset: Any) -> Any:
    """Draw one option; an empty field leaves the preset's or the command's own value, which it shows in grey.

    Args:
        place: Container to draw in.
        option: Option of the command.
        command: Name of the command.
        entry: Words of its form.
        preset: Configuration whose values hold where nothing is filled in; None for none.
    """
    key, name, help_text = f"{command}_{option.name}", label(option, command), f"`{option.flag}` {plain(option.help)}"
    if not option.flag:
        help_text = plain(option.help)
    default = getattr(preset, option.name, option.default) if preset is not None else option.default
    shown = _in_words(default)
    filled = entry.filled_in.get(option.name)
    if choices := entry.choices.get(option.name) or _listed(option, command):
        # What is written here and not in the list is taken too: the file of a model.
        is_open = option.name == "model"
        place_holder = shown or "choose" if option.required else shown or "default"
        return place.selectbox(
            name, choices, None, key=key, help=help_text, placeholder=place_holder, accept_new_options=is_open
        )
    match option.kind:
        case "switch":
            return place.checkbox(name, key=key, help=help_text)
        case "yes or no":
            texts = {True: "yes", False: "no"}
            return place.selectbox(
                name, list(texts), None, texts.get, key=key, help=help_text, placeholder=texts.get(default, "default")
            )
        case "choice":
            hint = shown or "none"
            return place.selectbox(name, option.choices, None, key=key, help=help_text, placeholder=hint)
        case "choices":
            return place.multiselect(name, option.choices, list(map(str, default or ())), key=key, help=help_text)
        case "whole number":
            return place.number_input(
                name, value=filled, step=1, key=key, help=help_text, placeholder=shown or "default"
            )
        case "lines":
            hint = _hint(option) if option.required else None
            return _text(place.text_area, f"{name} (one per line)", option, key, help_text, hint, height=82)
        case "words":
            hint = " ".join(map(str, default)) if default else "default"
            return _text(place.text_input, name, option, key, help_text, hint)
        case _:
            hint = shown or (_hint(option) if option.required else "default")
            return _text(place.text_input, name, option, key, help_text, hint)


def _in_words(default: Any) -> str:
    """Return a default as it would be written into its field."""
    if isinstance(default, tuple) and len(default) == 2:  # a size
        return f"{default[0]}x{default[1]}"
    return "" if default is None else f"{default:g}" if isinstance(default, float) else str(default)


def label(option: Option, command: str) -> str:
    """Return the label of an option's field in the form of a command."""
    for name in (f"{command}_{option.name}", option.name):
        if name in _LABELS:
            return _LABELS[name]
    text = option.name.replace("_", " ")
    return f"{text[:1].upper()}{text[1:]}"


def _text(draw: Any, name: str, option: Option, key: str, help_text: str, hint: str | None, **look: Any) -> str:
    shared = _SHARED.get(option.name, "")
    memory.restore(key, shared, several=option.kind == "lines")
    text: str = draw(name, key=key, help=help_text, placeholder=hint, **look)
    memory.keep(key, text, shared)
    return text


def _hint(option: Option) -> str:
    if option.name in ("database", "photos", "folder"):
        return "/path/to/a/folder" if option.name == "photos" else "/path/to/a/folder or file.csv"
    return (
        "MetaIQA=runs/meta-train/meta-train.safetensors\nImageNet=resnet18:imagenet" if option.name == "start" else ""
    )


def _listed(option: Option, command: str) -> list[str]:
    """Return what there is on this machine to choose from: models, or devices that compute."""
    if option.name == "device":
        return _devices()
    if option.name != "model":
        return []
    if command == "evaluate":
        return list(list_models())
    if command == "graph-tune":
        judges = list_models()
        return [*list_graph_models(), *(name for name in list_run_models() if name not in judges)]
    return list(list_starts())


@lru_cache(maxsize=1)
def _devices() -> list[str]:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ["cpu", *(["cuda"] if count else []), *(f"cuda:{number}" for number in range(count) if count > 1)]
