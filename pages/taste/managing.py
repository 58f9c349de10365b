"""What can be done with tastes: bring photos, load and save ratings, begin another, choose the model, delete."""

import streamlit as st

from metaiqa_core.errors import MetaIQAError, TasteError
from metaiqa_core.models.card import check_name
from metaiqa_core.taste.ratings import Choice, Ratings, Star
from metaiqa_core.taste.ratings_file import from_csv_text, to_csv_text
from pages.shared import intake
from pages.shared.plain import plain
from pages.taste.current import (
    PARAMETER,
    CurrentTaste,
    are_kept,
    general_names,
    name_of_general,
    store,
)


def toolbar(current: CurrentTaste) -> None:
    """Show the ways to other photos, tastes and files."""
    with st.popover("Add photos", key=f"add_photos_{intake.number()}"):  # a new key closes it
        intake.take_in()
    with st.popover("Ratings and settings"):
        _choose_taste(current)
        _choose_general(current)
        _files(current)
        _delete(current)


def where_it_is_kept(current: CurrentTaste) -> None:
    """Say in one line what is kept, and where."""
    if are_kept():
        st.caption(
            "Small copies of the photos that are to be rated here, and each rating, are kept at once in "
            f"{plain(str(current.folder.folder))} on this computer, until you delete the taste under *Ratings and "
            "settings*."
        )
    else:
        st.caption("This server serves others, so nothing is kept after your visit: download what you want to keep.")


def _choose_taste(current: CurrentTaste) -> None:
    names = sorted({*store().list(), current.record.name})
    if len(names) > 1:
        st.selectbox(
            "Taste",
            names,
            index=names.index(current.record.name),
            key=f"taste_name_{current.record.name}",
            on_change=_open,
            args=(f"taste_name_{current.record.name}",),
            help="One for each person, or for each kind of photo.",
        )
    with st.form("taste_new", border=False, clear_on_submit=True):
        name = st.text_input("Begin another taste", placeholder="Name, such as Anna or black and white")
        if st.form_submit_button("Begin") and name.strip():
            _begin(name.strip())


def _begin(name: str) -> None:
    try:
        check_name(name)
        store().create(name)
    except (ValueError, MetaIQAError) as error:
        st.error(plain(str(error)))
        return
    st.query_params[PARAMETER] = name
    st.rerun()


def _open(key: str) -> None:
    st.query_params[PARAMETER] = st.session_state[key]


def _choose_general(current: CurrentTaste) -> None:
    names, now = general_names(), name_of_general(current.record.model)
    if len(names) < 2:
        return
    chosen = st.selectbox(
        "Model to teach",
        names,
        index=names.index(now) if now in names else 0,
        key="taste_general",
        help="Networks of this program can be taught; imported ones and other personal models cannot.",
    )
    if chosen != now:
        current.save(current.record.with_model(chosen))
        st.rerun()


def _files(current: CurrentTaste) -> None:
    names = current.record.names()
    named = Ratings.of(_renamed(rating, names) for rating in current.record.ratings.given
                       if set(rating.photos) <= names.keys())  # fmt: skip
    st.download_button(
        "Download the ratings (CSV)",
        to_csv_text(named).encode(),
        file_name=f"{current.record.name}.csv",
        mime="text/csv",
        key="taste_download_ratings",
        disabled=not len(named),
        on_click="ignore",
    )
    loads = st.session_state.setdefault("taste_loads", 0)
    if file := st.file_uploader("Load ratings (CSV)", "csv", key=f"taste_load_{loads}", max_upload_size=1):
        st.session_state["taste_loads"] += 1
        _load(current, file.getvalue(), file.name)
        st.rerun()
    if sentence := st.session_state.pop("taste_loaded", None):
        st.write(plain(sentence))


def _renamed(rating: Star | Choice, names: dict[str, str]) -> Star | Choice:
    if isinstance(rating, Star):
        return Star(names[rating.photo], rating.stars)
    return Choice(names[rating.better], names[rating.worse])


def _load(current: CurrentTaste, content: bytes, name: str) -> None:
    """Add the ratings of a file to those that are there; its names are those of the photos that the page knows."""
    try:
        found = from_csv_text(content.decode("utf-8-sig"), name)
    except UnicodeDecodeError:
        st.session_state["taste_problem"] = f"{name} is no text in UTF-8: export it again as CSV."
        return
    except TasteError as error:
        st.session_state["taste_problem"] = str(error)
        return
    keys = {shown: key for key, shown in current.record.names().items()}
    usable = [_renamed(rating, keys) for rating in found.given if set(rating.photos) <= keys.keys()]
    ratings = current.record.ratings
    for rating in usable:
        ratings = ratings.with_rating(rating)
    current.save(current.record.with_ratings(ratings))
    missing = len(found.given) - len(usable)
    st.session_state["taste_loaded"] = f"{len(usable)} ratings were loaded." + (
        f" {missing} name photos that are not here: add those photos and load the file again." if missing else ""
    )


def _delete(current: CurrentTaste) -> None:
    st.divider()
    st.write("Delete all ratings and copies of photos of this taste. This cannot be undone; a saved model stays.")
    st.button("Delete this taste", key="taste_delete", on_click=_deleted, args=(current,))


def _deleted(current: CurrentTaste) -> None:
    try:
        current.folder.delete()
    except TasteError as error:
        st.session_state["taste_problem"] = str(error)
        return
    for key in ("taste_inferred", "taste_lesson", "taste_unread"):
        st.session_state.pop(key, None)
    st.query_params.pop(PARAMETER, None)
