"""The curves of a run: what is written arrives, survives a kill, and a continued run goes on with the clock."""

import builtins
import itertools

import pytest

from metaiqa_core.errors import ResultsError
from metaiqa_core.progress import Progress, finish, placed
from metaiqa_core.results import run_log
from metaiqa_core.results.run_log import COLUMNS, METRICS_FILE, read_metrics, recorded, titles


def work(count=3, result="done"):
    for step in range(1, count + 1):
        yield Progress("learning, slowly", step, count, {"loss": 1 / step, "srocc": step / 10})
    return result


def test_work_passes_through_and_every_number_is_written_down(tmp_path):
    seen = []
    assert finish(recorded(work(), tmp_path / "run"), seen.append) == "done"
    assert [progress.step for progress in seen] == [1, 2, 3]
    frame = read_metrics(tmp_path / "run")
    assert tuple(frame.columns) == COLUMNS
    assert frame[["stage", "step", "total", "metric"]].values.tolist() == [
        ["learning, slowly", step, 3, metric] for step in (1, 2, 3) for metric in ("loss", "srocc")
    ]
    assert frame["value"].tolist() == pytest.approx([1, 0.1, 1 / 2, 0.2, 1 / 3, 0.3])


def test_a_number_can_be_read_as_soon_as_its_step_is_done(tmp_path):
    steps = recorded(work(), tmp_path)
    next(steps)
    assert len(read_metrics(tmp_path)) == 2
    steps.close()


def test_closing_closes_the_work(tmp_path):
    closed = []

    def patient():
        try:
            yield Progress("waiting", 1, 9)
        finally:
            closed.append(True)

    steps = recorded(patient(), tmp_path)
    next(steps)
    steps.close()
    assert closed == [True]


def test_a_continued_run_goes_on_with_the_clock_and_pauses_do_not_count(tmp_path, monkeypatch):
    ticks = itertools.count(100.0)
    monkeypatch.setattr(run_log, "monotonic", lambda: next(ticks))
    finish(recorded(work(), tmp_path))
    ticks = itertools.count(90_000.0)  # the machine was off for a day
    finish(recorded(work(2), tmp_path))
    assert read_metrics(tmp_path)["seconds"].unique().tolist() == [1, 2, 3, 4, 5]
    assert (tmp_path / METRICS_FILE).read_text().count("seconds") == 1


@pytest.mark.parametrize(
    "half",
    [
        "0.5,learni",
        '0.5,"learni',
        "7",
        "9.0,learning,3,3,loss,0.0",
        '"',
    ],
)
def test_a_line_that_a_kill_left_half_written_is_mended_by_the_run_that_continues(tmp_path, half):
    finish(recorded(work(2), tmp_path))
    path = tmp_path / METRICS_FILE
    whole = path.read_text()
    path.write_text(whole + half)
    assert read_metrics(tmp_path)["value"].tolist()[:4] == [1, 0.1, 0.5, 0.2]
    finish(recorded(work(1), tmp_path))
    added = path.read_text().removeprefix(whole)
    assert [line.split(",", 1)[1] for line in added.splitlines()] == [
        '"learning, slowly",1,1,loss,1.0,,0,0,step',
        '"learning, slowly",1,1,srocc,0.1,,0,0,step',
    ]


OLDER = """seconds,stage,step,total,metric,value
1.0,"k 3, S 2 (1 of 4) split-0: fine-tuning",2,5,loss,0.25
2.0,"k 3, S 2 (1 of 4): done",1,4,srocc,0.5
3.0,meta-training,1,9,query_loss,0.1
"""


def test_a_log_of_an_older_version_is_read_with_its_places_and_continued(tmp_path):
    (tmp_path / METRICS_FILE).write_text(OLDER)
    read = [
        ["fine-tuning", "k 3, S 2 (1 of 4) split-0", 1, 4, "step"],
        ["done", "k 3, S 2 (1 of 4)", 1, 4, "outcome"],
        ["meta-training", "", 0, 0, "step"],
    ]
    facts = ["stage", "place", "number", "places", "kind"]
    assert read_metrics(tmp_path)[facts].values.tolist() == read
    finish(recorded(placed(work(1), "split 2 of 3", 2, 3), tmp_path))
    frame = read_metrics(tmp_path)
    assert tuple(frame.columns) == COLUMNS
    assert frame[facts].values.tolist() == read + [["learning, slowly", "split 2 of 3", 2, 3, "step"]] * 2
    assert frame["value"].tolist() == [0.25, 0.5, 0.1, 1.0, 0.1]
    assert titles(frame).tolist()[1:4] == ["k 3, S 2 (1 of 4): done", "meta-training", "split 2 of 3: learning, slowly"]


def test_a_run_without_curves_yet_is_empty(tmp_path):
    assert read_metrics(tmp_path).empty
    (tmp_path / METRICS_FILE).touch()
    assert read_metrics(tmp_path).empty
    assert tuple(read_metrics(tmp_path).columns) == COLUMNS


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "\x00\x00\x00", "no table\n"])
def test_a_foreign_file_is_refused(tmp_path, content):
    (tmp_path / METRICS_FILE).write_text(content)
    with pytest.raises(ResultsError, match=r"/metrics\.csv was not written by this program: "):
        read_metrics(tmp_path)


def test_tensorboard_that_is_not_installed_is_a_sentence_and_nothing_is_written(tmp_path, monkeypatch):
    original = builtins.__import__

    def without(name, *rest):
        if name.startswith("torch.utils.tensorboard"):
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ResultsError, match="need the package tensorboard: pip install tensorboard, or leave out"):
        finish(recorded(work(), tmp_path, tensorboard=True))
    assert not (tmp_path / METRICS_FILE).exists()
