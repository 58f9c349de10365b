"""Result of a comparison in which everything is tested on the same splits."""

from dataclasses import dataclass

from metaiqa_core.evaluation.protocols import Split, summarise


@dataclass(frozen=True)
class ComparedSplits:
    """Finished splits of all that was compared.

    Attributes:
        splits: Finished splits by name, each in the order of the seeds.
    """

    splits: dict[str, list[Split]]

    def summary(self, name: str) -> dict[str, float | int | list[int]]:
        """Return mean and standard deviation of one's SROCC and PLCC, as `summarise` does."""
        return summarise(self.splits[name])
