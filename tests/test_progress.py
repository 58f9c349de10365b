"""Work that reports is run to its end, and its result comes back."""

from metaiqa_core.progress import Progress, finish


def count(total):
    for step in range(1, total + 1):
        yield Progress("counting", step, total)
    return total * 2


def test_finishing_work_returns_its_result():
    assert finish(count(3)) == 6


def test_each_step_is_shown_once_and_in_order():
    shown = []
    finish(count(3), shown.append)
    assert [(progress.step, progress.total, dict(progress.metrics)) for progress in shown] == [
        (1, 3, {}),
        (2, 3, {}),
        (3, 3, {}),
    ]


def test_work_without_steps_has_a_result_too():
    assert finish(count(0)) == 0
