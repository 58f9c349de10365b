"""What surrounds the commands: completion by a shell, and the command that opens the app."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from docs import commands
from metaiqa_core.command_catalogue import COMMANDS
from metaiqa_core.commands import app
from metaiqa_core.jobs.catalogue import JOB_COMMANDS, PREPARATIONS
from metaiqa_core.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
PAUSE = "\v"  # argcomplete's between two answers


def answers_to(line, tmp_path):
    """What a shell is told when somebody presses Tab at the end of a line."""
    told = tmp_path / "told.txt"
    variables = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": PAUSE, "COMP_LINE": line, "COMP_POINT": str(len(line))}
    variables |= {"_ARGCOMPLETE_STDOUT_FILENAME": str(told), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "metaiqa_core"]
    subprocess.run(command, cwd=ROOT, env=os.environ | variables, check=True, capture_output=True, timeout=120)
    return [answer.strip() for answer in told.read_text().split(PAUSE)]


def test_a_shell_completes_the_names_of_commands(tmp_path):
    assert answers_to("metaiqa sc", tmp_path) == ["score"]
    assert set(answers_to("metaiqa ", tmp_path)) >= set(COMMANDS)


def test_a_shell_completes_the_options_of_a_command_and_what_they_may_be(tmp_path):
    assert answers_to("metaiqa app --po", tmp_path) == ["--port"]
    assert answers_to("metaiqa score --format j", tmp_path) == ["json"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_program_prints_what_turns_completion_on(run, shell):
    status, out, err = run("--completion", shell)
    assert (status, err) == (0, "")
    assert "metaiqa" in out
    assert "_ARGCOMPLETE" in out


def test_completion_for_an_unknown_shell_is_refused(run):
    status, out, err = run("--completion", "tcsh")
    assert (status, out) == (2, "")
    assert "argument --completion: invalid choice: 'tcsh'" in err


@pytest.mark.parametrize("port", ["0", "65536", "-1", "eighty", "8501.5"])
def test_a_port_that_is_none_is_refused(run, port):
    status, out, err = run("app", f"--port={port}")
    assert (status, out) == (2, "")
    assert f"argument --port: expected a port from 1 to 65535, got '{port}'" in err


def test_the_app_is_served_to_this_machine_alone(run, monkeypatch):
    started = []
    monkeypatch.setattr(os, "execv", lambda program, words: started.append(words))
    run("app", "--port", "8765", "--no-browser")
    [words] = started
    assert words == app.server_command(8765, Settings())
    assert words[:2] == [sys.executable, str(ROOT / "app.py")]
    assert " ".join(words[2:]) == "--server.address localhost --server.port 8765 --server.headless true"


def test_the_docs_list_the_commands_of_the_catalogue():
    assert commands.LIST.read_text() == commands.list_of_commands(), "write it anew: python -m docs.commands"


def test_jobs_are_commands_and_bear_their_names():
    assert set(JOB_COMMANDS) | set(PREPARATIONS) <= set(COMMANDS)
    assert {name: job.title for name, job in JOB_COMMANDS.items()} == {
        name: COMMANDS[name].title for name in JOB_COMMANDS
    }
    # The job only checks a database, while the command lists the published ones too.
    own_words = [name for name, job in JOB_COMMANDS.items() if job.summary != COMMANDS[name].summary]
    assert own_words == ["databases"]


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_torch_alone_names_its_companions_for_a_gpu(file):
    pinned = {line.split("==")[0] for line in (ROOT / file).read_text().splitlines() if line[:1].isalnum()}
    assert {"torch", "torchvision"} <= pinned
    assert not [name for name in pinned if name.startswith(("nvidia-", "cuda-", "triton"))]


def test_everything_that_requirements_in_lists_is_pinned_the_same():
    lines = (ROOT / "requirements.in").read_text().splitlines()
    listed = {line.split(" ;")[0] for line in lines if "==" in line.split(" ;")[0]}
    pinned = {line.split(" ;")[0] for line in (ROOT / "requirements.txt").read_text().splitlines()}
    assert listed <= pinned


def test_the_server_offers_developers_nothing_on_the_page():
    words = app.server_command(8765, Settings(), opens_browser=True)
    assert "--logger.hideWelcomeMessage true" in " ".join(words)


@pytest.mark.parametrize(
    ("address", "shown"),
    [("localhost", "localhost"), ("0.0.0.0", "localhost"), ("::1", "[::1]"), ("10.0.0.5", "10.0.0.5")],
)
def test_the_app_says_its_address_before_it_becomes_the_server(monkeypatch, capsys, address, shown):
    monkeypatch.setattr(app.os, "execv", lambda program, words: None)
    monkeypatch.setattr(app, "read_settings", lambda: Settings(allowed_hosts=("*",)))
    monkeypatch.setattr("metaiqa_core.assess.Assessor.load", lambda: None)
    app.run(argparse.Namespace(address=address, port=8765, no_browser=False))
    assert f"The app is at http://{shown}:8765 (Ctrl-C ends it)." in capsys.readouterr().err
