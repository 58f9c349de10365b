"""`python app.py`: the server that has judged the samples before its first visitor comes."""

import os
import subprocess
import sys
import threading
import urllib.request

import pytest
from browser import ROOT, free_port, wait_until_healthy

from metaiqa_core.errors import CheckpointError
from pages.scoring import server
from pages.shared import samples


@pytest.fixture
def deeds(monkeypatch):
    """What the server does, in its order; nothing is computed."""
    done = []
    monkeypatch.setattr(server, "load", lambda: "the default model")
    monkeypatch.setattr(server.diagnoses, "graph_card", lambda: "card")
    monkeypatch.setattr(server, "score_sample", lambda name, model: done.append(("score", name)))
    monkeypatch.setattr(server.diagnoses, "diagnose_sample", lambda name, card: done.append(("diagnose", name)))
    monkeypatch.setattr(server, "BREATH", 0.01)
    monkeypatch.setattr(server, "sample_photos", lambda: None)
    monkeypatch.setattr(server, "run_server", lambda app, options: done.append((app, *options)))
    return done


def served(deeds):
    server.serve("app.py", ["--server.port=80"])
    for thread in threading.enumerate():
        if thread.name == "judging samples":
            thread.join(30)
    return deeds


def test_the_sample_that_opens_has_its_score_before_there_is_a_server_and_all_others_soon(deeds):
    first, *rest = served(deeds)
    assert first == ("score", samples.NAMES[0])
    assert set(rest) == {
        ("app.py", "--server.port=80"),
        *(("score", name) for name in samples.NAMES[1:]),
        *(("diagnose", name) for name in samples.NAMES),
    }


def test_samples_are_not_judged_beforehand_while_somebody_looks_at_a_page(deeds, monkeypatch):
    looks = iter([True, True])
    waits = []
    monkeypatch.setattr(server, "has_visitors", lambda: next(looks, False))
    monkeypatch.setattr(server.time, "sleep", lambda seconds: waits.append((seconds, len(deeds))))
    server._judge(samples.NAMES[1:2], [], 3.0)
    assert waits == [(3.0, 0)] * 3  # its own, and two for the visitor
    assert deeds == [("score", samples.NAMES[1])]


def test_a_model_that_cannot_be_used_does_not_keep_the_server_from_saying_so(deeds, monkeypatch):
    def fail():
        raise CheckpointError("The model is damaged.")

    monkeypatch.setattr(server, "load", fail)
    assert ("app.py", "--server.port=80") in served(deeds)


def test_ctrl_c_before_there_is_a_server_ends_the_program(deeds, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(server, "load", interrupt)
    with pytest.raises(SystemExit) as end:
        served(deeds)
    assert end.value.code == server.INTERRUPTED
    assert not deeds


def test_python_itself_serves_the_app_from_any_folder(tmp_path):
    port = free_port()
    words = [sys.executable, str(ROOT / "app.py"), f"--server.port={port}", "--server.headless=true"]
    words.append("--server.address=127.0.0.1")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
    process = subprocess.Popen(
        words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        wait_until_healthy(process, f"http://127.0.0.1:{port}")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as reply:
            assert reply.status == 200
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=30)
    assert "Traceback" not in said
    assert "ScriptRunContext" not in said
