"""The supervisor of a job: a process that waits for its turn, runs its commands in order, and writes how they ended.

It is detached from the app, which may end, restart or never look again. SIGTERM is its order to cancel: the command's
whole process group is told to end, and killed if it does not within `GRACE_SECONDS`. A command writes its files whole
or not at all, so a cancelled job is resumed by the same commands.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import IO

from metaiqa_core.assets import CHECKOUT
from metaiqa_core.errors import MetaIQAError
from metaiqa_core.jobs.catalogue import JOB_COMMANDS
from metaiqa_core.jobs.job import JOB_FILE, LOG_FILE, State, read_job, read_status, shell_lines, write_status
from metaiqa_core.jobs.job_log import has_trace, last_sentence
from metaiqa_core.jobs.process_identity import identify
from metaiqa_core.jobs.turns import take_turn
from metaiqa_core.results.progress_file import PROGRESS_FILE, PROGRESS_VARIABLE

PROGRAM = (sys.executable, "-m", "metaiqa_core")
GRACE_SECONDS = 10.0
NICENESS = 10
_POLL_SECONDS = 0.3


def supervise(folder: Path, lock: int, program: Sequence[str] = PROGRAM) -> None:
    """Supervise one job to its end.

    Args:
        folder: Folder of the job, as `control.start` made it.
        lock: Descriptor of the job's lock, which whoever started this process took and passed on.
        program: Words that start the program, before the words of a command.
    """
    _Supervisor(folder, program, lock).work()


def job_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables of a job's processes: one core is left to whoever uses the app meanwhile."""
    threads = str(max(1, _cores() - 1))
    variables = {"OMP_NUM_THREADS": threads, "PYTHONUNBUFFERED": "1", **environment}
    if CHECKOUT:  # a job may run in any folder, and only an installed package is found from there
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, [str(CHECKOUT), environment.get("PYTHONPATH")]))
    return variables


def start_process(
    words: Sequence[str],
    folder: Path,
    log: IO[bytes],
    *,
    pass_fds: Sequence[int] = (),
    variables: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process of a job, in a group of its own that outlives its parent.

    Args:
        words: Its command line.
        folder: Folder to start it in.
        log: Open file for all that it writes.
        pass_fds: Open files that it holds too.
        variables: Environment variables that it gets besides those of every job.
    """
    return subprocess.Popen(
        words,
        cwd=folder,
        env={**job_environment(), **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        pass_fds=pass_fds,
    )


def stop_group(process_group: int, signal_number: int) -> None:
    """Signal a process group; one that has ended already is left alone."""
    # macOS forbids to signal a group of which only a zombie is left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process_group, signal_number)


class _Supervisor:
    def __init__(self, folder: Path, program: Sequence[str], lock: int) -> None:
        self._folder = folder
        self._program = program
        self._lock = lock
        self._cancelled = False
        self._status = replace(read_status(folder), supervisor=identify(os.getpid()), command=None)

    def work(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._cancel)
        with contextlib.suppress(OSError):
            os.nice(NICENESS)
        try:
            self._write_state(State.QUEUED)
            turn = self._wait_for_turn()
            if turn is None:
                self._end(State.CANCELLED)
                return
            now = time.time()
            self._status = replace(self._status, started_at=now, first_started_at=self._status.first_started_at or now)
            self._run_commands(turn)
        except _DeletedError:
            return
        except (MetaIQAError, OSError) as error:
            self._end(State.FAILED, str(error))

    def _cancel(self, number: int, frame: FrameType | None) -> None:
        self._cancelled = True

    def _wait_for_turn(self) -> int | None:
        while not self._cancelled:
            self._refuse_deleted()
            turn = take_turn(self._folder, self._status.queued_at)
            if turn is not None:
                return turn
            time.sleep(_POLL_SECONDS)
        return None

    def _run_commands(self, turn: int) -> None:
        job = read_job(self._folder)
        for words in job.command_words():
            with contextlib.suppress(OSError):  # what the command before this one said last, such as "90 of 90"
                (self._folder / PROGRESS_FILE).unlink()
            with (self._folder / LOG_FILE).open("ab") as log:
                log.write(f"$ {shell_lines([words])}\n".encode())
                log.flush()
                begin = log.tell()
                # The command holds the locks too: should this process be killed, the next job still waits.
                locks = turn, self._lock
                told = {PROGRESS_VARIABLE: str(self._folder / PROGRESS_FILE)}
                process = start_process(
                    [*self._program, *words], job.working_folder, log, pass_fds=locks, variables=told
                )
            self._status = replace(self._status, command=identify(process.pid))
            self._write_state(State.RUNNING)
            self._watch(process)
            if failed := process.returncode != 0 and not self._is_answer(words, process.returncode, begin):
                break
        if self._cancelled and process.returncode:
            self._end(State.CANCELLED)
        elif failed:
            self._end(State.FAILED, _reason(process.returncode, last_sentence(self._folder / LOG_FILE, begin)))
        else:
            self._end(State.FINISHED)

    def _is_answer(self, words: Sequence[str], status: int, begin: int) -> bool:
        """Return whether an exit status says that a command did its work and found something."""
        return status == 1 and JOB_COMMANDS[words[0]].may_find and not has_trace(self._folder / LOG_FILE, begin)

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until a command has ended; end it if this job is cancelled or its folder is deleted."""
        try:
            while not self._cancelled:
                self._refuse_deleted()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_SECONDS)
                    return
            self._write_state(State.CANCELLING)
        finally:
            if process.returncode is None:
                stop_group(process.pid, signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(GRACE_SECONDS)
            # Workers of a command that was killed outlive it; a group without members is not signalled.
            stop_group(process.pid, signal.SIGKILL)
            process.wait()

    def _refuse_deleted(self) -> None:
        if not (self._folder / JOB_FILE).is_file():
            raise _DeletedError

    def _write_state(self, state: State, sentence: str = "") -> None:
        self._refuse_deleted()  # or writing would make the folder anew
        self._status = replace(self._status, state=state, sentence=sentence)
        # Where the disk is full the job goes on as long as its command does; a reader finds out by the process's end.
        with contextlib.suppress(OSError):
            write_status(self._folder, self._status)

    def _end(self, state: State, sentence: str = "") -> None:
        self._status = replace(self._status, ended_at=time.time())
        with contextlib.suppress(_DeletedError):
            self._write_state(state, sentence)


class _DeletedError(Exception):
    """The folder of the job was deleted, so that its result is not wanted."""


def _reason(status: int, sentence: str) -> str:
    if status < 0:
        name = signal.Signals(-status).name
        memory = "; often that means that the machine ran out of memory" if -status == signal.SIGKILL else ""
        return f"The command was ended from outside by {name}{memory}. Resume goes on from its last saved state."
    return sentence or f"The command ended with the exit status {status} and said nothing."


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1
