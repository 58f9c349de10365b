"""What the page of training jobs offers around a run: its model, its report, a comparison, and what it remembers."""

import io
import json
import shutil
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from jobs_fixtures import job_in, jobs_folder  # noqa: F401
from lone_page_fixtures import figures, opened_page, texts
from page_fixtures import tiny_default  # noqa: F401
from streamlit.testing.v1 import AppTest

from metaiqa_core.errors import CheckpointError, JobError
from metaiqa_core.jobs import control
from metaiqa_core.jobs.catalogue import JOB_COMMANDS
from metaiqa_core.jobs.job import State, find_jobs
from metaiqa_core.models.model_files import find_model, list_models
from metaiqa_core.progress import Progress
from metaiqa_core.results.progress_file import PROGRESS_VARIABLE, ProgressFile, read_position
from metaiqa_core.settings import Settings
from pages.jobs import form
from pages.jobs.comparison import differences
from pages.jobs.known_databases import known_databases
from pages.jobs.model_export import as_zip
from pages.shared import lab_link

ROOT = Path(__file__).parents[1]


def finished(runs, name, *words, folder=None, **status):
    """Write the folder of a job that has ended."""
    run = runs / name
    run.mkdir(parents=True, exist_ok=True)
    content = {"commands": [list(words)], "working_folder": str(folder or Path.cwd())}
    (run / "job.json").write_text(json.dumps(content))
    now = time.time()
    written = {"state": "finished", "supervisor": None, "command": None, "queued_at": now - 60, "started_at": now - 30}
    (run / "status.json").write_text(json.dumps({**written, "ended_at": now, "sentence": "", **status}))
    return run


def with_model(run, checkpoint, name, **accuracy):
    shutil.copy(checkpoint, run / f"{name}.safetensors")
    card = json.loads(checkpoint.with_suffix(".json").read_text())
    card |= {"name": name, "accuracy": accuracy, "recipe": {"configuration": {"epochs": len(name)}}}
    (run / f"{name}.json").write_text(json.dumps(card))


def with_curves(run):
    rows = "".join(f"{second},learning,{second},9,loss,{1 / second}\n" for second in range(1, 9))
    (run / "metrics.csv").write_text(f"seconds,stage,step,total,metric,value\n{rows}")


def opened(job, **parameters):
    return opened_page("training_jobs.py", job=job, **parameters)


def test_as_soon_as_a_run_has_a_model_it_goes_by_its_name_everywhere(runs, tiny_checkpoint):
    with pytest.raises(CheckpointError, match="There is no model called 'mine'"):
        find_model("mine")
    with_model(finished(runs, "mine", "fine-tune", "--database", "x"), tiny_checkpoint, "mine")
    assert list_models()["mine"] == find_model("mine") == runs.resolve() / "mine/mine.safetensors"
    with_model(finished(runs, "mine-2", "fine-tune", "--database", "x"), tiny_checkpoint, "mine")
    assert find_model("mine (mine-2)").parent.name == "mine-2"

    def page():
        from pages.shared.assessor import choose_assessor

        choose_assessor()

    offered = AppTest.from_function(page, default_timeout=60).run()
    assert {"mine", "mine (mine-2)"} <= set(offered.selectbox[0].options)


def test_a_damaged_card_of_a_run_hides_no_other_model(runs, tiny_checkpoint):
    run = finished(runs, "mine", "fine-tune", "--database", "x")
    with_model(run, tiny_checkpoint, "mine")
    (run / "mine.json").write_text("{")
    assert "mine" not in list_models()
    assert "mine.json cannot be read as JSON" in texts(opened("mine")).replace("\\", "")


@pytest.mark.usefixtures("tiny_default")
def test_a_finished_run_shows_its_model_with_measures_and_gives_it_away(runs, tiny_checkpoint):
    run = finished(runs, "mine", "fine-tune", "--database", "x")
    with_model(run, tiny_checkpoint, "mine", srocc_mean=0.812, srocc_std=0.02)
    page = opened("mine")
    assert "**Model: mine**" in texts(page)
    assert [(metric.label, metric.value) for metric in page.metric] == [("SROCC", "0.812 ± 0.020")]
    assert {"use_mine", "evaluate_mine"} <= {button.key for button in page.button}
    with zipfile.ZipFile(io.BytesIO(as_zip(run / "mine.safetensors"))) as archive:
        assert archive.namelist() == ["mine.safetensors", "mine.json"]
        assert archive.read("mine.safetensors") == tiny_checkpoint.read_bytes()


