"""The page of training jobs, alone and within the app: its form, its list, one job, and who may do what."""

import shlex
from pathlib import Path

import pandas as pd
import pytest
from jobs_fixtures import job_in, jobs_folder, start, working  # noqa: F401
from lone_page_fixtures import figures, opened_page, texts
from streamlit.testing.v1 import AppTest

from metaiqa_core.errors import JobError
from metaiqa_core.jobs import control
from metaiqa_core.jobs.catalogue import JOB_COMMANDS
from metaiqa_core.jobs.job import State, find_jobs, shell_lines
from metaiqa_core.results.older_run_log import OLDER_COLUMNS, with_places
from pages.jobs import example
from pages.jobs.charts import LOSS, MAXIMUM_POINTS, SROCC, compared, curves, smoothed, thinned
from pages.jobs.permission import refusal_of

ROOT = Path(__file__).parents[1]


def opened(job=None):
    return opened_page("training_jobs.py", **({} if job is None else {"job": job}))


def codes(page):
    return [element.value for element in page.code]


def words_shown(page):
    return shlex.split(codes(page)[0])


def fill(page, command, **values):
    if command != "meta-train":
        page.selectbox(key="job_command").set_value(command).run()
    for name, value in values.items():
        key = name if name.startswith(("name_", "preset_")) else f"{command}_{name}"
        kinds = (page.text_input, page.text_area, page.number_input, page.selectbox, page.checkbox, page.multiselect)
        [field] = [field for kind in kinds for field in kind if field.key == key]
        field.set_value(value)
    page.run()
    assert not page.exception
    return page


def test_at_first_sight_the_page_explains_itself_and_shows_the_form_and_an_example(runs):
    page = opened()
    for word in ("Meta-training", "fine-tuning", "Leave-one-distortion-out", "Its numbers mean nothing"):
        assert word in texts(page)
    assert words_shown(page)[:6] == ["python", "-m", "metaiqa_core", "meta-train", "--database", "DATABASE"]
    assert "Still to fill in: Database." in texts(page)
    assert page.button(key="start_job").disabled
    assert not page.button(key="start_example").disabled
    assert not page.radio


@pytest.mark.parametrize("command", JOB_COMMANDS)
def test_every_command_has_a_form_whose_fields_show_the_preset_and_whose_words_the_command_understands(runs, command):
    from metaiqa_core.cli import build_parser

    page = opened()
    further = {
        "parameter-study": {"target": "/data/y"},
        **dict.fromkeys(("ablation", "adaptation-curve"), {"start": "A=default\nB=resnet18:random"}),
        "synthesize": {"like": "kadid10k", "photos": "/data/x"},
        "databases": {"name": "csv", "folder": "/data/x"},
        "graph-tune": {"model": "lite0-graph"},
    }
    database = {} if command in ("synthesize", "databases") else {"database": "/data/x"}
    fill(page, command, **database, **further.get(command, {}))
    entry = JOB_COMMANDS[command]
    settings = entry.presets["recommended"] if entry.presets else entry.settings
    if settings:
        name = next(name for name in ("epochs", "steps", "quality_steps") if hasattr(settings, name))
        assert page.number_input(key=f"{command}_{name}").proto.placeholder == str(getattr(settings, name))
    assert not page.button(key="start_job").disabled
    parsed = build_parser([command]).parse_args(words_shown(page)[3:])
    assert parsed.command == command
    assert getattr(parsed, "preset", "recommended") == "recommended"
    assert getattr(parsed, "epochs", None) is None
    place = parsed.output if hasattr(parsed, "output") else parsed.run_dir
    assert place.is_relative_to(runs / command)


def test_the_command_line_has_what_was_changed_and_quotes_what_a_shell_would_split(runs):
    page = opened()
    fill(
        page,
        "fine-tune",
        database="/data/my photos; rm -rf ~",
        epochs=3,
        learning_rate="2e-4",
        flip=False,
        schedule="step",
        repeats=2,
        only_measure=True,
        mos_range="1 5",
        training_data="Ann's 40 photos",
    )
    words = words_shown(page)
    assert words[4:6] == ["--database", "/data/my photos; rm -rf ~"]
    for flag, *value in (
        ["--epochs", "3"],
        ["--learning-rate", "2e-4"],
        ["--no-flip"],
        ["--schedule", "step"],
        ["--repeats", "2"],
        ["--only-measure"],
        ["--mos-range", "1", "5"],
        ["--training-data", "Ann's 40 photos"],
        ["--preset", "recommended"],
    ):
        place = words.index(flag)
        assert words[place + 1 : place + 1 + len(value)] == value
    assert "'/data/my photos; rm -rf ~'" in codes(page)[0]


