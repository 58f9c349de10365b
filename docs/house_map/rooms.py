"""The rooms of the house: every folder of the code, or file beside the folders, with what it imports."""

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = "metaiqa_core"
BY_NAME = {("cli", "commands"), ("app", "pages")}
"""Modules that are found by their names while the program runs, without an import statement."""


@dataclass(frozen=True)
class Room:
    """One folder, or one file that lies beside the folders.

    Attributes:
        name: Name inside the core, such as `training`; for a room of the interface its path, such as `pages/lab`.
        lines: Number of lines of each of its files.
        imports: Names of the rooms that it imports from, at any place in its files.
        is_folder: Whether it is a folder rather than one file.
    """

    name: str
    lines: tuple[int, ...]
    imports: frozenset[str]
    is_folder: bool

    @property
    def is_interface(self) -> bool:
        """Whether it is the app or belongs to its pages."""
        return self.name == "app" or self.name.startswith("pages")


def read_rooms(root: Path = ROOT) -> dict[str, Room]:
    """Return the rooms by name, in alphabetical order.

    Args:
        root: The checkout.
    """
    files = [root / "app.py", *sorted(root.glob("pages/**/*.py")), *sorted(root.glob(f"{CORE}/**/*.py"))]
    # Where a folder and a file beside it have one name, Python imports the folder: it comes last and wins.
    modules = {_module(file, root): file for file in sorted(files, key=lambda file: file.stem == "__init__")}
    lines: dict[str, list[int]] = {}
    imports: dict[str, set[str]] = {}
    for file in files:
        room = room_of(file, root)
        if not room:
            continue  # the package itself offers names that are looked up on first use
        text = file.read_text(encoding="utf-8")
        lines.setdefault(room, []).append(len(text.splitlines()))
        imports.setdefault(room, set()).update(room_of(modules[name], root) for name in _imported(text, set(modules)))
    for above, below in BY_NAME & {(above, below) for above in lines for below in lines}:
        imports[above].add(below)
    return {
        name: Room(
            name,
            tuple(sorted(lines[name], reverse=True)),
            frozenset(imports[name] - {name, ""}),
            is_folder=(root / name if name.startswith("pages") else root / CORE / name).is_dir(),
        )
        for name in sorted(lines)
    }


def room_of(file: Path, root: Path) -> str:
    """Return the name of the room that a file belongs to; empty for the package `metaiqa_core` itself.

    Args:
        file: A Python file of the code.
        root: The checkout.
    """
    top, *inner = file.relative_to(root).with_suffix("").parts
    if top == CORE:
        return "" if inner == ["__init__"] else inner[0]
    return "/".join([top, *inner[:-1][:1]])


def _module(file: Path, root: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(text: str, modules: set[str]) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                names.add(inner if inner in modules else node.module)
    return names & modules
