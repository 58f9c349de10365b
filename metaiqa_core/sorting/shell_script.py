"""A script that moves the rejected photos into a folder of their own, and back."""

import os
from collections.abc import Iterable

from metaiqa_core.sorting.decisions import Decision
from metaiqa_core.sorting.sorted_photo import SortedPhoto

REJECTED = "rejected"
"""Folder that the rejected photos are moved into."""

_HEAD = """\
#!/bin/sh
# Moves the rejected photos into the folder "{folder}", and back. Made by MetaIQA.
#
# Run it in a terminal, in the folder that the photos came from:
#     sh {file}          moves {count} into ./{folder}
#     sh {file} back     moves them back
#
# Nothing is deleted or overwritten. A file of another size than the photo that was judged stays where it is.

case "${{1:-}}" in
  "" | back) direction=${{1:-away}} ;;
  *) printf 'Expected no argument or "back", got "%s".\\n' "$1" >&2; exit 2 ;;
esac
moved=0
left=0

stays() {{
  printf '%s: %s\\n' "$1" "$2" >&2
  left=$((left + 1))
}}

# move SIZE NAME
move() {{
  if [ "$direction" = back ]; then from="./{folder}/$2" to="./$2"; else from="./$2" to="./{folder}/$2"; fi
  if [ -e "$to" ] || [ -L "$to" ]; then
    stays "$to" "there is a file already"
  elif [ ! -f "$from" ]; then
    stays "$from" "there is no such file here"
  elif [ "$(($(wc -c < "$from")))" -ne "$1" ]; then
    stays "$from" "this is not the file that was judged"
  elif mkdir -p "${{to%/*}}" && mv "$from" "$to"; then
    moved=$((moved + 1))
  else
    stays "$from" "it could not be moved"
  fi
}}

"""
_END = """
if [ "$direction" = back ]; then find "./{folder}" -depth -type d -exec rmdir {{}} + 2>/dev/null; fi
printf '%d of {total} photos were moved.\\n' "$moved"
[ "$left" -eq 0 ]
"""


def shell_script(photos: Iterable[SortedPhoto], file: str = "move_rejected.sh") -> bytes:
    """Return a POSIX shell script that moves the rejected photos away, or back with the argument `back`.

    Args:
        photos: Photos with any decisions.
        file: Name of the script, for its own explanation.

    Raises:
        OutputError: If the name of a rejected photo leads out of its folder.
    """
    rejected = [photo for photo in photos if photo.decision == Decision.REJECT]
    lines = [f"move {photo.size} {quoted(photo.path().as_posix())}\n" for photo in rejected]
    count = f"{len(rejected)} photo{'' if len(rejected) == 1 else 's'}"
    head = _HEAD.format(folder=REJECTED, file=file, count=count)
    # A name that is not UTF-8 gets its own bytes.
    return os.fsencode(head + "".join(lines) + _END.format(folder=REJECTED, total=len(rejected)))


def quoted(text: str) -> str:
    r"""Return text as one word of a POSIX shell, whatever it holds.

    >>> quoted("it's $x")
    "'it'\\''s $x'"
    """
    return "'" + text.replace("'", "'\\''") + "'"
