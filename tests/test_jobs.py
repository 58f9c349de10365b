"""Jobs: detached, one at a time, told apart from the dead, and gone without a trace when deleted."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from jobs_fixtures import job_in, jobs_folder, start, wait_for, working  # noqa: F401

from metaiqa_core.errors import JobError, SettingsError
from metaiqa_core.files import write_text
from metaiqa_core.jobs import control
from metaiqa_core.jobs.job import State, Status, find_job, find_jobs, read_status, shell_lines, shortest, write_status
from metaiqa_core.jobs.job_log import TAIL_BYTES, last_sentence, tail
from metaiqa_core.jobs.process_identity import ProcessIdentity, identify
from metaiqa_core.jobs.turns import jobs_at_once, take_lock


def is_running(pid):
    return identify(pid) is not None


def test_a_job_runs_its_command_in_its_folder_and_finishes(runs):
    assert start(runs, "first").state == State.QUEUED
    job = job_in(runs, "first", State.FINISHED)
    assert job.status.queued_at <= job.status.started_at <= job.status.ended_at
    log = (runs / "first/log.txt").read_text()
    assert log.startswith(f"$ python -m metaiqa_core fine-tune --name quick --run-dir {runs / 'first'}\n")
    assert log.endswith("step 12\nwrote the model\n")


def test_a_job_is_polite_and_leaves_one_core_to_others(runs, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    start(runs, "polite")
    job_in(runs, "polite", State.FINISHED)
    threads, niceness = map(int, (runs / "polite/threads.txt").read_text().split())
    assert threads == max(1, len(os.sched_getaffinity(0)) - 1)
    assert niceness > os.nice(0)


def test_a_job_outlives_the_process_that_started_it(runs, tmp_path):
    code = (
        "import sys; sys.path[:0] = sys.argv[1:3]; from pathlib import Path; from metaiqa_core.jobs import control; "
        "import jobs_fixtures as f; control.SUPERVISOR = f.QUICK_SUPERVISOR; "
        "f.start(Path(sys.argv[3]), 'child', 'slow')"
    )
    tests = Path(__file__).parent
    subprocess.run([sys.executable, "-c", code, tests, tests.parent, runs], check=True, timeout=60)
    pid = working(runs, "child")
    assert os.getsid(pid) != os.getsid(0)
    control.cancel(runs, "child")
    assert job_in(runs, "child", State.CANCELLED).status.command.pid == pid


def test_preparations_run_first_and_all_is_shown_as_one_line_for_a_terminal(runs, tmp_path):
    database = tmp_path / "my photos"
    commands = [["synthesize", "--output", str(database)], ["fine-tune", "--database", str(database)]]
    control.start(runs, "two", commands, working_folder=tmp_path)
    job = job_in(runs, "two", State.FINISHED)
    assert database.is_dir()
    shown = shell_lines(job.command_words())
    assert shlex.split(shown.replace("\\\n", "")) == [
        *["python", "-m", "metaiqa_core", "synthesize", "--output", str(database), "&&"],
        *["python", "-m", "metaiqa_core", "fine-tune", "--database", str(database), "--run-dir", "runs/two"],
    ]


def test_what_a_preparation_said_of_its_progress_is_not_said_of_the_next_command(runs, tmp_path):
    commands = [["synthesize", "--output", str(tmp_path / "photos")], ["fine-tune", "--name", "slow"]]
    control.start(runs, "two", commands, working_folder=tmp_path)
    working(runs, "two")
    assert not (runs / "two/progress.json").exists()
    control.start(runs, "one", commands[:1], working_folder=tmp_path)
    control.cancel(runs, "two")
    job_in(runs, "one", State.FINISHED)
    assert (runs / "one/progress.json").exists()


def test_jobs_work_one_at_a_time_the_longest_waiting_first(runs):
    start(runs, "one", "slow")
    working(runs, "one")
    for name in ("zebra", "ant"):
        start(runs, name)
        wait_for(lambda name=name: find_job(runs, name).status.supervisor)
    time.sleep(0.7)
    assert [job.state for job in find_jobs(runs)[0]] == [State.QUEUED, State.QUEUED, State.RUNNING]
    control.cancel(runs, "one")
    zebra, ant = (job_in(runs, name, State.FINISHED) for name in ("zebra", "ant"))
    assert zebra.status.ended_at <= ant.status.started_at


def test_more_may_work_at_once_if_the_environment_says_so(runs, monkeypatch):
    assert [jobs_at_once({"METAIQA_JOBS_AT_ONCE": text}) for text in ("", " ", "3")] == [1, 1, 3]
    monkeypatch.setenv("METAIQA_JOBS_AT_ONCE", "2")
    for name in ("left", "right"):
        start(runs, name, "slow")
    assert working(runs, "left") != working(runs, "right")


@pytest.mark.parametrize("text", ["0", "-2", "many", "1.5", "99999"])
def test_a_number_of_jobs_that_is_none_is_refused_before_a_job_is_made(runs, monkeypatch, text):
    start(runs, "failed", "fails")
    job_in(runs, "failed", State.FAILED)
    monkeypatch.setenv("METAIQA_JOBS_AT_ONCE", text)
    sentence = rf"^METAIQA_JOBS_AT_ONCE must be a whole number from 1 to 1000 \(jobs\), got '{text}': correct it\.$"
    with pytest.raises(SettingsError, match=sentence):
        start(runs, "new")
    with pytest.raises(SettingsError, match=sentence):
        control.resume(runs, "failed")
    assert not (runs / "new").exists()
    assert find_job(runs, "failed").state == State.FAILED


def test_a_waiting_job_is_cancelled_without_having_worked(runs):
    start(runs, "one", "slow")
    working(runs, "one")
    start(runs, "two")
    wait_for(lambda: find_job(runs, "two").status.supervisor)
    control.cancel(runs, "two")
    assert job_in(runs, "two", State.CANCELLED).status.started_at is None
    assert not (runs / "two/pid.txt").exists()


def test_cancelling_ends_the_whole_family_and_resuming_goes_on_with_the_same_curve(runs):
    start(runs, "family", "family")
    pid = working(runs, "family")
    wait_for(lambda: (runs / "family/metrics.csv").exists())
    child = int(wait_for((runs / "family/child.txt").read_text))
    control.cancel(runs, "family")
    job_in(runs, "family", State.CANCELLED)
    wait_for(lambda: not is_running(pid) and not is_running(child))
    steps = (runs / "family/metrics.csv").read_text().count("loss")
    (runs / "family/pid.txt").unlink()
    control.resume(runs, "family")
    working(runs, "family")
    wait_for(lambda: (runs / "family/metrics.csv").read_text().count("loss") > steps)
    numbers = [line.split(",")[2] for line in (runs / "family/metrics.csv").read_text().splitlines() if "loss" in line]
    assert numbers[: steps + 1] == [str(number) for number in range(1, steps + 2)]


def test_a_command_that_is_deaf_to_sigterm_is_killed_after_a_while(runs):
    start(runs, "deaf", "stubborn")
    pid = working(runs, "deaf")
    wait_for(lambda: (runs / "deaf/metrics.csv").exists())
    control.cancel(runs, "deaf")
    job_in(runs, "deaf", State.CANCELLING)
    job_in(runs, "deaf", State.CANCELLED)
    assert not is_running(pid)


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        ("fails", "There is no file scores.csv; a CSV database has the columns image and mos."),
        ("crashes", "The program stopped by mistake (ZeroDivisionError: by nothing); the log says where."),
        ("silent", "The command ended with the exit status 7 and said nothing."),
    ],
)
def test_a_command_that_fails_leaves_its_sentence(runs, behaviour, sentence):
    start(runs, "failing", behaviour)
    assert job_in(runs, "failing", State.FAILED).status.sentence == sentence


def test_a_killed_command_is_a_failure_that_says_so(runs):
    start(runs, "victim", "slow")
    os.kill(working(runs, "victim"), signal.SIGKILL)
    sentence = job_in(runs, "victim", State.FAILED).status.sentence
    assert sentence.startswith("The command was ended from outside by SIGKILL; often that means that the machine ran")


def test_a_killed_supervisor_leaves_an_orphan_that_can_be_cancelled_while_the_next_job_waits(runs):
    start(runs, "orphan", "slow")
    pid = working(runs, "orphan")
    start(runs, "next")
    supervisor = find_job(runs, "orphan").status.supervisor
    os.kill(supervisor.pid, signal.SIGKILL)
    wait_for(lambda: not supervisor.is_alive())
    job = find_job(runs, "orphan")
    assert (job.state, is_running(pid)) == (State.RUNNING, True)
    assert job.status.sentence == "The process that supervised this job was ended; its command goes on without it."
    time.sleep(0.7)
    assert find_job(runs, "next").state == State.QUEUED
    control.cancel(runs, "orphan")
    assert (find_job(runs, "orphan").state, is_running(pid)) == (State.CANCELLED, False)
    job_in(runs, "next", State.FINISHED)


def test_a_job_whose_processes_are_all_killed_is_stale_and_can_be_resumed(runs):
    start(runs, "stale", "slow")
    os.killpg(working(runs, "stale"), signal.SIGSTOP)  # so that the end of the command is not noticed in between
    status = find_job(runs, "stale").status
    for process in (status.supervisor, status.command):
        os.kill(process.pid, signal.SIGKILL)
    job = job_in(runs, "stale", State.STALE)
    assert job.status.sentence.startswith("It stopped without a word: its process was killed, the machine was")
    with pytest.raises(JobError, match="stale is not at work: there is nothing to cancel"):
        control.cancel(runs, "stale")
    control.resume(runs, "stale")
    working(runs, "stale")


@pytest.mark.parametrize("seconds_later", [-60, 60])
def test_a_reused_process_id_is_not_the_job(runs, seconds_later):
    me = identify(os.getpid())
    assert me.is_alive()
    stranger = ProcessIdentity(me.pid, me.started + seconds_later)
    assert not stranger.is_alive()
    start(runs, "old")
    job_in(runs, "old", State.FINISHED)
    write_status(runs / "old", Status(State.RUNNING, stranger, stranger, queued_at=1.0, started_at=2.0))
    assert find_job(runs, "old").state == State.STALE
    with pytest.raises(JobError, match="nothing to cancel"):
        control.cancel(runs, "old")


def test_a_job_that_an_older_version_was_running_is_stale_and_can_be_resumed(runs):
    start(runs, "old")
    job = job_in(runs, "old", State.FINISHED)
    status = json.loads((job.folder / "status.json").read_text())
    del status["supervisor"]
    status |= {"state": "running", "keeper": {"pid": os.getpid(), "started": "3b1f-a-boot 17"}, "command": None}
    (job.folder / "status.json").write_text(json.dumps(status))
    assert find_job(runs, "old").state == State.STALE
    control.resume(runs, "old")
    job_in(runs, "old", State.FINISHED)


def test_a_zombie_is_dead(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", ""])
    wait_for(lambda: identify(process.pid) is None)
    process.wait()


def test_a_process_is_the_one_that_started_when_it_says(tmp_path):
    before = time.time() - psutil.boot_time()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        found = identify(process.pid)
        assert found.pid == process.pid
        assert found.started == pytest.approx(before, abs=3)
        assert found.is_alive()
        process.communicate(b"\n")
    assert not found.is_alive()
    assert identify(2**22 + 1) is None  # above the largest id that Linux gives


def test_a_job_that_never_began_is_stale_after_a_minute(runs):
    start(runs, "slow-start")
    job_in(runs, "slow-start", State.FINISHED)
    write_status(runs / "slow-start", Status(State.QUEUED, queued_at=time.time() - 50))
    assert find_job(runs, "slow-start").state == State.QUEUED
    write_status(runs / "slow-start", Status(State.QUEUED, queued_at=time.time() - 70))
    assert find_job(runs, "slow-start").state == State.STALE


def cancelled(runs, name):
    start(runs, name, "slow")
    working(runs, name)
    control.cancel(runs, name)
    job = job_in(runs, name, State.CANCELLED)
    (runs / name / "pid.txt").unlink()
    return job


def test_of_many_who_resume_a_job_at_once_one_does_and_its_status_stays_true(runs, monkeypatch):
    cancelled(runs, "busy")
    begin, refusals = threading.Barrier(8), []

    def slowly_read(runs, name):
        job = find_job(runs, name)
        time.sleep(0.1)
        return job

    monkeypatch.setattr(control, "_job_of_ours", slowly_read)

    def resume():
        begin.wait(20)
        try:
            control.resume(runs, "busy")
        except JobError as error:
            refusals.append(str(error))

    threads = [threading.Thread(target=resume) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(refusals) == 7
    assert set(refusals) <= {f"busy is {state}: there is nothing to resume." for state in ("queued", "running")}
    pid = working(runs, "busy")
    time.sleep(1)  # in which a second supervisor would have come and gone
    status = find_job(runs, "busy").status
    assert (status.state, status.command.pid, status.supervisor.is_alive()) == (State.RUNNING, pid, True)
    assert (runs / "busy/log.txt").read_text().count("$ python") == 2


def test_who_resumes_a_job_on_an_old_reading_of_it_is_told_that_it_runs(runs, monkeypatch):
    old = cancelled(runs, "twice")
    control.resume(runs, "twice")
    pid = working(runs, "twice")
    readings = iter([old])
    monkeypatch.setattr(control, "_job_of_ours", lambda runs, name: next(readings, None) or find_job(runs, name))
    with pytest.raises(JobError, match="twice is running: there is nothing to resume"):
        control.resume(runs, "twice")
    readings = iter([old])
    with pytest.raises(JobError, match="twice is running: cancel it first"):
        control.delete(runs, "twice")
    control.cancel(runs, "twice")
    assert job_in(runs, "twice", State.CANCELLED).status.command.pid == pid


def test_a_job_whose_process_does_not_end_is_neither_resumed_nor_deleted(runs, monkeypatch):
    cancelled(runs, "held")
    monkeypatch.setattr(control, "_LOCK_SECONDS", 0.2)
    lock = wait_for(lambda: take_lock(runs / "held/job.json"))
    for action in (control.resume, control.delete):
        with pytest.raises(JobError, match="A process of held has not ended yet: try again in a moment, or end the"):
            action(runs, "held")
    os.close(lock)
    control.delete(runs, "held")
    assert not (runs / "held").exists()


def test_a_job_whose_folder_is_deleted_by_hand_ends_and_does_not_come_back(runs):
    start(runs, "gone", "slow")
    pid = working(runs, "gone")
    supervisor = find_job(runs, "gone").status.supervisor
    shutil.rmtree(runs / "gone")
    wait_for(lambda: not is_running(pid) and not supervisor.is_alive())
    assert not (runs / "gone").exists()
    with pytest.raises(JobError, match="There is no run gone in .*: it was deleted, or the app looks in another"):
        find_job(runs, "gone")


def test_deleting_removes_everything_but_follows_no_link(runs, tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    start(runs, "done")
    job_in(runs, "done", State.FINISHED)
    (runs / "done/link").symlink_to(tmp_path)
    control.delete(runs, "done")
    assert sorted(path.name for path in runs.iterdir()) == [".turn-1.lock"]
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_job_at_work_is_not_deleted(runs):
    start(runs, "busy", "slow")
    working(runs, "busy")
    with pytest.raises(JobError, match="busy is running: cancel it first"):
        control.delete(runs, "busy")
    with pytest.raises(JobError, match="busy is running: there is nothing to resume"):
        control.resume(runs, "busy")


@pytest.mark.parametrize("name", ["", "..", "../other", "a/b", "-x", ".hidden", "a b", "x" * 61, "naïve", "a\n", "C:"])
def test_only_strict_names_reach_the_disk(runs, name):
    for action in (find_job, control.cancel, control.resume, control.delete):
        with pytest.raises(JobError, match="A run's name has 1 to 60 letters, digits, - and _"):
            action(runs, name)
    with pytest.raises(JobError, match="A run's name has 1 to 60 letters"):
        start(runs, name)
    assert not runs.exists()


def test_a_link_in_the_runs_folder_is_no_run(runs, tmp_path):
    start(runs, "real")
    job_in(runs, "real", State.FINISHED)
    elsewhere = (runs / "real").rename(tmp_path / "elsewhere")
    (runs / "link").symlink_to(elsewhere)
    assert find_jobs(runs) == ([], [])
    with pytest.raises(JobError, match="There is no run link"):
        control.delete(runs, "link")
    assert (elsewhere / "job.json").exists()


def test_a_taken_name_is_refused_and_its_folder_untouched(runs):
    (runs / "taken").mkdir(parents=True)
    with pytest.raises(JobError, match="There is already a run taken in .*: choose another name, or resume that one"):
        start(runs, "taken")
    assert list((runs / "taken").iterdir()) == []


def test_only_commands_of_the_table_run_as_jobs(runs):
    with pytest.raises(JobError, match="models cannot run as a job: expected one of meta-train, fine-tune"):
        control.start(runs, "evil", [["models"]])
    with pytest.raises(JobError, match="cannot run as a job"):
        control.start(runs, "evil", [["fine-tune"], ["fine-tune"]])
    start(runs, "edited")
    job_in(runs, "edited", State.FINISHED)
    content = {"commands": [["models"]], "working_folder": "."}
    (runs / "edited/job.json").write_text(json.dumps(content))
    with pytest.raises(JobError, match=r"edited/job.json is damaged or of another version: delete the folder"):
        control.resume(runs, "edited")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"commands": []}',
        '{"commands": 3, "working_folder": 1}',
        '{"commands": [[]], "working_folder": "."}',
        '{"commands": [[3]], "working_folder": "."}',
        '{"commands": [["fine-tune"]], "working_folder": "a\\u0000b"}',
        '{"commands": [["fine-tune"]], "working_folder": ".", "more": 1}',
        '{"commands": [["fine-tune"]], "working_folder": "\\ud800"}',
        '{"commands": ' + "[" * 100_000,
    ],
)
def test_damaged_files_are_named_and_hide_no_other_job(runs, content):
    start(runs, "good")
    job_in(runs, "good", State.FINISHED)
    (runs / "bad").mkdir()
    (runs / "bad/job.json").write_text(content)
    (runs / "worse").mkdir()
    shutil.copy(runs / "good/job.json", runs / "worse")
    (runs / "worse/status.json").write_text('{"state": "dancing"}')
    jobs, problems = find_jobs(runs)
    assert [job.name for job in jobs] == ["good"]
    assert problems[0].startswith("bad/job.json is ")
    assert problems[1].startswith("worse/status.json is damaged")


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"queued_at": None}, "queued_at must be a number, got None"),
        ({"queued_at": "now"}, "queued_at must be a number, got 'now'"),
        ({"ended_at": 1e300}, "ended_at must be at most 2.53402e+11, got 1e+300"),
        ({"started_at": float("nan")}, "it has a number that is not finite: nan"),
        ({"supervisor": {"pid": -1, "started": 0}}, "supervisor.pid must be at least 1, got -1"),
        (
            {"supervisor": {"pid": 10**12, "started": 0}},
            "supervisor.pid must be at most 2.14748e+09, got 1000000000000",
        ),
        ({"command": [1, 2]}, "command must be an object, got [1, 2]"),
        ({"state": 3}, "state must be queued, running"),
        ({"sentence": None}, "sentence must be a text, got None"),
    ],
)
def test_a_status_that_says_nonsense_is_one_sentence_and_hides_no_other_job(runs, change, clause):
    for name in ("good", "bad"):
        (runs / name).mkdir(parents=True)
        (runs / name / "job.json").write_text('{"commands": [["fine-tune"]], "working_folder": "."}')
        write_status(runs / name, Status(State.FAILED, queued_at=1.0))
    file = runs / "bad/status.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    jobs, problems = find_jobs(runs)
    assert [job.name for job in jobs] == ["good"]
    assert len(problems) == 1
    assert problems[0].startswith("bad/status.json is ")
    assert clause in problems[0]


def test_runs_made_in_a_terminal_are_listed_but_not_touched(runs):
    (runs / "by-hand").mkdir(parents=True)
    (runs / "by-hand/metrics.csv").write_text("seconds,stage,step,total,metric,value\n")
    (runs / "example-database").mkdir()
    (runs / "notes.txt").write_text("no run")
    (runs / "odd name").mkdir()
    (runs / "odd name/results.json").write_text("{}")
    [job], [problem] = find_jobs(runs)
    assert (job.name, job.state, job.commands) == ("by-hand", State.TERMINAL, ())
    assert (
        problem
        == f"A run's name has 1 to 60 letters, digits, - and _, the first a letter or a digit; got {'odd name'!r}."
    )
    for action in (control.cancel, control.resume, control.delete):
        with pytest.raises(JobError, match="The run by-hand was made in a terminal: it is cancelled, continued or"):
            action(runs, "by-hand")


def test_a_full_disk_is_a_sentence_and_leaves_nothing(runs, monkeypatch):
    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("metaiqa_core.jobs.job.write_text", full)
    with pytest.raises(JobError, match="The job cannot be started in .*full: No space left on device"):
        start(runs, "full")
    monkeypatch.setattr(control, "write_text", full)
    with pytest.raises(JobError, match="The job cannot be written down in .*full: No space left on device"):
        start(runs, "full")
    assert list(runs.iterdir()) == []


def test_a_runs_folder_that_is_a_file_is_a_sentence(tmp_path):
    (tmp_path / "runs").write_text("")
    assert find_jobs(tmp_path / "runs")[1] == [f"The runs folder {tmp_path / 'runs'} cannot be read: Not a directory."]
    with pytest.raises(JobError, match="There is already a run|cannot be made"):
        start(tmp_path / "runs", "any")


def test_a_lock_is_free_again_when_its_holder_is_killed(tmp_path):
    code = "import sys, time; from metaiqa_core.jobs.turns import take_lock; from pathlib import Path; "
    code += "print(take_lock(Path(sys.argv[1])), flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code, tmp_path / "lock"], stdout=subprocess.PIPE, cwd=".")
    assert holder.stdout.readline().strip().isdigit()
    assert take_lock(tmp_path / "lock") is None
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert take_lock(tmp_path / "lock") is not None


def test_a_status_survives_its_file(tmp_path):
    status = Status(State.RUNNING, ProcessIdentity(7, 9.25), None, 1.5, 2.5, None, "a “sentence”")
    write_status(tmp_path, status)
    assert read_status(tmp_path) == status


def test_a_log_is_shown_from_its_end_and_without_control_characters(tmp_path):
    log = tmp_path / "log.txt"
    assert (tail(log, 5), last_sentence(log, 0)) == ("", "")
    log.write_bytes(b"first\n" + b"x" * TAIL_BYTES + b"\n10%\r50%\r100%\n\x1b[31mred\x1b[0m \xff\x07\r\n")
    assert tail(log, 2) == "100%\nred �"
    assert len(tail(log, 99)) < TAIL_BYTES
    assert last_sentence(log, 0) == "red �"


def test_a_path_is_named_as_short_as_it_is_clear(tmp_path):
    assert shortest(tmp_path / "runs/a", tmp_path) == "runs/a"
    assert shortest(tmp_path / "runs/a", tmp_path / "elsewhere") == str(tmp_path / "runs/a")


def test_the_supervisor_of_the_app_starts_and_says_what_is_wrong_with_a_folder(tmp_path):
    write_text(tmp_path / "job.json", "{}")
    outcome = subprocess.run([*control.SUPERVISOR, tmp_path, "9"], capture_output=True, text=True, timeout=60)
    assert (outcome.returncode, outcome.stderr.strip()) == (
        1,
        f"{tmp_path.name}/status.json is missing or damaged: delete the folder {tmp_path}.",
    )
