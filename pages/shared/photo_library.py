"""The photos of a session, which every page can use.

Streamlit keeps uploads in memory for as long as their widget lives and forgets them with it. The library moves each
upload to the disk, so that memory holds only thumbnails and results: into the session's folder, from which a reload and
a restarted app go on; or, where sessions are not kept, into one unnamed temporary file, which the operating system
deletes with the session.
"""

import contextlib
import hashlib
import io
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any, Literal, TypeVar

import streamlit as st

from metaiqa_core.errors import PhotoError, SessionError
from metaiqa_core.sessions.session_folder import SessionFolder
from metaiqa_core.settings import read_settings
from pages.shared import browser_session, samples

Origin = Literal["own", "sample", "guest"]
Companion = TypeVar("Companion")


@dataclass(frozen=True)
class SessionPhoto:
    """One photo of the session.

    Attributes:
        key: SHA-256 of the content and the name; results are kept under it.
        name: File name, for people.
        sha256: SHA-256 of the content, 64 hexadecimal digits.
        size: Length of the content, bytes.
        origin: `own` for photos that the user brought, `sample` for built-in ones, `guest` for those of other places,
            such as a database, that the Distortion lab was asked to open.
    """

    key: str
    name: str
    sha256: str
    size: int
    origin: Origin


class PhotoFile(io.BytesIO):
    """A photo's file in memory, with the name that sentences about it use.

    Args:
        name: File name.
        content: Bytes of the file.
    """

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name = name


