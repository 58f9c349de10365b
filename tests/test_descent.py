"""Steps along a gradient that fine-tuning and joint training share, against arithmetic by hand."""

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import ConstantLR

from metaiqa_core.errors import TrainingError
from metaiqa_core.training.descent import Descent
from metaiqa_core.training.random_order import in_random_order


class Point(nn.Module):
    """Two weights, at first (3, 4)."""

    def __init__(self):
        super().__init__()
        self.place = nn.Parameter(torch.tensor([3.0, 4.0]))


def descent_of(point, rate=0.1, **options):
    optimiser = torch.optim.SGD(point.parameters(), lr=rate)
    return Descent(point, optimiser, ConstantLR(optimiser, factor=1.0), **options)


def test_a_step_goes_against_the_gradient_and_returns_the_loss_before_it():
    point = Point()
    assert descent_of(point).step(point.place.square().sum()) == 25
    assert point.place.tolist() == pytest.approx([3 - 0.1 * 6, 4 - 0.1 * 8])


def test_a_gradient_longer_than_allowed_keeps_its_direction_and_gets_the_length():
    point = Point()
    descent_of(point, gradient_norm=5.0).step(point.place.square().sum())  # the gradient (6, 8) is 10 long
    assert point.place.tolist() == pytest.approx([3 - 0.1 * 3, 4 - 0.1 * 4], abs=1e-5)


def test_the_average_forgets_the_first_steps_faster_than_the_later_ones():
    point = Point()
    descent = descent_of(point, rate=1.0, averaging=0.4)
    expected = None
    for step in range(6):
        descent.step(point.place.sum())  # each step takes 1 from both weights
        weight = 3.0 - (step + 1)
        decay = min(0.4, (1 + step) / (10 + step))
        expected = weight if expected is None else decay * expected + (1 - decay) * weight
        assert descent.outcome.place.tolist()[0] == pytest.approx(expected, rel=1e-6)
    assert point.place.tolist() == [-3, -2]


def test_without_averaging_the_outcome_is_the_model_itself():
    point = Point()
    assert descent_of(point).outcome is point


def test_a_loss_that_is_not_finite_moves_no_weight():
    point = Point()
    with pytest.raises(TrainingError, match="The loss became inf: lower the learning rates"):
        descent_of(point).step(point.place.sum() * float("inf"))
    assert point.place.tolist() == [3, 4]


def test_a_state_goes_on_where_it_was():
    whole, halves = Point(), [Point(), Point()]
    descent = descent_of(whole, averaging=0.9)
    for _ in range(4):
        descent.step(whole.place.square().sum())
    first, second = (descent_of(half, averaging=0.9) for half in halves)
    for _ in range(2):
        first.step(halves[0].place.square().sum())
    second.load_state_dict(first.state_dict())
    for _ in range(2):
        second.step(halves[1].place.square().sum())
    assert torch.equal(halves[1].place, whole.place)
    assert torch.equal(second.outcome.place, descent.outcome.place)


def test_everything_comes_once_before_anything_comes_again():
    whole = in_random_order(range(15), 5, lambda turn: (7, turn))
    assert [sorted(whole[first : first + 5]) for first in (0, 5, 10)] == [[0, 1, 2, 3, 4]] * 3
    assert in_random_order(range(3, 9), 5, lambda turn: (7, turn)) == whole[3:9]
