"""The photos of a taste: those of the session or the samples, each looked at once and kept as a small copy."""

from dataclasses import replace

import streamlit as st

from metaiqa_core.images import decode
from metaiqa_core.progress import Progress, Work
from metaiqa_core.taste.record import KeptPhoto
from pages.shared import long_work, previews
from pages.shared.encoding import jpeg
from pages.shared.failures import explain
from pages.shared.photo_library import PhotoFile, PhotoLibrary, SessionPhoto, library, sample_photos
from pages.shared.photo_limits import photo_limits
from pages.shared.plain import plain
from pages.taste.current import CurrentTaste

MOST = 120
"""Largest number of photos that the page asks about."""
_SIDE = 900
"""Longest side of the small copies, pixels."""
_THUMBNAIL_SIDE = 160
_WORK = "taste_photos"


def collect(current: CurrentTaste) -> None:
    """Look at the photos that are new, while the others can be rated already."""
    photos = library()
    if problems := st.session_state.get("taste_unread", {}):
        for sentence in problems.values():
            st.warning(plain(sentence))
    waiting = _waiting(current, photos)
    if not waiting:
        return
    about = (str(current.folder.folder), current.general.hash, tuple(photo.key for photo in waiting))
    if long_work.is_cancelled(_WORK, about[:2]):
        long_work.offer_the_rest(_WORK, f"{len(waiting)} photos were not looked at.", "Look at them")
        return
    long_work.carry_on(
        _WORK,
        about[:2],
        lambda: _look(current, photos),
        cancels=about[:2],
        describe=long_work.progress_in_words,
        gap=1.5,
        growth=1.5,
    )


def has_nothing_to_ask(current: CurrentTaste) -> bool:
    """Return whether no photo can be asked about, and none is on its way: all that there are could not be read."""
    return bool(st.session_state.get("taste_unread")) and not current.record.photos and not _waiting(current, library())


def _waiting(current: CurrentTaste, photos: PhotoLibrary) -> list[SessionPhoto]:
    """Return the photos of the session that the model has not looked at; samples stand in where there are none."""
    known = {photo.key for photo in current.record.photos}
    own = list(photos.own.values())
    source = own or ([] if known - _samples() else list(sample_photos().values()))
    unread = st.session_state.get("taste_unread", {})
    room = MOST - len(known - _samples() if own else known)
    new = {photo.sha256: photo for photo in source if photo.sha256 not in known and photo.sha256 not in unread}
    waiting = list(new.values())[: max(0, room)]
    width = current.general.layout.width
    stale = {
        photo.sha256: photo
        for photo in source
        if photo.sha256 in known and current.folder.seen(photo.sha256, current.general.hash, width) is None
    }
    return [*waiting, *stale.values()]


def _samples() -> set[str]:
    return {photo.sha256 for photo in sample_photos().values()}


def _look(current: CurrentTaste, photos: PhotoLibrary) -> Work[None]:
    waiting = _waiting(current, photos)
    if photos.own:
        _drop_unrated_samples(current)
    for number, photo in enumerate(waiting, start=1):
        try:
            _keep(current, photo, photos)
        except Exception as error:
            st.session_state.setdefault("taste_unread", {})[photo.sha256] = explain(error)
        yield Progress("looking at photos", number, len(waiting))


def _keep(current: CurrentTaste, photo: SessionPhoto, photos: PhotoLibrary) -> None:
    side = max(current.general.card.preprocessing.short_side or _SIDE, _SIDE // 2)
    decoded = decode(PhotoFile(photo.name, photos.content(photo)), limits=photo_limits(), minimum_short_side=side)
    kept = KeptPhoto(photo.sha256, photo.name[:1000])
    picture = previews.fitted(decoded, _SIDE)
    current.folder.add_picture(kept, jpeg(picture, 82))
    picture.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
    current.folder.add_thumbnail(kept.key, jpeg(picture, 80))
    current.folder.keep_seen(kept.key, current.general.hash, current.general.see(decoded))
    record = current.folder.read()
    if kept.key not in {one.key for one in record.photos}:
        current.folder.save(replace(record, photos=(*record.photos, kept)))


def _drop_unrated_samples(current: CurrentTaste) -> None:
    """Leave out samples that nothing was said about: they only stand in until there are photos."""
    record, samples = current.folder.read(), _samples()
    rated = set(record.ratings.photos)
    for photo in record.photos:
        if photo.key in samples and photo.key not in rated:
            record = current.folder.remove_photo(record, photo.key)
