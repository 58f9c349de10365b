"""The settings of a deployed app: read from variables, refused with one sentence, and obeyed by the pages."""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import pytest
from page_fixtures import jpeg, tiny_default  # noqa: F401
from streamlit.testing.v1 import AppTest

from metaiqa_core.commands import app
from metaiqa_core.databases.rated_image import Database, RatedImage
from metaiqa_core.errors import JobError, SettingsError
from metaiqa_core.settings import VARIABLES, Settings, read_settings, seconds, whole_number
from pages.jobs.folders import require_allowed, require_allowed_photos
from pages.shared.photo_library import PhotoLibrary
from pages.shared.photo_limits import photo_limits

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_without_variables_the_app_is_for_one_person_who_may_do_everything():
    assert read_settings({}) == Settings(True, (), None, 200, 150, 2, True)
    assert read_settings(dict.fromkeys(VARIABLES, " ")) == Settings()


def test_every_variable_is_read():
    values = ("off", "photos.example.org, *.example.com", "/data:/srv/photos", "20", "60", "4", "on")
    assert read_settings(dict(zip(VARIABLES, values, strict=True))) == Settings(
        jobs=False,
        allowed_hosts=("photos.example.org", "*.example.com"),
        folders=(Path("/data"), Path("/srv/photos")),
        max_upload_mb=20,
        max_megapixels=60,
        work_at_once=4,
        sessions=True,
    )


def test_other_files_read_whole_numbers_and_seconds_with_their_defaults():
    assert [whole_number({"N": text}, "N", 9, "things") for text in ("", " 3 ", "9")] == [9, 3, 9]
    assert whole_number({}, "N", 9, "things", default=1) == 1
    assert [seconds({"S": text}, "S", 20.0) for text in ("", "0", " 2.5 ", "1e3")] == [20, 0, 2.5, 1000]
    with pytest.raises(SettingsError, match=r"^S must be a number of seconds from 0 on, such as 20, got 'soon': corr"):
        seconds({"S": "soon"}, "S", 20.0)


def test_nothing_is_kept_of_the_visitors_of_an_app_with_a_name_unless_somebody_says_so():
    named = {"METAIQA_ALLOWED_HOSTS": "photos.example.org"}
    assert not read_settings(named).sessions
    assert read_settings(named | {"METAIQA_SESSIONS": "on"}).sessions
    assert not read_settings({"METAIQA_SESSIONS": "off"}).sessions


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "METAIQA_SESSIONS",
            "1",
            "METAIQA_SESSIONS must be on or off, got '1': set it to one of them or remove it.",
        ),
        ("METAIQA_JOBS", "no", "METAIQA_JOBS must be on or off, got 'no': set it to one of them or remove it."),
        (
            "METAIQA_MAX_UPLOAD_MB",
            "201",
            "METAIQA_MAX_UPLOAD_MB must be a whole number from 1 to 200 (MiB), got '201': correct it.",
        ),
        (
            "METAIQA_MAX_UPLOAD_MB",
            "20MB",
            "METAIQA_MAX_UPLOAD_MB must be a whole number from 1 to 200 (MiB), got '20MB': correct it.",
        ),
        (
            "METAIQA_MAX_MEGAPIXELS",
            "0",
            "METAIQA_MAX_MEGAPIXELS must be a whole number from 1 to 150 (millions of pixels), got '0': correct it.",
        ),
        (
            "METAIQA_ALLOWED_HOSTS",
            "https://photos.example.org",
            "METAIQA_ALLOWED_HOSTS must be host names separated by commas, such as photos.example.org, got "
            "'https://photos.example.org': leave out https://, ports and paths.",
        ),
        (
            "METAIQA_FOLDERS",
            "data",
            "METAIQA_FOLDERS must be absolute folders separated by ':', got 'data': write each from the root on.",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_one_sentence_and_the_app_does_not_start(name, value, sentence, monkeypatch, run):
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("the server was started"))
    with pytest.raises(SettingsError) as refusal:
        read_settings()
    assert str(refusal.value) == sentence
    status, out, err = run("app")
    assert (status, out) == (2, "")
    assert sentence in " ".join(err.split())


def test_the_server_is_told_the_largest_upload_and_the_names_that_it_answers_to():
    words = app.server_command(80, Settings(allowed_hosts=("photos.example.org",), max_upload_mb=20), address="0.0.0.0")
    options = list(zip(words[2::2], words[3::2], strict=True))
    assert ("--server.address", "0.0.0.0") in options
    assert ("--server.maxUploadSize", "20") in options
    hosts = [value for name, value in options if name == "--server.allowedHosts"]
    assert hosts == ["photos.example.org", "localhost", "127.0.0.1", "[::1]"]
    assert ("--browser.serverAddress", "photos.example.org") in options  # or Streamlit asks the internet for it


def test_an_app_that_others_can_reach_needs_the_names_that_they_use(run, monkeypatch):
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("the server was started"))
    status, _, err = run("app", "--address", "0.0.0.0")
    assert status == 2
    assert "With --address 0.0.0.0 others can reach the app: set METAIQA_ALLOWED_HOSTS" in " ".join(err.split())


