"""How the model sees distortions: type codes of photos it has not learned from, among them that of the photo here."""

from pathlib import Path

import numpy as np
import streamlit as st

from metaiqa_core.defect_words import NOTHING, TWINS
from metaiqa_core.distortions import find_distortion
from metaiqa_core.errors import EvaluationError, MetaIQAError
from metaiqa_core.evaluation.distortion_map import DistortionMap, read_map
from metaiqa_core.models.model_files import DEFAULT_GRAPH_MODEL, SHIPPED_GRAPH_MODELS, list_graph_models
from pages.lab import sight_charts as charts
from pages.lab.bench import Bench
from pages.lab.controls import Choice
from pages.lab.named_defect import diagnosis_of
from pages.shared.assessor import load
from pages.shared.plain import plain

_ALIKE = 5
VIEWS = ("Map of types", "Graph of a type", "Mixed up", "Most alike")


def show(bench: Bench, choice: Choice) -> None:
    """Offer the views; they are drawn once they are asked for."""
    if DEFAULT_GRAPH_MODEL not in list_graph_models():
        return
    st.subheader("How the model sees distortions", anchor=False)
    view = st.segmented_control(
        "View",
        VIEWS,
        key="lab_sight",
        bind="query-params",
        wrap=True,
        help="The graph model that names defects; it has no part in the scores.",
    )
    if not view:
        st.caption(
            "Choose a view: which kinds of damage look alike to the model that names defects, and which it mixes up."
        )
        return
    try:
        seen = _map(SHIPPED_GRAPH_MODELS / f"{DEFAULT_GRAPH_MODEL}.map.npz", load(DEFAULT_GRAPH_MODEL).card.sha256)
        if view == VIEWS[1]:
            _graph(seen, choice)
        elif view == VIEWS[2]:
            _confusion(seen)
        else:
            here = seen.place(np.array(diagnosis_of(bench, choice).type_code))
            (_map_of_types if view == VIEWS[0] else _most_alike)(seen, here, choice)
    except MetaIQAError as error:
        st.info(plain(str(error)))
        return
    st.caption(plain(f"Drawn from {seen.measured_on}. Clearly distorted photos are those at levels 3 to 5."))


@st.cache_resource(max_entries=2, show_spinner=False)
def _map(file: Path, model: str) -> DistortionMap:
    seen = read_map(file)
    if seen.model != model:
        raise EvaluationError("The map of distortions is that of another model: make it again.")
    return seen


def name_of(kind: str) -> str:
    """Return the name of a type for people; undamaged photos have none."""
    return find_distortion(kind).name if kind else "undamaged"


def _map_of_types(seen: DistortionMap, here: np.ndarray, choice: Choice) -> None:
    shown = seen.clear
    sentence = (
        f"Each marker is one of {shown.sum()} clearly distorted photos, and the ring is yours as it is distorted here. "
        "Photos lie close to each other where their damage looks alike to the model. For "
        f"{100 * seen.retrieval():.0f} % of them, the closest photo of another scene has the same type of damage. The "
        f"two directions of this picture hold {100 * float(seen.shares[:2].sum()):.0f} % of the differences; in the "
        "others, groups that overlap here may lie apart."
    )
    st.plotly_chart(
        charts.map_of_types(seen, here, name_of), key="lab_sight_map", config={"displayModeBar": False}, alt=sentence
    )
    st.caption(sentence)


def _in_sentence(name: str) -> str:
    """Return a type's name as it stands within a sentence: proper names and abbreviations stay as they are."""
    first = name.split()[0]
    return name if first == "Gaussian" or first[1:] != first[1:].lower() else name[:1].lower() + name[1:]


def _graph(seen: DistortionMap, choice: Choice) -> None:
    kind = TWINS.get(choice.distortion.key, choice.distortion.key)
    graph = seen.graphs.get(kind)
    if graph is None:
        st.info(plain(f"The model has not learned {name_of(kind)} as a type: choose one of KADID-10k."))
        return
    one, other, most = graph.strongest()
    few, fewer, least = graph.weakest()

    def photo(node: int) -> str:
        place = graph.photos[node]
        return f"photo {seen.contents[place]} at level {seen.levels[place]:.0f}"

    sentence = (
        f"Each circle is a photo with {_in_sentence(name_of(kind))}, and its number is the level. The thicker the "
        f"line, the more the model mixes what it sees in the two photos: most in {photo(one)} and {photo(other)}, "
        f"least in {photo(few)} and {photo(fewer)}, by {100 * (1 - least / most):.2g} % less; the lines "
        "stretch that range."
    )
    st.plotly_chart(
        charts.graph_of_type(seen, graph), key="lab_sight_graph", config={"displayModeBar": False}, alt=sentence
    )
    st.caption(plain(sentence))


def _confusion(seen: DistortionMap) -> None:
    names, table = seen.confusion()
    right = np.trace(table) / table.sum()
    mixed = table - np.diag(np.diag(table))
    true, called = np.unravel_index(mixed.argmax(), mixed.shape)
    sentence = (
        f"{100 * right:.0f} % of {table.sum()} clearly distorted photos are called what they are. Most often mixed up: "
        f"{mixed[true, called]} of {table[true].sum()} photos of {_in_sentence(name_of(names[true]))} are called "
        f"{_in_sentence(name_of(names[called]))}."
    )
    st.plotly_chart(
        charts.confusion([name_of(name) for name in names], table),
        key="lab_sight_confusion",
        config={"displayModeBar": False},
        alt=sentence,
    )
    st.caption(plain(sentence))


def _most_alike(seen: DistortionMap, here: np.ndarray, choice: Choice) -> None:
    places = seen.most_alike(here, _ALIKE)
    kind = TWINS.get(choice.distortion.key, choice.distortion.key)
    rows = {
        "Type": [name_of(str(seen.types[place])) for place in places],
        "Level": [int(seen.levels[place]) for place in places],
        "Defect": [str(seen.words[place]) if seen.types[place] else NOTHING for place in places],
        "Photo": [f"CID22 {seen.contents[place]}" for place in places],
    }
    same = sum(seen.types[place] == kind for place in places)
    sentence = (
        f"The {len(places)} photos that look most like yours to the model, where yours is distorted by "
        f"{_in_sentence(name_of(kind))} at level {choice.level}: {same} of them {'has' if same == 1 else 'have'} the "
        "same type of damage."
    )
    st.dataframe(rows, hide_index=True, alt=sentence)
    st.caption(plain(sentence))
