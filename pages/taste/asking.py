"""The questions: one photo to rate in stars, or two of which one is better; the most instructive ones come first.

The browser gets a few questions ahead and shows the next one at once; its answers are numbered, so that none is lost
and none counts twice, however slow the server is.
"""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from metaiqa_core.assessment import WORDS
from metaiqa_core.taste.questions import next_pairs, next_photos
from metaiqa_core.taste.ratings import MOST_STARS, Choice, Star
from pages.shared.encoding import data_uri
from pages.shared.front_end import component, read_when_drawn
from pages.taste import collecting, to_lab
from pages.taste.current import CurrentTaste, open_taste

STARS, PAIRS = "Stars", "Which is better?"
_KEY = "taste_rater"
_AHEAD = 3
"""Number of questions that the browser has at once."""


def choose_way() -> str:
    """Offer the two ways of rating."""
    return st.segmented_control(
        "Way of rating", [STARS, PAIRS], default=STARS, required=True, key="taste_way", label_visibility="collapsed"
    )


def ask(current: CurrentTaste, way: str) -> None:
    """Show the questions that teach most, or say that there are none left."""
    keys, taste = current.taste()
    if taste is None:
        if collecting.has_nothing_to_ask(current):
            st.info("None of these photos can be read: add others, and you can rate them here.")
        else:
            st.caption("The first photo is on its way …")
        return
    if wanted := (st.session_state.get(_KEY) or {}).get("lab"):
        to_lab.open_wanted(current, str(wanted))
    questions = _photos(current, keys) if way == STARS else _pairs(current, keys)
    if not questions:
        _nothing_left(current, way)
        return
    names = {photo.key: photo.name for photo in current.record.photos}
    rater = component(_KEY, "taste/rater")
    rater(
        key=_KEY,
        data={
            "questions": [
                {"id": " ".join(question), "pictures": [_picture(current, key, names[key]) for key in question]}
                for question in questions
            ],
            "way": way,
            "words": list(WORDS),
            "can_undo": bool(current.record.said),
            "done": _memory().done,
        },
        on_answers_change=_answer,
        on_lab_change=read_when_drawn,
    )


def _picture(current: CurrentTaste, key: str, name: str) -> dict[str, str]:
    picture = current.folder.picture(key)
    return {"src": data_uri(picture) if picture else "", "name": name}


def _photos(current: CurrentTaste, keys: list[str]) -> list[tuple[str, ...]]:
    """Return the next photos, one a question; one whose rating was taken back comes first."""
    _, taste = current.taste()
    skipped = {pair[0] for pair in current.record.skipped if len(pair) == 1}
    done = [place for place, key in enumerate(keys) if key in current.record.ratings.stars or key in skipped]
    found = [(keys[place],) for place in next_photos(taste, done, _AHEAD)] if taste else []
    again = _memory().again
    if len(again) == 1 and again[0] in keys and again[0] not in current.record.ratings.stars:
        return [again, *(question for question in found if question != again)][:_AHEAD]
    return found


def _pairs(current: CurrentTaste, keys: list[str]) -> list[tuple[str, ...]]:
    """Return the next pairs; one whose choice was taken back comes first."""
    _, taste = current.taste()
    places = {key: place for place, key in enumerate(keys)}
    pairs = [choice.photos for choice in current.record.ratings.choices]
    pairs += [(pair[0], pair[1]) for pair in current.record.skipped if len(pair) == 2]
    asked = {frozenset((places[one], places[other])) for one, other in pairs if one in places and other in places}
    last = [places[key] for key in pairs[-1] if key in places] if pairs else []
    found = [(keys[one], keys[other]) for one, other in next_pairs(taste, asked, last, _AHEAD)] if taste else []
    again = _memory().again
    if len(again) == 2 and set(again) <= places.keys() and frozenset(places[key] for key in again) not in asked:
        return [again, *(question for question in found if set(question) != set(again))][:_AHEAD]
    return list(found)


@dataclass
class _Memory:
    """What a session remembers of its answers.

    Attributes:
        done: Number of the last answer of each page in a browser that was kept.
        again: Keys of the photos of the rating that was taken back last; they are asked about first.
    """

    done: dict[str, int] = field(default_factory=dict)
    again: tuple[str, ...] = ()


def _memory() -> _Memory:
    return st.session_state.setdefault("taste_memory", _Memory())


def _answer() -> None:
    """Keep the answers that are new."""
    sent: dict[str, Any] = st.session_state[_KEY].get("answers") or {}
    memory, current = _memory(), open_taste()
    # From here on nothing of Streamlit is touched: it may end the run there for the next answer, and lose this one.
    page = str(sent.get("page", ""))[:40]
    for answer in sent.get("list", []):
        number = answer.get("n")
        if isinstance(number, int) and number > memory.done.get(page, 0):
            _keep(current, memory, answer)
            memory.done[page] = number


def _keep(current: CurrentTaste, memory: _Memory, answer: dict[str, Any]) -> None:
    if answer.get("undo"):
        memory.again = current.undo()
        return
    known = {photo.key for photo in current.record.photos}
    question = tuple(str(answer.get("question", "")).split(" "))
    if not known.issuperset(question):
        return
    memory.again = ()
    if answer.get("skip"):
        current.skip(question)
    elif len(question) == 1 and answer.get("stars") in range(1, MOST_STARS + 1):
        current.rate(Star(question[0], answer["stars"]))
    elif len(set(question)) == 2 and answer.get("better") in (0, 1):
        current.rate(Choice(question[answer["better"]], question[1 - answer["better"]]))


def _nothing_left(current: CurrentTaste, way: str) -> None:
    if way == PAIRS and len(current.record.photos) < 2:
        st.info("Comparing needs two photos: add some above.")
        return
    st.success(
        "Every photo has its stars. Add more photos, or compare some of them."
        if way == STARS
        else "Every pair was compared. Add more photos, or rate some in stars."
    )
    with st.container(horizontal=True):
        if current.record.said and st.button("Undo the last one", key="taste_undo"):
            _memory().again = current.undo()
            st.rerun()
        if current.record.skipped and st.button("Ask about skipped ones again", key="taste_unskip"):
            current.unskip()
            st.rerun()