def test_folders_allow_what_lies_inside_and_nothing_that_a_link_leads_out_to(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    settings = Settings(folders=(inside,))
    assert settings.allows(inside)
    assert settings.allows(inside / "later.csv")
    assert not settings.allows(inside / "link" / "photo.jpg")
    assert not settings.allows(inside / ".." / "outside")
    assert not settings.allows("/etc/passwd")
    assert not settings.allows("a\0b")
    assert Settings().allows("/etc/passwd")


@pytest.mark.parametrize(
    "options",
    [
        {"database": [Path("/etc")]},
        {"database": Path("/etc"), "model": None},
        {"database": None, "target": Path("/etc")},
        {"model": "/etc/passwd"},
        {"initial_weights": "/etc/passwd"},
        {"start": ["A=default", "B=/etc/passwd"]},
        {"start": ["B=resnet18:/etc/passwd"]},
    ],
)
def test_a_job_may_not_name_a_file_outside_the_folders(options, tmp_path):
    with pytest.raises(JobError, match=r"^/etc(/passwd)? lies outside the folders that this app may read: name one"):
        require_allowed(argparse.Namespace(run_dir=tmp_path / "run", **options), Settings(folders=(tmp_path,)))


def test_a_job_may_name_what_lies_inside_and_whatever_has_no_file(tmp_path):
    options = {"database": [tmp_path], "start": ["A=default", "B=resnet18:imagenet", "C=" + 5000 * "x"], "epochs": 3}
    require_allowed(argparse.Namespace(run_dir=tmp_path / "run", **options), Settings(folders=(tmp_path,)))


def test_a_table_inside_may_not_lead_to_photos_outside(tmp_path):
    within = Database("mine", (RatedImage(tmp_path / "a.jpg", 0.5, 3.0),), (1, 5))
    beyond = Database("sly", (RatedImage(Path("/etc/a.jpg"), 0.5, 3.0),), (1, 5))
    settings = Settings(folders=(tmp_path,))
    require_allowed_photos([within], settings)
    with pytest.raises(JobError, match="^The database sly names photos outside the folders that this app may read"):
        require_allowed_photos([within, beyond], settings)


def test_the_limits_of_a_photo_are_those_of_the_settings(monkeypatch):
    monkeypatch.setenv("METAIQA_MAX_UPLOAD_MB", "3")
    monkeypatch.setenv("METAIQA_MAX_MEGAPIXELS", "2")
    assert (photo_limits().max_file_bytes, photo_limits().max_pixels) == (3 * 2**20, 2_000_000)


def opened(page):
    tested = AppTest.from_file(str(ROOT / "pages" / page), default_timeout=120).run()
    assert not tested.exception
    return tested


def test_a_photo_with_too_many_pixels_is_told_so_on_the_page(monkeypatch, tiny_default):  # noqa: F811
    monkeypatch.setenv("METAIQA_MAX_MEGAPIXELS", "1")
    page = opened("score_photos.py")
    page.file_uploader[0].set_value([("big.jpg", jpeg(np.zeros((1000, 1300, 3), np.uint8)), "image/jpeg")]).run()
    [component] = [each.proto for each in page.get("bidi_component") if each.proto.component_name == "sorter"]
    assert "at most 1 are read" in json.loads(component.json)["photos"][0]["sentence"]


def test_with_jobs_off_the_page_says_so_and_offers_nothing(monkeypatch):
    monkeypatch.setenv("METAIQA_JOBS", "off")
    page = opened("training_jobs.py")
    [sentence] = [info.value for info in page.info]
    assert sentence.startswith("Training jobs are switched off on this server")
    assert not page.button
    assert not page.text_input


def test_runs_outside_the_folders_are_not_shown(monkeypatch, tmp_path):
    monkeypatch.setenv("METAIQA_RUNS", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("METAIQA_FOLDERS", str(tmp_path / "allowed"))
    page = opened("training_jobs.py")
    [error] = [error.value for error in page.error]
    assert "lies outside the folders in METAIQA_FOLDERS" in error.replace("\\", "")
    assert not page.button


class FullDisk:
    """A file that holds ten bytes."""

    def __init__(self, file):
        self.file, self.left = file, 10

    def write(self, content):
        if not self.left:
            raise OSError(28, "No space left on device")
        written = self.file.write(content[: self.left])
        self.left -= written
        return written

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_a_photo_that_does_not_fit_on_the_disk_leaves_the_others_whole():
    photos = PhotoLibrary()
    first = photos.add("first.jpg", b"abcd")
    photos._file = FullDisk(photos._file)
    with pytest.raises(OSError, match="No space left"):
        photos.add("second.jpg", b"0123456789xyz")
    assert list(photos.own) == [first.key]
    photos._file.left = 10
    third = photos.add("third.jpg", b"efg")
    assert (photos.content(first), photos.content(third)) == (b"abcd", b"efg")
