"""The documentation as tests read it: its pages, and of a page its commands, its Python, its links and its tables."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS, *sorted((ROOT / "assets").glob("*/README.md"))]
PROGRAMS = (["metaiqa"], ["python", "-m", "metaiqa_core"])


def text_of(page):
    return page.read_text(encoding="utf-8")


def blocks(text, language=None):
    """The code blocks of a page: those of one language, or all that are not in any, indented ones among them."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    if language:
        return [code for name, code in fenced if name == language]
    rest = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [code for name, code in fenced if not name] + re.findall(r"(?:^ {4}.*\n?)+", rest, flags=re.MULTILINE)


def spans(text):
    """What stands in backticks within the sentences of a page."""
    sentences = re.sub(r"^```.*?^```$|^ {4}.*$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", sentences)


def shell_lines(text):
    """The lines of a page's code blocks and its spans, as a shell takes them: continued lines are one."""
    lines = [line.strip() for block in blocks(text) for line in block.replace("\\\n", " ").splitlines()]
    return [re.sub(r'^eval "\$\((.*?)\)".*', r"\1", line) for line in [*lines, *spans(text)] if line]


def commands(text):
    """The commands of the program that a page names, each as the words after the program's name."""
    found = []
    for line in shell_lines(text):
        if "metaiqa" not in line or "COMMAND" in line:
            continue
        words = shlex.split(line.partition(" | ")[0], comments=True)
        if words[:1] == ["torchrun"]:
            words = ["python", *words[words.index("-m") :]]
        found += [words[len(program) :] for program in PROGRAMS if words[: len(program)] == program]
    return [words for words in found if words]


def links(text):
    """What a page links to and the pictures that it shows."""
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def tables(text):
    """The tables of a page: the heading's cells, then the rows' cells."""
    found = re.findall(r"(?:^\|.*\|\n)+", text + "\n", flags=re.MULTILINE)
    return [
        [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines() if set(row) - set("|-")]
        for table in found
    ]
