"""Ctrl-C while a command is still importing, and while a model is being written: one line, and nothing by halves."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import save_file as really_save

from metaiqa_core.files import write_together
from metaiqa_core.models import checkpoints
from metaiqa_core.models.checkpoints import load_checkpoint, save_checkpoint

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ["-m", "metaiqa_core"]
CONSOLE_COMMAND = ["-c", "import sys; from metaiqa_core.__main__ import run_program; sys.exit(run_program())"]
# Takes the place of PyTorch and is imported for ever; `swallows` does what some libraries do with an interrupt.
SLOW = """
import pathlib, time
pathlib.Path({sign!r}).touch()
try:
    time.sleep(60)
except {swallows} as error:
    raise ImportError("half imported") from error
"""


@pytest.mark.parametrize("start", [PROGRAM, CONSOLE_COMMAND], ids=["module", "console command"])
@pytest.mark.parametrize("swallows", ["ArithmeticError", "BaseException"])
def test_an_interrupt_during_the_imports_is_one_line(tmp_path, start, swallows):
    sign = tmp_path / "importing"
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(SLOW.format(sign=str(sign), swallows=swallows))
    process = subprocess.Popen(
        [sys.executable, *start, "meta-train", "--database", "none", "--run-dir", "none"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not sign.exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")


def test_an_interrupt_that_is_ignored_stays_ignored():
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.argv[1:] = ['models', 'list'];"
        "import metaiqa_core.cli as cli;"
        "cli.main = lambda prepare, before_work: sys.exit(int(signal.getsignal(signal.SIGINT) is not signal.SIG_IGN));"
        "from metaiqa_core.__main__ import run_program; run_program()"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.fixture
def model(tiny_checkpoint):
    return load_checkpoint(tiny_checkpoint)


def interrupted_at(moment, monkeypatch):
    """Interrupt the writing of a model: while its weights or its card are written, or between their renames."""
    renamed = []
    really_replace = Path.replace

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    def half_saved(weights, path, **options):
        really_save(weights, path, **options)
        raise KeyboardInterrupt

    def replace(self, target):
        if renamed:
            raise KeyboardInterrupt
        renamed.append(target)
        return really_replace(self, target)

    def replace_once(self, target):  # what takes back must not be interrupted again
        monkeypatch.setattr(Path, "replace", really_replace if renamed else replace_once)
        return replace(self, target)

    if moment == "weights":
        monkeypatch.setattr(checkpoints, "save_file", half_saved)
    elif moment == "card":
        monkeypatch.setattr(checkpoints.ModelCard, "to_json", interrupt)
    else:
        monkeypatch.setattr(Path, "replace", replace_once)


MOMENTS = ("weights", "card", "between")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_new_model_is_written_whole_or_not_at_all(model, tmp_path, monkeypatch, moment):
    interrupted_at(moment, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(model.network, model.card, tmp_path / "new.safetensors")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_older_model_stays_whole_where_its_successor_is_interrupted(model, tmp_path, monkeypatch, moment):
    path = tmp_path / "model.safetensors"
    save_checkpoint(model.network, model.card, path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    for parameter in model.network.parameters():
        parameter.add_(0.5)
    with monkeypatch.context() as patch:
        interrupted_at(moment, patch)
        with pytest.raises(KeyboardInterrupt):
            save_checkpoint(model.network, model.card, path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    load_checkpoint(path)


def test_files_that_appear_together_replace_older_ones(tmp_path):
    for text in ("old", "new"):
        write_together({tmp_path / name: lambda file, text=text: file.write_text(text) for name in ("one", "two")})
        assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"one": text, "two": text}
