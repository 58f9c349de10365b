"""The PowerShell script that moves the rejected: read by a parser of its language, and run where PowerShell is."""

import re
import shutil
import subprocess

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Parser

from metaiqa_core.sorting import powershell_script
from metaiqa_core.sorting.decisions import Decision
from metaiqa_core.sorting.sorted_photo import SortedPhoto

POWERSHELL = shutil.which("powershell") or shutil.which("pwsh")
NAMES = [
    "plain.jpg",
    "it's $(calc) `calc`.jpg",
    "-rf.jpg",
    "trip/day 1/x.jpg",
    "a[1].jpg",
    "#x, @(calc) {$x} & %TEMP%.jpg",
    "x'; calc; '.jpg",
    "‘typographic’ ‚x‛ “y” „z.jpg",
    "'.jpg",
    "café",
]
IMPOSSIBLE_ON_WINDOWS = ['a "b" \\ | <x> *.jpg', "two\nlines.jpg", "caf\udce9.jpg", "end'"]
WORDS = ["decimal_integer_literal", "verbatim_string_characters"]
"""Kinds of the arguments of a move: a number, and a text in which nothing but a doubled quote has a meaning."""


def rejected(names):
    return [SortedPhoto(name, 7 + number, Decision.REJECT) for number, name in enumerate(names)]


def commands_of(script):
    """The commands of a script: the name of each, and its arguments as kinds and text."""
    tree = Parser(Language(tree_sitter_powershell.language())).parse(script.decode("utf-8-sig").encode())
    assert not tree.root_node.has_error
    waiting, found = [tree.root_node], []
    while waiting:
        node = waiting.pop()
        waiting += reversed(node.children)
        if node.type == "command":
            name, *elements = node.named_children
            parts = [part for element in elements for part in element.named_children]
            arguments = [(kind_of(part), part.text.decode()) for part in parts if part.type != "command_argument_sep"]
            found.append((name.text.decode(), arguments))
    return found


def kind_of(node):
    """The innermost kind of a node, down to where it has more parts than one, or none."""
    while node.named_child_count == 1:
        node = node.named_children[0]
    return node.type


def test_the_script_is_well_formed_and_takes_every_name_for_one_word():
    photos = rejected([*NAMES, *IMPOSSIBLE_ON_WINDOWS])
    commands = commands_of(powershell_script.powershell_script([*photos, SortedPhoto("kept", 1, Decision.KEEP)]))
    assert [name for name, _ in commands if name != "Move-Photo"] == ["Get-Location", "New-Object", "Write-Output"]
    moves = [arguments for name, arguments in commands if name == "Move-Photo"]
    assert all([kind for kind, _ in arguments] == WORDS for arguments in moves)
    assert [int(size) for (_, size), _ in moves] == [photo.size for photo in photos]
    texts = [text for _, (_, text) in moves]
    assert all(re.fullmatch(r"'([^'‘’‚‛]|(['‘’‚‛])\2)*'", text) for text in texts)
    read = [re.sub(r"(['‘’‚‛])\1", r"\1", text[1:-1]) for text in texts]
    assert read == [photo.name.encode("utf-8", "replace").decode() for photo in photos]


def test_a_quote_that_is_not_doubled_would_run_what_follows_it(monkeypatch):
    monkeypatch.setattr(powershell_script, "_QUOTES", "")
    script = powershell_script.powershell_script(rejected(["x'; calc; '.jpg"]))
    assert "calc" in [name for name, _ in commands_of(script)]


@pytest.mark.skipif(POWERSHELL is None, reason="no PowerShell on this machine")
def test_powershell_moves_the_rejected_and_back_and_leaves_another_file_of_that_name(tmp_path):
    folder, photos = tmp_path / "photos", rejected(NAMES)
    for photo in photos:
        place = folder / photo.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(bytes(photo.size))
    (folder / "plain.jpg").write_bytes(b"another photo of this name")
    script = tmp_path / "move_rejected.ps1"
    script.write_bytes(powershell_script.powershell_script(photos))
    command = [POWERSHELL, "-NoProfile", "-ExecutionPolicy", "Bypass", "-File", str(script)]
    outcome = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert (outcome.returncode, outcome.stdout.strip()) == (1, f"{len(NAMES) - 1} of {len(NAMES)} photos were moved.")
    assert outcome.stderr.strip() == "plain.jpg: this is not the file that was judged"
    moved = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert moved == {"plain.jpg", *(f"rejected/{name}" for name in NAMES if name != "plain.jpg")}
    subprocess.run([*command, "-Back"], cwd=folder, check=False, timeout=120)
    assert all((folder / name).is_file() for name in NAMES)
