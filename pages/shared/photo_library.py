"""The photos of a session, which every page can use.

Streamlit keeps uploads in memory for as long as their widget lives and forgets them with it. The library moves each
upload into one unnamed temporary file a session, which the operating system deletes with the session: memory holds
only thumbnails and results, and a change of page loses nothing.
"""

import hashlib
import io
import tempfile
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Literal

import streamlit as st

from pages.shared import samples

Origin = Literal["own", "sample"]


@dataclass(frozen=True)
class SessionPhoto:
    """One photo of the session.

    Attributes:
        key: SHA-256 of the content and the name; results are kept under it.
        name: File name, for people.
        sha256: SHA-256 of the content, 64 hexadecimal digits.
        size: Length of the content, bytes.
        origin: `own` for photos that the user brought, `sample` for built-in ones.
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
        own: The user's photos by key.
    """

    own: dict[str, SessionPhoto] = field(default_factory=dict)
    _places: dict[str, tuple[int, int]] = field(default_factory=dict)  # offset and length in the file, by content
    # Unbuffered: what did not fit on a full disk must not wait in a buffer to be written again.
    _file: IO[bytes] = field(default_factory=partial(tempfile.TemporaryFile, buffering=0))

    def add(self, name: str, content: bytes) -> SessionPhoto:
        """Take in a photo, or return the one that is already here with this name and content.

        Raises:
            OSError: If there is no room; the library stays as it was.
        """
        photo = _photo(name, content, "own")
        if photo.sha256 not in self._places:
            offset = self._file.seek(0, 2)
            rest = memoryview(content)
            try:
                while rest:
                    rest = rest[self._file.write(rest) :]
            except OSError:
                self._file.truncate(offset)
                raise
            self._places[photo.sha256] = offset, len(content)
        return self.own.setdefault(photo.key, photo)

    def content(self, photo: SessionPhoto) -> bytes:
        """Return the bytes of a photo's file."""
        if photo.origin == "sample":
            return samples.content(photo.name)
        offset, length = self._places[photo.sha256]
        self._file.seek(offset)
        return self._file.read(length)

    def photos(self) -> dict[str, SessionPhoto]:
        """Return the user's photos by key, or the samples while there are none."""
        return self.own or sample_photos()

    def clear(self) -> None:
        """Forget the user's photos, and give their space back."""
        self.own.clear()
        self._places.clear()
        self._file.seek(0)
        self._file.truncate()


def library() -> PhotoLibrary:
    """Return this session's library."""
    return st.session_state.setdefault("photo_library", PhotoLibrary())


@st.cache_resource(show_spinner=False)
def sample_photos() -> dict[str, SessionPhoto]:
    """Return the built-in photos by key."""
    photos = [_photo(name, samples.content(name), "sample") for name in samples.NAMES]
    return {photo.key: photo for photo in photos}


def _photo(name: str, content: bytes, origin: Origin) -> SessionPhoto:
    sha256 = hashlib.sha256(content).hexdigest()
    return SessionPhoto(f"{sha256} {name}", name, sha256, len(content), origin)
