"""Which session a browser has: a secret in its cookie names a folder on the app's computer."""

import hashlib
import re
import secrets
import time
from pathlib import Path

import streamlit as st

from metaiqa_core.files import cache_folder
from metaiqa_core.sessions.session_folder import SessionFolder, delete_old_sessions, find_table
from metaiqa_core.settings import read_settings
from pages.shared.front_end import component

COOKIE = "metaiqa_session"
LIFETIME_SECONDS = 24 * 60 * 60
"""How long a session is kept after the last visit, seconds."""
_SWEEP_SECONDS = 10 * 60
_SECRET = re.compile(r"[A-Za-z0-9_-]{32}")
_swept_at = 0.0


def secret() -> str:
    """Return the secret of this browser: the one of its cookie, or a new one that `remember` will put there."""
    found: str | None = st.session_state.get("browser_secret")
    if found is None:
        cookie = cookie_of_browser()
        found = cookie if _SECRET.fullmatch(cookie) else secrets.token_urlsafe(24)
        st.session_state["browser_secret"] = found
    return found


def cookie_of_browser() -> str:
    """Return the value of the cookie that the browser sent; empty for none."""
    return str(st.context.cookies.get(COOKIE, ""))


def remember() -> None:
    """Put the secret into the browser's cookie, which lasts as long as the session is kept."""
    if not read_settings().sessions:
        return
    keep = component("session_cookie", "shared/session_cookie")
    with st.container(key="session_cookie"):
        keep(key="session_cookie_value", data={"name": COOKIE, "value": secret(), "seconds": LIFETIME_SECONDS})


def open_folder(owner: str, in_use: frozenset[Path]) -> SessionFolder:
    """Open the folder of a secret, and delete the sessions that nobody has visited for a day.

    Args:
        owner: The secret.
        in_use: Folders of the sessions that are open in this process.

    Raises:
        SessionError: If another process has it open.
        OSError: If the disk refuses.
    """
    global _swept_at
    root = _root()
    # The name is a hash: whoever lists the folders cannot take over a session.
    path = root / hashlib.sha256(owner.encode()).hexdigest()[:32]
    if time.monotonic() - _swept_at > _SWEEP_SECONDS or not _swept_at:
        _swept_at = time.monotonic()
        delete_old_sessions(root, LIFETIME_SECONDS, kept=in_use)
    return SessionFolder(path)


def table_on_this_computer(fingerprint: str) -> bytes | None:
    """Return the table of results with a fingerprint, where a session on this computer keeps it.

    Args:
        fingerprint: First 16 hexadecimal digits of its SHA-256.
    """
    return find_table(_root(), fingerprint) if read_settings().sessions else None


def _root() -> Path:
    return cache_folder() / "sessions"