def test_a_field_that_argparse_refuses_is_told_in_its_own_words(runs):
    page = fill(opened(), "fine-tune", database="/data", learning_rate="fast")
    page.button(key="start_job").click().run()
    assert [error.value for error in page.error] == [r"Argument \-\-learning\-rate\: invalid float value\: 'fast'\."]
    page = fill(page, "fine-tune", learning_rate="", mos_range='"1 5')
    assert r"\-\-mos\-range\: a quotation mark is not closed" in page.error[0].value
    assert page.button(key="start_job").disabled


def test_a_mistake_is_told_before_anything_starts(runs, tiny_csv):
    page = opened()
    for values, sentence in (
        ({"database": "/no/such/folder"}, "There is no folder or file /no/such/folder: expected a database of rated"),
        (
            {"database": str(tiny_csv), "batch_size": 0},
            "The settings do not fit: batch_size must be at least 1, got 0.",
        ),
        ({"batch_size": 4, "mos_range": "0 10"}, "lies outside 0 to 10"),
        ({"mos_range": "", "name_fine-tune": "../up"}, "The name of the run needs 1 to 60 letters, digits, - and _"),
    ):
        fill(page, "fine-tune", **values).button(key="start_job").click().run()
        assert sentence in page.error[0].value.replace("\\", "")
    assert not runs.exists()


@pytest.mark.parametrize(
    ("scores", "rate", "sentence"),
    [
        ([50], "", "mine has a single photo, and learning needs at least two with different scores: add rated photos."),
        ([50, 50, 50], "", "All 3 photos of mine have the score 50, and a model learns from differences"),
        ([40, 50, 60], "nan", "The settings do not fit: learning_rate must be a finite number, got nan."),
        ([40, 50, 60], "inf", "The settings do not fit: learning_rate must be a finite number, got inf."),
        ([40, 50, 60], "-1", "The settings do not fit: learning rates must be above 0."),
    ],
)
def test_what_teaches_nothing_is_told_before_anything_starts(runs, tmp_path, scores, rate, sentence):
    for number, score in enumerate(scores):
        (tmp_path / f"{number}.jpg").write_bytes(bytes([score, number]))
    rows = "".join(f"{number}.jpg,{score}\n" for number, score in enumerate(scores))
    (tmp_path / "mine.csv").write_text(f"image,mos\n{rows}")
    page = fill(opened(), "fine-tune", database=str(tmp_path / "mine.csv"), learning_rate=rate)
    page.button(key="start_job").click().run()
    assert sentence in page.error[0].value.replace("\\", "")
    assert not runs.exists()


def test_a_database_without_distortion_types_is_refused_for_meta_training(runs, tiny_csv):
    page = fill(opened(), "meta-train", database=str(tiny_csv))
    page.button(key="start_job").click().run()
    assert "distortion" in page.error[0].value
    assert not runs.exists()


def test_a_job_is_started_watched_refreshed_cancelled_resumed_and_deleted(runs, tiny_csv):
    page = fill(opened(), "fine-tune", **{"database": str(tiny_csv), "name_fine-tune": "mine", "name": "slow"})
    page.button(key="start_job").click().run()
    assert page.query_params["job"] == "mine"
    working(runs, "mine")
    page = opened("mine")  # a refresh
    assert page.radio(key="job_choice").value == "mine"
    assert "running" in texts(page)
    assert any("--run-dir" in code for code in codes(page))
    page.button(key="cancel_job").click().run()
    job_in(runs, "mine", State.CANCELLED)
    page = opened("mine")
    assert "Cancelled. What was saved is kept; *Resume* continues from there." in texts(page)
    page.button(key="resume_job").click().run()
    working(runs, "mine")
    control.cancel(runs, "mine")
    job_in(runs, "mine", State.CANCELLED)
    page = opened("mine")
    page.button(key="delete_job").click().run()
    assert not (runs / "mine").exists()
    assert "job" not in page.query_params
    assert "Still to fill in" in texts(page)


