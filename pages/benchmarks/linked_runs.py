"""The runs that a link names: those that were shown where it was made, also where nobody had chosen any.

?runs=NAME              runs that somebody chose (the widget's own parameter)
?runs_shown=NAME        runs that were shown as nobody had chosen any: the newest there, which are others elsewhere
"""

from collections.abc import Collection, Sequence

import streamlit as st

from pages.shared.plain import plain

_SHOWN, _MISSING, _MOST = "_shown", "missing_runs", 8


def shown_first(names: Sequence[str], key: str, count: int) -> list[str]:
    """Return the runs to show as long as nobody chooses: those of the link, or the newest; the address names them.

    Args:
        names: Names of the runs that there are, the newest first.
        key: Name of the widget, which is also its parameter in the address.
        count: Number of runs to show where no link names any.
    """
    parameter = f"{key}{_SHOWN}"
    asked = st.query_params.get_all(parameter)
    first = [name for name in names if name in asked] or list(names[:count])
    if asked != first:
        st.query_params[parameter] = first
    return first


def tell_missing(names: Collection[str], page: str) -> None:
    """Say which runs the address names that this computer does not have; called before any widget drops them from it.

    Args:
        names: Names of all runs that there are.
        page: Name of the page, whose links are meant.
    """
    keys = [key for key in st.query_params if key.endswith(("runs", f"runs{_SHOWN}"))]
    asked = dict.fromkeys(name for key in keys for name in st.query_params.get_all(key) if name)
    if missing := [name for name in asked if name not in names]:
        st.session_state[_MISSING] = page, missing
    place, missing = st.session_state.get(_MISSING, (page, []))
    if place != page:
        forget()
    elif missing:
        are = "a run" if len(missing) == 1 else "runs"
        more = f" and {len(missing) - _MOST} more" if len(missing) > _MOST else ""
        listed = ", ".join(f"{name:.60}" for name in missing[:_MOST])
        st.info(
            plain(f"This link shows {are} that this computer does not have: {listed}{more}."), icon=":material/link:"
        )


def forget() -> None:
    """Forget what the link named, once somebody chooses."""
    st.session_state.pop(_MISSING, None)
