"""Stands in for `python -m metaiqa_core` in the tests of jobs: `fine-tune` and its like, without any learning.

Behaves as its `--name` (or the variable QUICK_PROGRAM) says: `quick`, `slow` (until it is told to end), `stubborn`
(deaf to SIGTERM), `fails`, `crashes`, `silent`, or `family` (with a child of its own). It continues its
curve where it was.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HEADER = "seconds,stage,step,total,metric,value\n"  # results.run_log, whose imports alone take seconds
words = sys.argv[1:]
if words[0] == "synthesize":
    Path(words[words.index("--output") + 1]).mkdir(exist_ok=True)
    Path(os.environ["METAIQA_PROGRESS"]).write_text('{"title": "comparing", "step": 90, "total": 90}')
    sys.exit()
if words[0] == "databases":
    problem = {"kind": "missing", "subject": "a.jpg", "sentence": "a.jpg is missing."}
    numbers = dict.fromkeys(("listed", "present", "references", "distortion_types"), 3)
    report = {"database": "mine", "usable": False, "complete": False, "problems": [problem], "notes": [], **numbers}
    Path(words[words.index("--output") + 1]).write_text(json.dumps(report))
    sys.exit(1)
folder = Path(words[words.index("--run-dir") + 1])
behaviour = words[words.index("--name") + 1] if "--name" in words else os.environ.get("QUICK_PROGRAM", "quick")
total = 12 if behaviour == "quick" else 36_000
pace = 0.01 if behaviour == "quick" else 0.05

(folder / "pid.txt").write_text(str(os.getpid()))
(folder / "threads.txt").write_text(f"{os.environ['OMP_NUM_THREADS']} {os.nice(0)}")
if behaviour == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if behaviour == "family":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (folder / "child.txt").write_text(str(child.pid))
if behaviour == "fails":
    sys.stderr.write("reading\nThere is no file scores.csv; a CSV database has the columns image and mos.\n")
    sys.exit(2)
if behaviour == "crashes":
    raise ZeroDivisionError("by nothing")
if behaviour == "silent":
    sys.exit(7)
curves = folder / "metrics.csv"
earlier = int(curves.read_text().splitlines()[-1].split(",")[2]) if curves.exists() else 0
with curves.open("a", encoding="utf-8") as file:
    if not earlier:
        file.write(HEADER)
    for step in range(earlier + 1, total + 1):
        time.sleep(pace)
        line = f"{step * pace:.2f},learning,{step},{total}"
        file.write(f"{line},loss,{1 / step}\n{line},query_srocc,{step / total}\n")
        file.flush()
        sys.stderr.write(f"step {step}\n")
sys.stderr.write("wrote the model\n")
