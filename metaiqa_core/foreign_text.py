r"""Text that others wrote, such as the name of a file, made harmless for a terminal or a table and kept whole.

Each medium has one function: `printable` for a terminal, `csv_text` for a cell of CSV; the pages have their own for
Markdown and charts.

A file name of Unix is bytes. `path_text` writes those that are not UTF-8 as `\xE9`, for CSV and JSON, which are UTF-8
throughout; `path_from_text` gives the very file back.
"""

import os
import re
import unicodedata

TYPE_CHECKING = False  # see metaiqa_core/__init__.py

if TYPE_CHECKING:
    from pathlib import Path

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Characters at which a spreadsheet begins a formula; the last four are the wide forms of the first four."""
_QUOTED_FORMULA = re.compile(f"'*[{re.escape(''.join(_FORMULA_STARTS))}]")


def printable(text: str, *, keep: str = "") -> str:
    r"""Return text as any terminal can show it: unprintable characters become escapes such as `\n` or `\x1b`.

    Control characters would move the cursor or change the terminal, invisible ones reorder the text.

    Args:
        text: Any text, with lone surrogates where a file name is not UTF-8.
        keep: Characters that stay although they are not printable, such as line ends.

    >>> printable("a\nb\x1b[31m.jpg")
    'a\\nb\\x1b[31m.jpg'
    """
    if text.isprintable():
        return text
    return "".join(one if one in keep or _can_be_shown(one) else _escape(one) for one in text)


def path_text(path: str | os.PathLike[str]) -> str:
    r"""Return a path as UTF-8 text for CSV and JSON, from which `path_from_text` makes the path again.

    A name that is UTF-8 stays as it is. In one that is not, or that holds a backslash followed by `x`, each byte that
    is not UTF-8 is written as `\xE9` and each backslash twice. A relative path that a spreadsheet would run as a
    formula gets `./` in front, which names the same file.

    >>> path_text(os.fsdecode(b"caf\xe9.jpg")), path_text("=1+1.jpg")
    ('caf\\xE9.jpg', './=1+1.jpg')
    """
    text = name_text(os.fspath(path))
    return f"./{text}" if text.startswith(_FORMULA_STARTS) else text


def name_text(name: str) -> str:
    r"""Return the name of a file or a folder as UTF-8 text, such as the name of a run, from which it is told again.

    It is what `path_text` writes, without the guard against formulas.

    >>> name_text(os.fsdecode(b"caf\xe9")), name_text("=1+1")
    ('caf\\xE9', '=1+1')
    """
    if os.name == "posix" and ("\\x" in name or _has_surrogates(name)):
        return "".join(_escape(one) if _is_surrogate(one) else "\\\\" if one == "\\" else one for one in name)
    return name


def path_from_text(text: str) -> "Path":
    r"""Return the path that `path_text` wrote.

    >>> from pathlib import Path
    >>> path_from_text("caf\\xE9.jpg") == Path(os.fsdecode(b"caf\xe9.jpg"))
    True
    """
    from pathlib import Path

    if os.name == "posix" and "\\x" in text:
        text = re.sub(
            r"\\(?:\\|x([0-9A-F]{2}))", lambda match: chr(0xDC00 + int(match[1], 16)) if match[1] else "\\", text
        )
    return Path(text)


def csv_text(text: str) -> str:
    """Return text for a cell of a CSV file: valid UTF-8, and led by `'` where a spreadsheet would run it as a formula.

    A text that looks as if it had been changed so gets one more `'`: `text_from_csv` gives back every text that is
    valid UTF-8.

    >>> csv_text("=1+1"), csv_text("'=1+1"), csv_text("a = b"), csv_text("'s")
    ("'=1+1", "''=1+1", 'a = b', "'s")
    """
    if _has_surrogates(text):
        text = "".join(_escape(one) if _is_surrogate(one) else one for one in text)
    return f"'{text}" if _QUOTED_FORMULA.match(text) else text


def text_from_csv(cell: str) -> str:
    """Return the text that `csv_text` wrote.

    >>> text_from_csv("'=1+1"), text_from_csv("''=1+1"), text_from_csv("'s")
    ('=1+1', "'=1+1", "'s")
    """
    return cell[1:] if cell.startswith("'") and _QUOTED_FORMULA.match(cell) else cell


def _can_be_shown(character: str) -> bool:
    # Spaces of other widths count as not printable in Python; a terminal shows them as they are.
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _is_surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"


def _has_surrogates(text: str) -> bool:
    return any(map(_is_surrogate, text)) if not text.isascii() else False


def _escape(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # how Python keeps a byte that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02X}"
    return character.encode("unicode_escape").decode("ascii")


def about_file(file: str, reason: str) -> str:
    """Return a reason with the file that it is about, which is named once.

    >>> about_file("trip/cut.jpg", "cut.jpg is damaged.")
    'trip/cut.jpg is damaged.'
    >>> about_file("trip/cut.jpg", "It is damaged.")
    'trip/cut.jpg: It is damaged.'

    Args:
        file: Name or path of the file.
        reason: Sentence, which most often begins with the file's name.
    """
    name = os.path.split(file)[1]
    begins_with_it = name and reason.startswith(f"{name} ")
    return f"{file}{reason.removeprefix(name)}" if begins_with_it else f"{file}: {reason}"