def test_a_working_job_shows_curves_progress_and_log(runs):
    start(runs, "curve", "quick")
    job_in(runs, "curve", State.FINISHED)
    page = opened("curve")
    loss, srocc = figures(page)
    assert (loss["layout"]["title"]["text"], srocc["layout"]["title"]["text"]) == ("Loss", "Rank agreement with people")
    assert loss["layout"]["xaxis"]["title"]["text"] == "Working time, seconds"
    assert "squared error" in loss["layout"]["yaxis"]["title"]["text"].lower()
    assert any("wrote the model" in code for code in codes(page))
    assert "Finished after" in texts(page)
    alts = [element.proto.alt for element in page.get("plotly_chart")]
    assert alts[0] == "Loss of curve over its working time; the last values are loss 0.0833."


def test_a_failed_job_shows_its_sentence_as_plain_text(runs):
    start(runs, "failing", "fails")
    job_in(runs, "failing", State.FAILED)
    [error] = opened("failing").error
    assert error.value == (r"There is no file scores\.csv; a CSV database has the columns image and mos\.")


def test_a_run_made_in_a_terminal_has_curves_but_no_buttons(runs):
    folder = runs / "by-hand"
    folder.mkdir(parents=True)
    lines = ["seconds,stage,step,total,metric,value", "1.0,meta-training,1,9,query_loss,0.1"]
    (folder / "metrics.csv").write_text("\n".join(lines) + "\n")
    page = opened("by-hand")
    assert "started in a terminal" in texts(page)
    assert len(figures(page)) == 1
    assert [button.key for button in page.button] == []


@pytest.mark.parametrize("name", ["gone", "../../etc"])
def test_a_link_to_no_job_is_a_sentence_and_leads_nowhere(runs, name):
    page = opened(name)
    assert len(page.error) == 1
    assert page.error[0].value.replace("\\", "").startswith(("There is no run gone", "A run's name has"))
    assert page.radio(key="job_choice").value is None


def test_damaged_and_foreign_files_are_sentences(runs):
    (runs / "bad").mkdir(parents=True)
    (runs / "bad/job.json").write_text("{")
    (runs / "foreign").mkdir()
    (runs / "foreign/metrics.csv").write_text("a,b\n1,2\n")
    page = opened("foreign")
    assert "foreign/metrics.csv was not written by this program" in page.error[0].value.replace("\\", "")
    assert any("bad/job.json is missing or damaged" in element.value for element in page.text)


def test_the_example_starts_with_its_photos_and_two_commands_as_it_was_shown(runs):
    page = opened()
    shown = page.code[-1].value
    page.button(key="start_example").click().run()
    assert page.query_params["job"] == "example"
    job = job_in(runs, "example", State.FINISHED)
    assert [words[0] for words in job.commands] == ["synthesize", "meta-train"]
    assert shell_lines(job.command_words()) == shown
    assert len(list((runs / "example/photos").glob("*.png"))) == 5
    assert example.free_name(runs, "example") == "example-2"
    assert [job.name for job in find_jobs(runs)[0]] == ["example"]


def test_the_example_consists_of_commands_that_the_program_understands(runs):
    from metaiqa_core.cli import build_parser

    *preparations, [*last] = example.commands(runs)
    for words in (*preparations, [*last, "--run-dir", "x"]):
        assert build_parser().parse_args(words).command == words[0]


def test_a_visitor_from_elsewhere_may_look_but_a_forged_press_does_nothing(runs, monkeypatch):
    start(runs, "mine", "slow")
    pid = working(runs, "mine")
    first, second = opened("mine"), opened()
    monkeypatch.setattr("pages.jobs.permission.refusal", lambda: "You may only look.")
    page = opened("mine")
    assert page.button(key="cancel_job").disabled
    assert texts(page).count(r"You may only look\.") == 1
    # Pages that were drawn with their buttons enabled stand for a forged message, which a greyed button does not stop.
    for page, key in ((first, "cancel_job"), (second, "start_example")):
        page.button(key=key).click().run()
        assert r"You may only look\." in texts(page)
    assert working(runs, "mine") == pid
    assert [job.name for job in find_jobs(runs)[0]] == ["mine"]


LOCAL = {"Host": "localhost:8501"}


