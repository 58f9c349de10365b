"""Durations in words: units that fit, rounded, never a zero."""

import pytest

from metaiqa_core.durations import duration_in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (59.4, "59 seconds"),
        (59.7, "1 minute"),
        (60, "1 minute"),
        (3599, "1 hour"),
        (5000, "1 hour and 23 minutes"),
        (86_399, "1 day"),
        (86_400, "1 day"),
        (200_000, "2 days and 8 hours"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds, words):
    assert duration_in_words(seconds) == words
