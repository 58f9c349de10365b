"""Write the list of commands from their catalogue: `python -m docs.commands` writes docs/commands.md."""

from pathlib import Path

from metaiqa_core.command_catalogue import COMMANDS
from metaiqa_core.jobs.catalogue import JOB_COMMANDS, PREPARATIONS

LIST = Path(__file__).with_name("commands.md")
_OPENING = """# Commands

Everything that the app does, a terminal does too: `metaiqa COMMAND` where the program is installed, or
`python -m metaiqa_core COMMAND`. `metaiqa COMMAND --help` lists a command's options. Those marked as a job run from the
page *Training jobs* as well.

| command | what it does | as a job |
|---|---|---|
"""


def list_of_commands() -> str:
    """Return the list as Markdown."""
    rows = []
    for name, entry in COMMANDS.items():
        job = f"*{entry.title}*" if name in JOB_COMMANDS else "prepares one" if name in PREPARATIONS else ""
        rows.append(f"| `{name}` | {entry.summary} | {job} |\n")
    return _OPENING + "".join(rows)


if __name__ == "__main__":
    LIST.write_text(list_of_commands(), encoding="utf-8")
