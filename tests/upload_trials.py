"""Trials of uploads: each is decoded and scored in a process apart, whose time and memory are measured.

Run as a program, this file is that process: it takes uploads from its standard input and answers each with a line.
The system must have /proc, as Linux has.
"""

import dataclasses
import json
import os
import pickle
import select
import subprocess
import sys
import time
from pathlib import Path

SECONDS = 10.0
"""Longest time that an upload may take: seconds of a processor, for the machine may be busy with other work."""
WAITED = 180.0
"""Seconds by the clock after which a process that does nothing is taken for hung."""
MEGABYTES = 1500.0
"""Most memory that the process of an upload may have had, with PyTorch and the network in it, but without the pages of
program files, which all processes share and the system takes back when it needs them."""
ROOM = 4 * 2**30
"""Address space beyond what the process needs at its start: a fence for the machine, far above `MEGABYTES`."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of an upload: `score`, `photo` (decoded, not scored), `refused`, or a fault.

    `text` is the score, the sentence, or what was wrong; `megabytes` the largest memory meanwhile.
    """

    kind: str
    text: str
    seconds: float = 0.0
    megabytes: float = 0.0

    @property
    def fault(self):
        """What is wrong with it, or None."""
        if self.kind not in ("score", "photo", "refused"):
            return f"{self.kind}: {self.text}"
        if self.megabytes > MEGABYTES:
            return f"memory: {self.megabytes:.0f} MB ({self.kind})"
        return None


class Trials:
    """Holds the process that tries uploads, and starts another when it dies or hangs."""

    def __init__(self):
        self._process = None
        self.started = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end()

    def try_upload(self, name, data, *, score=False):
        """Return the outcome of one upload; a process that takes too long is killed."""
        if self._process is None:
            self._start()
        process, content = self._process, pickle.dumps((name, data, score))
        try:
            process.stdin.write(len(content).to_bytes(8, "big") + content)
            process.stdin.flush()
            line = self._answer()
        except BrokenPipeError:
            line = b""
        if line is None:
            self._end()
            return Outcome("hang", f"more than {SECONDS:g} s of a processor", SECONDS)
        if not line:
            status = process.wait()
            self._end()
            return Outcome("crash", f"the process ended with {status}")
        return Outcome(**json.loads(line))

    def _answer(self):
        """Return the line that the process answers with, b"" if it died, or None if it takes too long."""
        start, used = time.monotonic(), self._processor_seconds()
        while time.monotonic() - start < WAITED and self._processor_seconds() - used < SECONDS:
            ready, _, _ = select.select([self._process.stdout], [], [], 0.5)
            if ready:
                return self._process.stdout.readline()
        return None

    def _processor_seconds(self):
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _start(self):
        self.started += 1
        words = [sys.executable, str(Path(__file__).resolve())]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, bufsize=0
        )
        if self._process.stdout.readline() != b"ready\n":
            raise RuntimeError("the process that tries uploads did not start")

    def _end(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process = None


def serve():
    """Answer uploads until the input ends."""
    import resource

    sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]
    assessor = tiny_assessor()
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") * 1024 + ROOM,) * 2)
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    answers.write(b"ready\n")
    answers.flush()
    while header := sys.stdin.buffer.read(8):
        name, data, score = pickle.loads(sys.stdin.buffer.read(int.from_bytes(header, "big")))
        answers.write(json.dumps(dataclasses.asdict(tried(assessor, name, data, score))).encode() + b"\n")
        answers.flush()


def tiny_assessor():
    """A tiny network with seeded random weights, in an Assessor."""
    import torch
    from tiny_fixtures import TINY_CARD, TINY_CONFIG

    from metaiqa_core.assess import Assessor
    from metaiqa_core.models.checkpoints import Checkpoint
    from metaiqa_core.models.regressor import Regressor

    torch.set_num_threads(1)
    torch.manual_seed(0)
    return Assessor(Checkpoint(Regressor(TINY_CONFIG).eval().requires_grad_(False), TINY_CARD))


def tried(assessor, name, data, score):
    """Decode an upload, and score it where asked to."""
    import io

    from metaiqa_core.errors import PhotoError
    from metaiqa_core.images import decode

    file = io.BytesIO(data)
    file.name = name
    _forget_peak()
    start = time.process_time()
    try:
        if score:
            kind, text = "score", f"{assessor.assess(file).score:.2f}"
            if not 0 <= float(text) <= 100:
                kind = "wrong score"
        else:
            photo = decode(file, minimum_short_side=assessor.preprocessing.short_side)
            kind, text = "photo", f"{photo.full_size} {' | '.join(photo.notes)}"
            if not all(note.isprintable() for note in photo.notes):
                kind = "unprintable note"
    except PhotoError as error:
        kind, text = "refused", str(error)
        if not (text.isprintable() and text.endswith(".") and len(text) < 400):
            kind = "no sentence"
    except BaseException as error:
        kind, text = "exception", repr(error)[:300]
    return Outcome(kind, text, time.process_time() - start, (_status("VmHWM") - _status("RssFile")) / 1024)


def _forget_peak():
    Path("/proc/self/clear_refs").write_text("5")


def _status(key):
    """Return a number of kilobytes that the system keeps about this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{key}:")).split()[1])


if __name__ == "__main__":
    serve()
