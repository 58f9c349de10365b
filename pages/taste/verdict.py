"""The verdict: how many ratings there are, whether they helped, the numbers behind that, and what changed."""

import html

import numpy as np
import streamlit as st

from metaiqa_core.models.looks import NAMES
from metaiqa_core.taste.judgement import LEVEL, Judgement, Verdict
from metaiqa_core.taste.space import LOOKS
from metaiqa_core.taste.taste import LEAST_RATINGS
from pages.shared.encoding import data_uri
from pages.shared.palette import ACCENT, MUTED
from pages.shared.plain import plain
from pages.taste.current import CurrentTaste
from pages.taste.lessons import Lesson, is_latest, learn

_ENOUGH = 30
"""Number of ratings at the end of the bar; more are welcome."""
_STRONG = 0.6
"""Least rank correlation of a look with what changed that is worth a sentence."""
_SHOWN = 4
_POINTS = 2.0
"""Least change of a score, in points, that is shown."""

_WORDS = {
    "brightness": ("brighter photos", "darker photos"),
    "contrast": ("strong contrast", "soft contrast"),
    "red against green": ("reddish photos", "greenish photos"),
    "yellow against blue": ("warm light", "cool light"),
    "strength of red and green": ("strong colours", "quiet colours"),
    "strength of yellow and blue": ("strong colours", "quiet colours"),
    "fine detail": ("fine detail and grain", "smooth photos"),
}
"""What it means to like more, and less, of a look; looks that say the same are left out."""
_SENTENCES = {
    Verdict.BETTER: "It agrees better with you now",
    Verdict.UNCERTAIN: "Cannot tell yet",
    Verdict.NO_HELP: "It did not help",
}
_ADVICE = {
    Verdict.BETTER: "Of two photos, your model picks the one that you prefer more often than the general model does.",
    Verdict.UNCERTAIN: "The difference may be chance: rate some more photos. Different ones tell most.",
    Verdict.NO_HELP: "The general model agrees with you as well as a model of your own would. Keep using that one.",
}


def show(current: CurrentTaste) -> Lesson | None:
    """Show how far the ratings have come and what they have taught, and return that; None where it is too early."""
    ratings = current.record.ratings
    count = len(ratings)
    said = [f"{len(ratings.stars)} with stars"] if ratings.stars else []
    said += [f"{len(ratings.choices)} compared"] if ratings.choices else []
    st.progress(min(1.0, count / _ENOUGH), f"**{count} ratings** {'(' + ', '.join(said) + ')' if said else ''}")
    if count < LEAST_RATINGS:
        st.write(
            f"After {LEAST_RATINGS} ratings the model learns from them. Photos that teach most come first."
            if count or not current.record.photos
            else f"How do you like the photo? After {LEAST_RATINGS} ratings the model learns from them."
        )
        return None
    pressed = bool(st.session_state.pop("taste_learn_now", False))
    lesson, reason = learn(current, now=pressed)
    if lesson is None:
        if reason:
            st.info(plain(reason))
        return None
    _card(lesson.taught.judgement)
    if not is_latest(current, lesson):
        behind = count - len(lesson.taught.ratings)
        label = f"Learn from {behind} more" if behind > 0 else "Learn again"
        st.button(label, key="taste_learn", on_click=_learn_now)
    _changes(current, lesson)
    return lesson


def _learn_now() -> None:
    st.session_state["taste_learn_now"] = True


def _card(judgement: Judgement) -> None:
    verdict = judgement.verdict
    bars = "".join(
        f"""<div class="taste-bar"><span>{name}</span>
        <i style="--share:{100 * share:.1f}%;--colour:{colour}"></i><b>{100 * share:.0f}</b></div>"""
        for name, share, colour in (
            ("General model", judgement.before, MUTED),
            ("Your model", judgement.after, ACCENT),
        )
    )
    st.html(
        f"""<div class="taste-verdict"><h3>{html.escape(_SENTENCES[verdict])}</h3>
        <p>{html.escape(_ADVICE[verdict])}</p>
        <p class="taste-small">Pairs of photos in your order, of 100 (50 is chance):</p>{bars}</div>"""
    )
    st.caption(
        f"Gain {100 * judgement.gain:+.0f}, {100 * LEVEL:.0f} % interval {100 * judgement.low:+.0f} to "
        f"{100 * judgement.high:+.0f}; {judgement.pairs} pairs of {judgement.photos} photos.",
        help="Each pair was judged by a model that had learned nothing about either photo, so that nothing is learned "
        "by heart. The interval is the jackknife's over photos. As rank correlations (gamma): general model "
        f"{judgement.rank_correlation(judgement.before):.2f}, yours {judgement.rank_correlation(judgement.after):.2f}.",
    )


def _changes(current: CurrentTaste, lesson: Lesson) -> None:
    """Show which photos moved most, and which looks they have in common."""
    shifts, names = lesson.shifts, {photo.key: photo.name for photo in current.record.photos}
    order = np.argsort(-shifts)
    rows = []
    for title, places in (("Higher for you", order[:_SHOWN]), ("Lower for you", order[::-1][:_SHOWN])):
        figures = [
            _thumbnail(current, lesson.keys[place], names.get(lesson.keys[place], ""), float(shifts[place]))
            for place in places
            if abs(shifts[place]) >= _POINTS and (shifts[place] > 0) == title.startswith("Higher")
        ]
        if figures:
            rows.append(f'<p class="taste-small">{title}</p><div class="taste-row">{"".join(figures)}</div>')
    if rows:
        st.html(f'<div class="taste-changes">{"".join(rows)}</div>')
    if lesson.taught.judgement.verdict is Verdict.BETTER and (liked := liked_looks(lesson)):
        st.write(f"It seems that you like {' and '.join(liked)} more than most people do.")


def liked_looks(lesson: Lesson) -> list[str]:
    """Return, in words, the looks that photos have in common which score higher for this person; at most two."""
    from scipy.stats import spearmanr

    shifts = lesson.shifts
    if np.ptp(shifts) < _POINTS:
        return []
    looks = lesson.taught.taste.space.seen[:, 1 : 1 + LOOKS]
    found: list[tuple[float, str]] = []
    for number, name in enumerate(NAMES):
        if name in _WORDS and np.ptp(looks[:, number]) > 0:
            correlation = float(spearmanr(looks[:, number], shifts).statistic)
            found.append((abs(correlation), _WORDS[name][0 if correlation > 0 else 1]))
    ranked = [words for strength, words in sorted(found, reverse=True) if strength >= _STRONG]
    return list(dict.fromkeys(ranked))[:2]


def _thumbnail(current: CurrentTaste, key: str, name: str, shift: float) -> str:
    picture = current.folder.thumbnail(key)
    image = f'<img src="{data_uri(picture)}" alt="{html.escape(name, quote=True)}">' if picture else ""
    return f'<figure title="{html.escape(name, quote=True)}">{image}<figcaption>{shift:+.0f}</figcaption></figure>'
