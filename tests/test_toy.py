"""Algorithm 1 on two weights: what the tour draws is what the algorithm says."""

import numpy as np
import pytest
import torch

from metaiqa_core.training.adam import EPSILON, FIRST_MOMENT_DECAY
from metaiqa_core.training.toy import COMMON, ToySettings, meta_train_toy
from pages.about import toy_chart


def test_the_outer_step_is_the_mean_of_where_the_tasks_ended():
    for one in meta_train_toy(ToySettings(tasks=4, outer_rate=0.3)):
        expected = one.prior - 0.3 * np.mean([one.prior - path[-1] for path in one.paths], axis=0)
        assert one.after == pytest.approx(expected, abs=1e-6)


def test_each_task_starts_at_the_prior_and_takes_s_steps_on_either_set():
    iterations = meta_train_toy(ToySettings(tasks=2, inner_steps=3, iterations=4))
    assert [one.paths.shape for one in iterations] == [(2, 7, 2)] * 4
    for one, following in zip(iterations, iterations[1:], strict=False):
        assert (one.paths[:, 0] == one.prior).all()
        assert following.prior == pytest.approx(one.after)


def test_the_first_step_of_either_set_is_adams_first_without_correction():
    rate = 0.05
    one = meta_train_toy(ToySettings(inner_steps=2, inner_rate=rate))[0]
    length = rate * (1 - FIRST_MOMENT_DECAY) / np.sqrt(1 - 0.99)  # m / sqrt(v), whatever the gradient is
    assert EPSILON < 1e-6
    for path in one.paths:
        steps = np.abs(np.diff(path, axis=0))
        assert steps[0] == pytest.approx([length, length], rel=1e-3)
        assert steps[2] == pytest.approx([length, length], rel=1e-2)  # moments start afresh for the query set


def test_the_prior_comes_near_to_what_all_tasks_have_in_common_and_new_tasks_profit():
    iterations = meta_train_toy(ToySettings(inner_steps=6))
    assert np.linalg.norm(iterations[-1].after - COMMON) < 0.25 < np.linalg.norm(iterations[0].prior - COMMON)
    assert iterations[-1].new_task_loss < iterations[0].new_task_loss / 10


def test_the_same_settings_give_the_same_numbers_and_torch_draws_none():
    state = torch.random.get_rng_state()
    first, second = (meta_train_toy(ToySettings()) for _ in range(2))
    assert all((a.paths == b.paths).all() for a, b in zip(first, second, strict=True))
    assert torch.equal(state, torch.random.get_rng_state())


def test_every_step_is_a_frame_that_moves_the_same_traces():
    iterations = meta_train_toy(ToySettings(tasks=2, inner_steps=2, iterations=3))
    every = toy_chart.moments(iterations)
    figure = toy_chart.figure(iterations, len(every) - 1)
    assert len(figure.frames) == len(every) == 3 * (2 * 2 + 2)
    assert {len(frame.data) for frame in figure.frames} == {5}
    assert [button.label for button in figure.layout.updatemenus[0].buttons] == ["▶ Play", "Pause"]
    words = [toy_chart.in_words(iterations, moment) for moment in every[:6]]
    assert words[0] == "Mini-batch 1 of 3: 2 tasks are drawn; the stars are the weights that fit them."
    assert "support set, 2 of 2 (Eq. 4)" in words[2]
    assert "query set, 1 of 2 (Eq. 7)" in words[3]
    assert "(Eq. 8)" in words[5]
    titles = [frame.layout.title.text for frame in figure.frames]
    assert [title.replace("<br>", " ") for title in titles] == [toy_chart.in_words(iterations, one) for one in every]
    assert max(len(line) for title in titles for line in title.split("<br>")) <= 46, "a phone has no room for more"
    outer = figure.frames[5].data[3]
    assert (outer.x[-1], outer.y[-1]) == pytest.approx(tuple(iterations[0].after))
