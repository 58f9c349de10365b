"""Decisions of a session: moves come from the page, are made once, and are kept with the session."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from metaiqa_core.sorting.decisions import Decision, Decisions
from pages.shared.photo_library import PhotoLibrary

UNDO = "undo"
KEEP_ONLY = "keep_only"
"""Move that keeps the first of its photos and rejects the others."""
_MOST_KEYS = 100_000


@dataclass(eq=False)
class SortingState:
    """Decisions on the photos of a session, and what the reader looks at.

    Attributes:
        photos: Library of the photos.
        decisions: The decisions.
        made: Number of the last move that was made, by the page that sent it.
        opened: Key of the photo that was open last; empty for none.
        view: Order, layout and stacks, as far as they were chosen.
    """

    photos: PhotoLibrary
    decisions: Decisions = field(default_factory=Decisions)
    made: dict[str, int] = field(default_factory=dict)
    opened: str = ""
    view: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for event in self.photos.events("move"):
            with contextlib.suppress(KeyError, TypeError, ValueError):  # a line of another version
                self._make(event)
        for event in self.photos.events("opened"):
            self.opened = str(event["opened"])
        for event in self.photos.events("view"):
            with contextlib.suppress(TypeError, ValueError):
                self.view |= dict(event["view"])
        self.photos.leave_out(self.decisions.with_decision(Decision.REMOVED))

    def make(self, page: str, moves: list[Mapping[str, Any]]) -> str:
        """Make the moves of a page that were not made before; return the photo that an undo leads back to.

        A page sends all of its moves that it does not know to be made, so that none is lost where two follow each other
        fast; their numbers tell which are new.

        Args:
            page: Name of the page that sent them, which is new whenever it is opened.
            moves: Each with its number `n`, what to `do` (a decision, `UNDO` or `KEEP_ONLY`), and the `keys` of
                the photos.
        """
        leads_to = ""
        for move in moves:
            event = {"move": str(move["do"]), "keys": [str(key) for key in move["keys"][:_MOST_KEYS]]}
            event |= {"page": page, "n": int(move["n"])}
            if event["n"] <= self.made.get(page, 0):
                continue
            leads_to = self._make(event)
            self.photos.note(event)
        self.photos.leave_out(self.decisions.with_decision(Decision.REMOVED))
        return leads_to

    def open(self, key: str) -> None:
        """Remember which photo is open."""
        if key and key != self.opened:
            self.opened = key
            self.photos.note({"opened": key})

    def remember_view(self, view: Mapping[str, Any]) -> None:
        """Remember how the photos are shown."""
        if self.view | view != self.view:
            self.view |= view
            self.photos.note({"view": dict(view)})

    def _make(self, event: Mapping[str, Any]) -> str:
        self.made[str(event["page"])] = int(event["n"])
        if event["move"] == UNDO:
            step = self.decisions.undo()
            return next(iter(step.before), "") if step else ""
        if event["move"] == KEEP_ONLY:
            self.decisions.keep_only(event["keys"][0], event["keys"][1:])
            return ""
        self.decisions.decide(event["keys"], Decision(event["move"]))
        return ""
