"""Fuzzed uploads: ten thousand mutated files of every format, each decoded or scored in a process that is measured.

    python benchmarks/fuzz_uploads.py [NUMBER] [--seed TEXT] [--json FILE]

Every file must give a score, a photo or one sentence, within 10 s of a processor and 1.5 GB of memory. Exit status 1 if
one does not; such files are written to the folder that `--keep` names. Linux only: time and memory come from /proc.
"""

import argparse
import collections
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from upload_mutations import mutants
from upload_trials import Trials


def main() -> int:
    """Try all of them and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("number", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", default="benchmark", help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers there")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write files that are mishandled there")
    arguments = parser.parse_args()
    kinds: collections.Counter[str] = collections.Counter()
    faults, slowest, largest = [], (0.0, ""), (0.0, "")
    start = time.monotonic()
    with Trials() as trials:
        for index, upload in enumerate(mutants(arguments.number, arguments.seed)):
            outcome = trials.try_upload(upload.name, upload.data, score=index % 4 == 0)
            kinds[outcome.kind] += 1
            slowest = max(slowest, (outcome.seconds, upload.origin))
            largest = max(largest, (outcome.megabytes, upload.origin))
            if outcome.fault:
                faults.append(f"{upload.origin}: {outcome.fault}")
                print(faults[-1], flush=True)
                if arguments.keep:
                    arguments.keep.mkdir(parents=True, exist_ok=True)
                    (arguments.keep / f"{index}").write_bytes(upload.data)
            if (index + 1) % 500 == 0:
                print(f"{index + 1} files, {time.monotonic() - start:.0f} s: {dict(kinds)}", flush=True)
    numbers = {
        "files": arguments.number,
        "seed": arguments.seed,
        "outcomes": dict(kinds),
        "faults": faults,
        "slowest": {"processor_seconds": round(slowest[0], 2), "file": slowest[1]},
        "largest": {"megabytes": round(largest[0]), "file": largest[1]},
    }
    print(json.dumps(numbers, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
