"""Permission to start, cancel and delete: only for somebody at this machine, unless its owner says otherwise.

A job reads folders of this machine and uses it for hours, so being able to see the page is not enough. Streamlit only
greys out a disabled button; the action of a button asks again here.
"""

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import streamlit as st

from metaiqa_core.errors import JobError
from metaiqa_core.settings import JOBS, read_settings

VARIABLE = "METAIQA_REMOTE_JOBS"
JOBS_OFF = (
    f"Training jobs are switched off on this server ({JOBS}=off). To train, start the app on a machine of your own, or "
    "use the commands of the terminal."
)
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip")


def jobs_are_on() -> bool:
    """Return whether there are jobs on this server at all.

    Raises:
        SettingsError: If a variable has a value that it cannot have.
    """
    return read_settings().jobs


def refusal() -> str | None:
    """Return the reason why this visitor may only look; None for one who may do everything."""
    if not jobs_are_on():
        return JOBS_OFF
    address = st.context.ip_address
    if not isinstance(address, str | None):
        return None  # Streamlit's AppTest, where a mock stands in for the connection: there is no visitor
    return refusal_of(address, st.context.headers, os.environ)


def require_permission() -> None:
    """Raise a `JobError` for a visitor who may only look."""
    if reason := refusal():
        raise JobError(reason)


def refusal_of(address: str | None, headers: Mapping[str, str], environment: Mapping[str, str]) -> str | None:
    """Judge a visitor.

    Args:
        address: Address that the connection comes from; None for this machine.
        headers: Headers of the visitor's request; empty where there is none, as in tests without a server.
        environment: Environment variables, by which the owner can allow everybody.

    Returns:
        The reason for refusing; None if there is none.
    """
    if environment.get(VARIABLE) == "1":
        return None
    if address is not None and not _is_loopback(address):
        seen = "You reach this app from another machine"
    elif any(name in headers for name in _FORWARDED):
        seen = "You reach this app through a proxy, which may come from anywhere"
    elif headers and not _is_loopback(_host(headers.get("Host", ""))):
        # A page from elsewhere can make a browser on this machine send requests here, but under that page's name.
        seen = "You reach this app under a name that is not localhost"
    else:
        return None
    return (
        f"{seen}, so you can look at jobs but not start, cancel or delete them: a job reads this machine's folders "
        f"and uses it for hours. Its owner allows it by starting the app with {VARIABLE}=1."
    )


def _host(header: str) -> str:
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
