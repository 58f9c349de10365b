"""Commands that are killed with `kill -9` at random moments and go on, against runs that nobody disturbed.

    python benchmarks/kill_runs.py [KILLS] [--commands COMMAND ...] [--json FILE]

Each command (meta-train, fine-tune, leave-one-out, score) is killed so many times; one that ends before its moment
starts afresh. Weights must have the same bits, and every row must be there once. Exit status 1 if not.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from killed_commands import COMMANDS, Bench, moments, results


def main() -> int:
    """Kill, go on, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kills", type=int, nargs="?", default=20)
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    parser.add_argument("--length", type=int, default=5, help="length of the commands (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers there")
    arguments = parser.parse_args()
    numbers = {}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), arguments.length)
        for command in arguments.commands:
            undisturbed = bench.folder / f"whole-{command}"
            seconds = bench.seconds(command, undisturbed)
            whole = results(command, undisturbed)
            place = bench.folder / f"killed-{command}"
            takes = bench.kill_often(command, place, kills=arguments.kills, seconds=seconds, chance=moments(command))
            alike = sum(results(command, take) == whole for take in takes)
            numbers[command] = {"kills": arguments.kills, "finished": len(takes), "alike": alike}
            print(command, numbers[command], flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
    return 0 if all(one["finished"] == one["alike"] for one in numbers.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
