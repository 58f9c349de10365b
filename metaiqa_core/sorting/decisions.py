"""Decisions on photos, each step of which can be undone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Decision(StrEnum):
    """What a person decided on a photo."""

    UNDECIDED = "undecided"
    KEEP = "keep"
    REJECT = "reject"
    REMOVED = "removed"
    """Taken out of the list; the file itself is not touched."""


@dataclass(frozen=True)
class Step:
    """One step, of one photo or of several at once.

    Attributes:
        decision: Decision of the step.
        before: Earlier decision of each photo that the step changed, by the photo's key.
    """

    decision: Decision
    before: Mapping[str, Decision]


@dataclass(eq=False)
class Decisions:
    """The decisions on the photos of a session, in the order in which they were made."""

    _of: dict[str, Decision] = field(default_factory=dict)
    _steps: list[Step] = field(default_factory=list)

    def of(self, key: str) -> Decision:
        """Return the decision on a photo."""
        return self._of.get(key, Decision.UNDECIDED)

    def with_decision(self, decision: Decision) -> frozenset[str]:
        """Return the keys of the photos with a decision other than undecided."""
        return frozenset(key for key, found in self._of.items() if found == decision)

    def decide(self, keys: Iterable[str], decision: Decision) -> bool:
        """Make a decision on photos; return whether it changed any.

        Args:
            keys: Keys of the photos.
            decision: The decision, the same for all.
        """
        return self._step(decision, dict.fromkeys(keys, decision))

    def keep_only(self, key: str, others: Iterable[str]) -> bool:
        """Keep a photo and reject others, in one step; return whether it changed any.

        Args:
            key: Key of the photo to keep.
            others: Keys of the photos to reject.
        """
        return self._step(Decision.KEEP, {key: Decision.KEEP} | dict.fromkeys(others, Decision.REJECT))

    def _step(self, decision: Decision, after: Mapping[str, Decision]) -> bool:
        before = {key: self.of(key) for key, decided in after.items() if self.of(key) != decided}
        if not before:
            return False
        self._steps.append(Step(decision, MappingProxyType(before)))
        self._of.update({key: after[key] for key in before})
        return True

    @property
    def last_step(self) -> Step | None:
        """The step that `undo` would take back; None where there is none."""
        return self._steps[-1] if self._steps else None

    def undo(self) -> Step | None:
        """Take the last step back and return it; None where there is none."""
        if not self._steps:
            return None
        step = self._steps.pop()
        self._of.update(step.before)
        return step
