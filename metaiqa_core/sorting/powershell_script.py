"""The script that moves the rejected photos, for Windows."""

import codecs
from collections.abc import Iterable

from metaiqa_core.sorting.decisions import Decision
from metaiqa_core.sorting.shell_script import REJECTED
from metaiqa_core.sorting.sorted_photo import SortedPhoto

_QUOTES = "'\u2018\u2019\u201a\u201b"
"""PowerShell takes each of them for the end of a quoted text."""

_HEAD = """\
# Moves the rejected photos into the folder "{folder}", and back. Made by MetaIQA.
#
# Run it in PowerShell, in the folder that the photos came from:
#     powershell -ExecutionPolicy Bypass -File {file}          moves {count} into {folder}
#     powershell -ExecutionPolicy Bypass -File {file} -Back    moves them back
#
# Nothing is deleted or overwritten. A file of another size than the photo that was judged stays where it is.
param([switch]$Back)
$here = (Get-Location).ProviderPath
$moved = 0
$left = 0

function Move-Photo([long]$size, [string]$name) {{
  $reason = ''
  try {{
    $kept = [IO.Path]::Combine($here, $name)
    $away = [IO.Path]::Combine($here, '{folder}', $name)
    if ($Back) {{ $from = $away; $to = $kept }} else {{ $from = $kept; $to = $away }}
    if ([IO.File]::Exists($to)) {{ $reason = 'there is a file already at the new place' }}
    elseif (-not [IO.File]::Exists($from)) {{ $reason = 'there is no such file here' }}
    elseif ((New-Object IO.FileInfo $from).Length -ne $size) {{ $reason = 'this is not the file that was judged' }}
    else {{
      [void][IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($to))
      [IO.File]::Move($from, $to)
      $script:moved += 1
      return
    }}
  }} catch {{ $reason = 'it could not be moved' }}
  [Console]::Error.WriteLine($name + ': ' + $reason)
  $script:left += 1
}}

"""
_END = """
Write-Output "$moved of {total} photos were moved."
exit [int]($left -gt 0)
"""


def powershell_script(photos: Iterable[SortedPhoto], file: str = "move_rejected.ps1") -> bytes:
    """Return a PowerShell script that moves the rejected photos away, or back with the switch `-Back`.

    Args:
        photos: Photos with any decisions.
        file: Name of the script, for its own explanation.

    Raises:
        OutputError: If the name of a rejected photo leads out of its folder.
    """
    rejected = [photo for photo in photos if photo.decision == Decision.REJECT]
    count = f"{len(rejected)} photo{'' if len(rejected) == 1 else 's'}"
    head = _HEAD.format(folder=REJECTED, file=file, count=count).replace("\n", "\r\n")
    end = _END.format(total=len(rejected)).replace("\n", "\r\n")
    moves = (f"Move-Photo {photo.size} {quoted(photo.path().as_posix())}\r\n" for photo in rejected)
    # Without the mark, the PowerShell that comes with Windows would not read UTF-8.
    return codecs.BOM_UTF8 + (head + "".join(moves) + end).encode("utf-8", "replace")


def quoted(text: str) -> str:
    """Return text as one word of PowerShell, whatever it holds.

    >>> quoted("it's $x")
    "'it''s $x'"
    """
    return "'" + "".join(character * 2 if character in _QUOTES else character for character in text) + "'"