@pytest.mark.parametrize(
    ("address", "headers", "environment"),
    [
        (None, {}, {}),
        (None, LOCAL, {}),
        (None, {"Host": "127.0.0.1:8501"}, {}),
        (None, {"Host": "[::1]:8501"}, {}),
        ("127.0.0.2", LOCAL, {}),
        ("::ffff:127.0.0.1", LOCAL, {}),
        ("10.0.0.7", {"Host": "lab.example"}, {"METAIQA_REMOTE_JOBS": "1"}),
    ],
)
def test_whoever_sits_at_this_machine_or_is_allowed_may_do_everything(address, headers, environment):
    assert refusal_of(address, headers, environment) is None


@pytest.mark.parametrize(
    ("address", "headers", "environment", "why"),
    [
        ("10.0.0.7", LOCAL, {}, "from another machine"),
        ("::ffff:10.0.0.7", LOCAL, {}, "from another machine"),
        ("nonsense", LOCAL, {}, "from another machine"),
        ("10.0.0.7", {"Host": "lab.example"}, {"METAIQA_REMOTE_JOBS": "yes"}, "from another machine"),
        (None, {**LOCAL, "X-Forwarded-For": "127.0.0.1"}, {}, "through a proxy"),
        (None, {"Host": "evil.example:8501"}, {}, "under a name that is not localhost"),
        (None, {"Origin": "http://localhost"}, {}, "under a name that is not localhost"),
        (None, {"Host": "localhost.evil.example"}, {}, "under a name that is not localhost"),
        (None, {"Host": "[::1"}, {}, "under a name that is not localhost"),
    ],
)
def test_all_others_may_only_look_and_are_told_why_and_how_to_change_it(address, headers, environment, why):
    reason = refusal_of(address, headers, environment)
    assert why in reason
    assert reason.endswith("Its owner allows it by starting the app with METAIQA_REMOTE_JOBS=1.")


def test_the_page_works_within_the_app(runs):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.switch_page("pages/training_jobs.py").run()
    assert not app.exception
    assert app.title[0].value == "Training jobs"


def frame(rows):
    return with_places(pd.DataFrame(rows, columns=OLDER_COLUMNS))


def test_folds_do_not_run_into_each_other_and_their_outcomes_are_points():
    rows = [(step, f"fold {fold} of 2", step, 3, "query_srocc", 0.1 * step) for fold in (1, 2) for step in (1, 2, 3)]
    rows.append((9, "fold 1 of 2: done", 1, 2, "srocc", 0.7))
    figure = curves(frame(rows), SROCC)
    names = {trace.name: trace for trace in figure.data if trace.name}
    assert set(names) == {"query SROCC", "SROCC of a fold"}
    assert pd.isna(names["query SROCC"].x[3])
    assert list(names["SROCC of a fold"].y) == [0.7]
    assert not curves(frame(rows), LOSS).data


def test_the_metrics_of_two_compared_runs_differ_in_colour_by_run_and_in_dash_by_metric():
    rows = [(10.0 * step, "learning", step, 3, metric, 1 / step) for step in (1, 2) for metric in ("a_loss", "b_loss")]
    log = with_places(pd.DataFrame(rows, columns=OLDER_COLUMNS))
    lines = [trace for trace in compared({"one": log, "two": log}, LOSS).data if trace.mode == "lines"]
    looks = {trace.name: (trace.line.color, trace.line.dash) for trace in lines}
    assert looks["one, a loss"][0] == looks["one, b loss"][0] != looks["two, a loss"][0]
    assert looks["one, a loss"][1] == looks["two, a loss"][1] != looks["one, b loss"][1]
    assert len(set(looks.values())) == 4


def test_long_curves_are_thinned_to_their_means_and_smoothed_without_changing_a_constant():
    rows = frame([(step, "s", step, 9999, "loss", 2.0 + step % 2) for step in range(6000)])
    thin = thinned(rows)
    assert len(thin) == MAXIMUM_POINTS
    assert set(thin["value"]) == {2.5}
    assert thin["step"].iloc[-1] == 5999
    assert smoothed(pd.Series([3.0] * 50)).tolist() == pytest.approx([3.0] * 50)
    assert smoothed(rows["value"]).iloc[-1] == pytest.approx(2.5, abs=0.01)


def test_a_refusal_of_the_core_reaches_the_reader(runs, monkeypatch):
    start(runs, "done")
    job_in(runs, "done", State.FINISHED)

    def refuse(*_):
        raise JobError("The disk is full.")

    monkeypatch.setattr(control, "delete", refuse)
    page = opened("done")
    page.button(key="delete_job").click().run()
    assert [error.value for error in page.error] == [r"The disk is full\."]