@dataclass(eq=False)
class PhotoLibrary:
    """The photos of one session, in the order in which they came.

    Attributes:
        own: The user's photos by key, without those that were removed.
        guests: Photos of other places that the Distortion lab was asked to open, by key, until the session ends.
        folder: Folder that keeps the session; None where it ends with the visit.
        problem: Sentence on why the session is not kept, or not any more; empty for none.
    """

    own: dict[str, SessionPhoto] = field(default_factory=dict)
    guests: dict[str, SessionPhoto] = field(default_factory=dict)
    folder: SessionFolder | None = None
    problem: str = ""
    _all: dict[str, SessionPhoto] = field(default_factory=dict)
    _removed: Set[str] = frozenset()
    _places: dict[str, tuple[int, int]] = field(default_factory=dict)  # offset and length in the file, by content
    # Unbuffered: what did not fit on a full disk must not wait in a buffer to be written again.
    _file: IO[bytes] = field(default_factory=partial(tempfile.TemporaryFile, buffering=0))
    _companions: dict[Any, Any] = field(default_factory=dict)
    # Tabs of one session, and a run of a page that overlaps the next one, are threads that share the file and its
    # position. Reading takes the lock too: `clear` may come between (and Windows has no os.pread).
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for event in self.events("photo"):
            with contextlib.suppress(KeyError, TypeError):  # a line of another version
                photo = SessionPhoto(str(event["photo"]), str(event["name"]), event["sha256"], event["size"], "own")
                if self.folder is not None and self.folder.has("photos", photo.sha256):
                    self._all[photo.key] = self.own[photo.key] = photo

    def add(self, name: str, content: bytes) -> SessionPhoto:
        """Take in a photo, or return the one that is already here with this name and content.

        Raises:
            OSError: If there is no room; the library stays as it was.
        """
        photo = _photo(name, content, "own")
        with self._lock:
            if self.folder is not None:
                self.folder.write("photos", photo.sha256, content)
            elif photo.sha256 not in self._places:
                self._append(photo.sha256, content)
            if photo.key not in self._all:
                if self.folder is not None:
                    self.folder.note({"photo": photo.key, "name": name, "sha256": photo.sha256, "size": photo.size})
                self._all[photo.key] = photo
            self.own.setdefault(photo.key, photo)
            return self._all[photo.key]

    def add_guest(self, name: str, content: bytes) -> SessionPhoto:
        """Take in a photo of another place, or return the session's photo with this name and content.

        Raises:
            OSError: If there is no room.
        """
        photo = _photo(name, content, "guest")
        if (found := self.photos().get(photo.key)) is not None:
            return found
        with self._lock:
            if photo.sha256 not in self._places:
                self._append(photo.sha256, content)
            return self.guests.setdefault(photo.key, photo)

    def _append(self, digest: str, content: bytes) -> None:
        """Write a photo behind the others; the caller holds the lock."""
        offset = self._file.seek(0, 2)
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            self._file.truncate(offset)
            raise
        self._places[digest] = offset, len(content)

    def content(self, photo: SessionPhoto) -> bytes:
        """Return the bytes of a photo's file.

        Raises:
            PhotoError: If the session's folder lost it, or the session was emptied meanwhile.
        """
        if photo.origin == "sample":
            return samples.content(photo.name)
        if self.folder is not None and photo.origin == "own":
            try:
                return self.folder.read("photos", photo.sha256)
            except OSError as error:
                raise _lost(photo) from error
        with self._lock:
            if photo.sha256 not in self._places:
                raise _lost(photo)
            offset, length = self._places[photo.sha256]
            self._file.seek(offset)
            return self._file.read(length)

    def photos(self) -> dict[str, SessionPhoto]:
        """Return the user's photos by key, or the samples while there are none."""
        return self.own or sample_photos()

    @property
    def known(self) -> Set[str]:
        """Keys of all of the user's photos, also of those that were removed."""
        return self._all.keys()

    def leave_out(self, removed: Set[str]) -> None:
        """Leave photos out of `own`, and take those back in that are not among them any more.

        Args:
            removed: Keys of all photos to leave out.
        """
        if removed != self._removed:
            self._removed = removed
            self.own = {key: photo for key, photo in self._all.items() if key not in removed}

    def clear(self) -> None:
        """Forget the user's photos and all that is known of them, and give their space back.

        Raises:
            OSError: If the disk refuses to delete them.
        """
        with self._lock:
            self.own.clear()
            self.guests.clear()
            self._all.clear()
            self._removed = frozenset()
            self._places.clear()
            self._companions.clear()
            self._file.truncate(0)
            if self.folder is not None:
                self.folder.empty()

    def events(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """Yield what was noted of a kind before the session was opened here.

        Args:
            kind: Field that only events of this kind have.
        """
        return (event for event in (self.folder.events if self.folder else ()) if kind in event)

    def note(self, event: Mapping[str, Any]) -> None:
        """Keep an event, where the session is kept; a full disk is told once and stops nothing."""
        if self.folder is None:
            return
        try:
            self.folder.note(event)
        except OSError:
            self.problem = "The disk is full: what you do from now on is not kept."

    def companion(self, kind: Callable[["PhotoLibrary"], Companion]) -> Companion:
        """Return the session's one object of a class, which is made of the library where there is none."""
        if kind not in self._companions:
            self._companions[kind] = kind(self)
        return self._companions[kind]


_libraries: "weakref.WeakValueDictionary[str, PhotoLibrary]" = weakref.WeakValueDictionary()
_opening = threading.Lock()


def library() -> PhotoLibrary:
    """Return this session's library; the tabs of one browser share it."""
    found: PhotoLibrary | None = st.session_state.get("photo_library")
    if found is None:
        found = st.session_state["photo_library"] = _open(browser_session.secret())
    return found


def _open(owner: str) -> PhotoLibrary:
    if not read_settings().sessions:
        return PhotoLibrary()
    with _opening:
        found = _libraries.get(owner)
        if found is None:
            in_use = frozenset(other.folder.path for other in _libraries.values() if other.folder)
            try:
                found = PhotoLibrary(folder=browser_session.open_folder(owner, in_use))
            except (SessionError, OSError) as error:
                reason = str(error) if isinstance(error, SessionError) else "Its folder cannot be written."
                return PhotoLibrary(problem=f"This session is not kept. {reason}")
            _libraries[owner] = found
        elif found.folder:
            found.folder.touch()
        return found


@st.cache_resource(show_spinner=False)
def sample_photos() -> dict[str, SessionPhoto]:
    """Return the built-in photos by key."""
    photos = [_photo(name, samples.content(name), "sample") for name in samples.NAMES]
    return {photo.key: photo for photo in photos}


def _photo(name: str, content: bytes, origin: Origin) -> SessionPhoto:
    sha256 = hashlib.sha256(content).hexdigest()
    return SessionPhoto(f"{sha256} {name}", name, sha256, len(content), origin)


def _lost(photo: SessionPhoto) -> PhotoError:
    return PhotoError(f"{photo.name} is not kept here any more: add it again.")
