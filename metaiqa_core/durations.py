"""Durations in words."""

import humanize

_DAY = 86_400.0


def duration_in_words(seconds: float) -> str:
    """Return a duration in at most two units, rounded; less than a second counts as one.

    Args:
        seconds: Duration, 0 or more.

    >>> duration_in_words(8), duration_in_words(100), duration_in_words(5000), duration_in_words(200_000)
    ('8 seconds', '2 minutes', '1 hour and 23 minutes', '2 days and 8 hours')
    """
    unit = "seconds" if seconds < 60 else "minutes" if seconds < _DAY else "hours"
    return humanize.precisedelta(max(seconds, 1.0), minimum_unit=unit, format="%.0f")