def test_a_model_to_use_becomes_the_model_of_all_pages(runs, tiny_checkpoint, monkeypatch):
    with_model(finished(runs, "mine", "fine-tune", "--database", "x"), tiny_checkpoint, "mine")
    page, asked = opened("mine"), []
    monkeypatch.setattr("streamlit.switch_page", asked.append)
    page.button(key="use_mine").click().run()
    assert not page.exception
    assert page.session_state["model"] == "mine"
    assert asked == ["pages/score_photos.py"]


def chosen_model(app):
    """Return the model that the page shows as chosen."""
    return next(box.value for box in app.selectbox if box.label == "Model")


@pytest.mark.usefixtures("tiny_default")
def test_a_model_to_use_is_chosen_on_every_page_of_the_app(runs, tiny_checkpoint, monkeypatch):
    monkeypatch.setenv("METAIQA_TASTES", str(runs.parent / "tastes"))
    with_model(finished(runs, "mine", "fine-tune", "--database", "x"), tiny_checkpoint, "mine")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params["job"] = "mine"
    app.switch_page("pages/training_jobs.py").run()
    app.button(key="use_mine").click().run()
    assert not app.exception
    for page in ("score_photos", "gradient_maps", "distortion_lab", "about"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        assert chosen_model(app) == "mine", page
    app.switch_page("pages/teach_your_taste.py").run()
    assert not app.exception
    assert "mine" in app.selectbox(key="taste_general").options


def test_the_open_job_is_open_still_when_one_comes_back_and_stays_closed_once_closed(runs):
    finished(runs, "mine", "fine-tune", "--database", "x")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params["job"] = "mine"
    app.switch_page("pages/training_jobs.py").run()
    del app.query_params["job"]
    app.switch_page("pages/leave_one_distortion_out.py").run()
    app.switch_page("pages/training_jobs.py").run()
    assert not app.exception
    assert app.radio(key="job_choice").value == "mine"
    app.radio(key="job_choice").set_value("").run()
    assert "Still to fill in" in texts(app)


def test_the_run_that_an_open_job_is_compared_with_is_there_still_when_one_comes_back(runs):
    for name in ("one", "three", "two"):
        with_curves(finished(runs, name, "fine-tune", "--database", "x"))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params["job"] = "one"
    app.switch_page("pages/training_jobs.py").run()
    app.selectbox(key="compare_one").set_value("three").run()
    app.switch_page("pages/about.py").run()
    app.query_params.clear()  # as a browser does on the way
    app.switch_page("pages/training_jobs.py").run()
    assert app.selectbox(key="compare_one").value == "three"
    assert any("**one and three**" in element.value for element in app.markdown)
    app.radio(key="job_choice").set_value("two").run()
    assert app.selectbox(key="compare_two").value is None
    assert "with" not in app.query_params


@pytest.mark.usefixtures("tiny_default")
def test_to_evaluate_a_model_opens_the_form_with_its_name(runs, tiny_checkpoint):
    with_model(finished(runs, "mine", "fine-tune", "--database", "x"), tiny_checkpoint, "mine")
    page = opened("mine")
    page.button(key="evaluate_mine").click().run()
    assert (page.selectbox(key="job_command").value, page.selectbox(key="evaluate_model").value) == ("evaluate", "mine")
    assert "--model mine" in page.code[0].value


def test_two_runs_are_compared_by_their_curves_and_by_what_differs(runs, tiny_checkpoint):
    for name in ("one", "three"):
        run = finished(runs, name, "fine-tune", "--database", "x", "--seed", "1")
        with_curves(run)
        with_model(run, tiny_checkpoint, name)
    page = opened("one")
    page.selectbox(key="compare_one").set_value("three").run()
    assert page.query_params["with"] in ("three", ["three"])
    compared = figures(opened("one", **{"with": "three"}))[0]
    assert {trace["name"] for trace in compared["data"] if trace.get("name")} == {"one, loss", "three, loss"}
    [table] = [element.value for element in opened("one", **{"with": "three"}).table]
    assert table.loc["epochs"].tolist() == ["3", "5"]
    assert "seed" not in table.index


def test_what_a_run_does_not_have_is_a_dash_in_a_comparison():
    table = differences({"a": {"epochs": "1", "flip": "yes"}, "b": {"epochs": "1"}})
    assert table.to_dict("index") == {"flip": {"a": "yes", "b": "–"}}


def test_what_only_one_of_two_very_different_runs_has_is_folded_away(runs):
    finished(runs, "one", "fine-tune", "--database", "x", *(f"--option-{number}={number}" for number in range(9)))
    finished(runs, "three", "evaluate", "--database", "y")
    page = opened("one", **{"with": "three"})
    shown, folded = (element.value for element in page.table)
    assert shown.loc["database"].tolist() == ["x", "y"]
    assert list(folded.index) == [f"option-{number}".replace("-", "\\-") for number in range(9)]
    assert "9 settings that only one of them has" in [expander.label for expander in page.expander]


@pytest.fixture
def evaluated(runs, tiny_csv):
    """A finished evaluation of the tiny database, whose scores are a little off."""
    from metaiqa_core.databases.reading import read_database

    words = ["evaluate", "--database", str(tiny_csv), "--model", "default"]
    run = finished(runs, "evaluate", *words)
    images = list(read_database(tiny_csv))
    rows = [
        {"image": one.path.name, "mos": one.raw_score, "predicted": one.raw_score + i} for i, one in enumerate(images)
    ]
    pd.DataFrame(rows).to_csv(run / "predictions.csv", index=False)
    criteria = dict.fromkeys(("srocc", "plcc", "plcc_logistic", "krocc"), 0.81) | {"rmse": 0.12}
    answer = {"model": "default", "database": "mine", "n": len(images), **criteria, "srocc_interval": [0.7, 0.9]}
    (run / "evaluation.json").write_text(json.dumps(answer))
    return run


def test_an_evaluation_shows_criteria_with_intervals_the_scatter_and_the_worst_photos_as_pictures(evaluated):
    page = opened("evaluate")
    measures = {metric.label: metric.value for metric in page.metric}
    assert measures == {"SROCC": "0.810", "PLCC": "0.810", "PLCC, fitted": "0.810", "KROCC": "0.810", "RMSE": "0.120"}
    assert page.metric[0].delta == "0.700 to 0.900"
    assert "in about 90 of 100 pairs" in texts(page)
    assert len(figures(page)) == 1
    assert len([image for element in page.get("image") for image in element.proto.imgs]) == 5
    [worst] = [frame.value for frame in page.dataframe]
    assert worst["residual"].abs().is_monotonic_decreasing


def test_one_of_the_worst_photos_opens_in_the_lab_and_stays_out_of_the_session(evaluated, tiny_csv, monkeypatch):
    visited = []
    monkeypatch.setattr(lab_link.st, "switch_page", lambda page, query_params: visited.append(page))
    page = opened("evaluate")
    worst = page.dataframe[0].value["image"].iloc[2]
    page.button(key="worst_to_lab_2").click().run()
    assert not page.exception
    assert visited == ["pages/distortion_lab.py"]
    photos = page.session_state["photo_library"]
    [guest] = photos.guests.values()
    assert (guest.name, guest.key) == (worst, page.session_state["lab_photo"])
    assert photos.content(guest) == (tiny_csv.parent / worst).read_bytes()
    assert guest.key not in photos.photos()


def test_an_evaluation_says_when_a_model_ranks_upside_down(evaluated):
    answer = json.loads((evaluated / "evaluation.json").read_text())
    (evaluated / "evaluation.json").write_text(json.dumps(answer | {"srocc": -0.64, "krocc": -0.56}))
    assert "ranks photos upside down" in texts(opened("evaluate"))
    assert "in about 22 of 100 pairs" in texts(opened("evaluate"))


def test_an_evaluation_without_its_photos_still_shows_its_numbers(evaluated, tiny_csv, monkeypatch):
    job = json.loads((evaluated / "job.json").read_text())
    job["commands"][0][2] = "/no/such.csv"
    (evaluated / "job.json").write_text(json.dumps(job))
    page = opened("evaluate")
    assert len(page.metric) == 5
    assert "There are no pictures" in texts(page)
    (evaluated / "evaluation.json").write_text('{"model": 3}')
    assert "The report of this run is missing or damaged" in texts(opened("evaluate"))


class Upload:
    """A file as the uploader gives it."""

    def __init__(self, path):
        self.name, self._content = path.name, path.read_bytes()

    def getvalue(self):
        return self._content


def test_an_uploaded_database_is_checked_and_lies_in_the_folder_of_its_run(runs, tiny_csv, monkeypatch):
    monkeypatch.setattr(control, "_launch", lambda folder, name, *_: (folder, name))
    photos = [path for path in tiny_csv.parent.iterdir() if path.suffix in (".png", ".jpg")]
    place = str(runs / "evaluate/database")
    words = ["evaluate", "--database", place]
    files = [Upload(tiny_csv), *map(Upload, photos)]
    with pytest.raises(JobError, match="one CSV file beside its photos"):
        form.start(runs, "evaluate", words, files[1:])
    with pytest.raises(JobError, match="the same name"):
        form.start(runs, "evaluate", words, [*files, files[1]])
    with pytest.raises(Exception, match=photos[0].name):
        form.start(runs, "evaluate", words, [file for file in files if file.name != photos[0].name])
    assert find_jobs(runs) == ([], [])
    form.start(runs, "evaluate", words, files)
    assert {path.name for path in Path(place).iterdir()} == {file.name for file in files}
    assert [path.name for path in runs.iterdir()] == ["evaluate"]


def test_a_check_that_finds_problems_has_ended_well_and_tells_them(runs):
    control.start(runs, "check", [["databases", "check", "csv", "/data"]])
    job_in(runs, "check", State.FINISHED)
    page = opened("check")
    assert "mine cannot be used as it is: 1 things are not as they should be" in texts(page).replace("\\", "")
    assert page.dataframe[0].value["Problem"].tolist() == ["a.jpg is missing."]


@pytest.fixture
def allowed(runs, tmp_path, monkeypatch):
    """The only folder, beside that of runs, that the app may read."""
    folder = tmp_path / "allowed"
    folder.mkdir()
    monkeypatch.setenv("METAIQA_FOLDERS", f"{folder}:{runs}")
    return folder


def words_for(command, path):
    """Return the words of a job that reads a database, or photos, at a path."""
    entry = JOB_COMMANDS[command]
    further = {
        "synthesize": ["--like", "kadid10k", "--photos", str(path.parent if path.suffix else path)],
        "databases": ["csv", str(path)],
        "parameter-study": ["--database", str(path), "--target", str(path)],
        "ablation": ["--database", str(path), "--start", "A=default", "--start", "B=default"],
        "adaptation-curve": ["--database", str(path), "--start", "A=default"],
        "graph-tune": ["--model", "lite0-graph", "--database", str(path)],
    }
    return [*entry.words, *further.get(command, ["--database", str(path)])]


@pytest.mark.parametrize("command", JOB_COMMANDS)
def test_a_database_outside_the_allowed_folders_is_refused_for_every_job(runs, allowed, tiny_csv, command):
    with pytest.raises(JobError, match="lies outside the folders that this app may read"):
        form.start(runs, "mine", words_for(command, tiny_csv))
    assert find_jobs(runs) == ([], [])


@pytest.mark.parametrize("command", JOB_COMMANDS)
def test_a_link_in_an_allowed_folder_leads_no_job_out_of_it(runs, allowed, tiny_csv, command):
    (allowed / "mine").mkdir()
    for name in ("scores.csv", "photo.png"):
        (allowed / "mine" / name).symlink_to(tiny_csv)
    with pytest.raises(JobError, match=r"/mine/\S+ leads out of the folders that this app may read: bring"):
        form.start(runs, "mine", words_for(command, allowed / "mine"))
    assert find_jobs(runs) == ([], [])


@pytest.mark.parametrize("command", [name for name in JOB_COMMANDS if name != "synthesize"])
def test_a_table_in_an_allowed_folder_names_no_photos_outside_of_it(runs, allowed, tiny_csv, command):
    table = allowed / "sly.csv"
    rows = pd.read_csv(tiny_csv)
    rows.assign(
        image=str(tiny_csv.parent) + "/" + rows["image"], distortion_type=["GB", "WN"] * 12, reference=rows["image"]
    ).to_csv(table, index=False)
    with pytest.raises(JobError, match="names photos outside the folders that this app may read"):
        form.start(runs, "mine", words_for(command, table))
    assert find_jobs(runs) == ([], [])


def test_a_model_outside_the_allowed_folders_is_refused_also_by_a_card_that_is_not_there(runs, allowed, tmp_path):
    (tmp_path / "secret.safetensors").write_bytes(b"weights")
    for name in ("secret.safetensors", "secret.json"):
        with pytest.raises(JobError, match="lies outside the folders that this app may read"):
            form.start(runs, "mine", ["evaluate", "--database", str(allowed), "--model", str(tmp_path / name)])


def test_a_job_goes_on_only_where_it_may_still_read(runs, allowed, tiny_csv):
    finished(runs, "mine", "fine-tune", "--database", str(tiny_csv), state="cancelled")
    page = opened("mine")
    page.button(key="resume_job").click().run()
    assert "lies outside the folders that this app may read" in texts(page)
    finished(runs, "elsewhere", "fine-tune", "--database", "x", folder=allowed, state="cancelled")
    page = opened("elsewhere")
    page.button(key="resume_job").click().run()
    assert "runs in another: start it anew from here" in texts(page).replace("\\", "")
    assert {job.state for job in find_jobs(runs)[0]} == {State.CANCELLED}


def test_the_report_of_an_evaluation_opens_no_table_outside_the_allowed_folders(evaluated, allowed):
    page = opened("evaluate")
    assert len(page.metric) == 5
    assert "lies outside the folders that this app may read" in texts(page)
    assert not page.get("image")


def test_a_database_by_its_name_alone_is_no_path_where_folders_are_named(runs, allowed, tiny_csv, monkeypatch):
    monkeypatch.setattr(control, "_launch", lambda folder, name, *_: (folder, name))
    for file in tiny_csv.parent.iterdir():
        shutil.copy(file, allowed)
    form.start(runs, "mine", ["joint-train", "--database", str(allowed / "tiny.csv"), "--judged", "tiny"])
    assert (runs / "mine" / "job.json").is_file()


def test_a_model_that_is_not_there_is_told_before_anything_starts(runs, tiny_csv):
    with pytest.raises(CheckpointError, match="There is no model called 'nobody'"):
        form.start(runs, "mine", ["evaluate", "--model", "nobody", "--database", str(tiny_csv)])


def test_databases_that_runs_used_or_made_are_offered_and_only_where_they_may_be_read(runs, tiny_csv, tmp_path):
    finished(runs, "mine", "fine-tune", "--database", str(tiny_csv))
    made = finished(runs, "made", "synthesize", "--like", "kadid10k", "--photos", "/x") / "database"
    made.mkdir()
    (made / "scores.csv").write_text("image,mos\n")
    jobs = find_jobs(runs)[0]
    assert set(known_databases(jobs, Settings())) == {str(tiny_csv), str(made)}
    assert known_databases(jobs, Settings(folders=(runs,))) == [str(made)]
    page = opened_page("training_jobs.py")
    page.selectbox(key="known_meta-train").set_value(str(made)).run()
    assert page.text_area(key="meta-train_database").value == str(made)


def test_a_path_goes_along_to_other_commands_and_stays_when_one_comes_back(runs):
    page = opened_page("training_jobs.py")
    page.text_area(key="meta-train_database").set_value("/data/mine").run()
    page.selectbox(key="job_command").set_value("evaluate").run()
    assert page.text_input(key="evaluate_database").value == "/data/mine"
    page.selectbox(key="job_command").set_value("meta-train").run()
    assert page.text_area(key="meta-train_database").value == "/data/mine"
    page.text_area(key="meta-train_database").set_value("/data/mine\n/data/more").run()
    page.selectbox(key="job_command").set_value("databases").run()
    assert page.text_input(key="databases_folder").value == "/data/mine"


def test_the_form_is_still_that_of_the_chosen_job_when_one_comes_back_from_a_run(runs):
    finished(runs, "mine", "synthesize", "--like", "kadid10k", "--photos", "/x")
    page = opened_page("training_jobs.py")
    page.selectbox(key="job_command").set_value("databases").run()
    page.radio(key="job_choice").set_value("mine").run()
    assert not [field for field in page.selectbox if field.key == "job_command"]
    page.radio(key="job_choice").set_value("").run()
    assert page.selectbox(key="job_command").value == "databases"
    labels = {field.label for field in (*page.selectbox, *page.text_input)}
    assert {"Which database", "Folder or CSV file", "Folder of the images", "Scale of the scores"} <= labels
    assert "Look for missing, extra" in texts(page)
    assert "List the published databases" not in texts(page)


def test_new_parts_of_the_network_have_fields_that_say_what_they_are(runs):
    page = opened_page("training_jobs.py")
    for command in ("meta-train", "fine-tune", "leave-one-out", "ablation", "adaptation-curve"):
        page.selectbox(key="job_command").set_value(command).run()
        for option, label in (("adapters", "Stages with an adapter"), ("levels", "Stages to pool")):
            assert page.text_input(key=f"{command}_{option}").label == label
        page.text_input(key=f"{command}_levels").set_value("3 5").run()
        assert "--levels 3 5" in page.code[0].value
    page.selectbox(key="job_command").set_value("synthesize").run()
    assert page.multiselect(key="synthesize_levels").label == "Levels"


def test_new_models_are_measured_by_three_splits_unless_one_says_otherwise(runs):
    page = opened_page("training_jobs.py")
    for command in ("fine-tune", "joint-train"):
        page.selectbox(key="job_command").set_value(command).run()
        assert "--repeats 3" in page.code[0].value
    page.number_input(key="joint-train_repeats").set_value(0).run()
    assert "--repeats 3" not in page.code[0].value


def test_models_and_devices_are_chosen_from_what_there_is(runs):
    page = opened_page("training_jobs.py")
    page.selectbox(key="job_command").set_value("fine-tune").run()
    assert "mobilenet-prior" in page.selectbox(key="fine-tune_model").options
    assert page.selectbox(key="fine-tune_device").options[0] == "cpu"


def test_time_counts_from_the_first_start(runs):
    control.start(runs, "mine", [["fine-tune", "--name", "fails"]])
    first = job_in(runs, "mine", State.FAILED).status
    control.resume(runs, "mine")
    time.sleep(0.1)
    second = job_in(runs, "mine", State.FAILED).status
    assert second.begun_at == first.started_at < second.started_at
    now = time.time()
    finished(runs, "long", "fine-tune", "--database", "x", started_at=now - 30, first_started_at=now - 3600)
    assert "Finished after 1 hour, counted from its first start." in texts(opened("long"))


def test_deleting_an_example_deletes_its_photos_and_its_database(runs):
    page = opened_page("training_jobs.py")
    page.button(key="start_example").click().run()
    job_in(runs, "example", State.FINISHED)
    assert {path.name for path in (runs / "example").iterdir()} >= {"photos", "database"}
    control.delete(runs, "example")
    assert not [path for path in runs.iterdir() if not path.name.startswith(".")]


def test_a_command_without_curves_says_how_far_it_is(runs, tmp_path):
    environment = {PROGRESS_VARIABLE: str(tmp_path / "progress.json")}
    file = ProgressFile(environment)
    assert environment == {}  # a child would write into the same file
    file.write(Progress("scoring a.jpg", 3, 10))
    file.write(Progress("scoring b.jpg", 4, 10))  # within the same second
    position = read_position(tmp_path)
    assert (position.title, position.step, position.share) == ("scoring a.jpg", 3, 0.3)
    (tmp_path / "progress.json").write_text('{"title": 1}')
    assert read_position(tmp_path) is None


def test_the_log_shows_its_end(runs):
    run = finished(runs, "mine", "fine-tune", "--database", "x")
    (run / "log.txt").write_text("".join(f"line {number}\n" for number in range(100)))
    [log] = [code for code in opened("mine").code if "line 99" in code.value]
    assert log.value.splitlines() == [f"line {number}" for number in range(92, 100)]


def test_every_job_names_the_folder_of_its_run():
    for command, entry in JOB_COMMANDS.items():
        assert any("runs/mine" in word for word in entry.in_run("runs/mine")), command
