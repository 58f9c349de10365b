"""Content that was judged whole before is not judged again: the judge takes longer to load than a photo to score.

An empty file in the cache says that this very content was found right, by this version of the program.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from metaiqa_core import __version__
from metaiqa_core.files import cache_folder
from metaiqa_core.json_files import constructed, validated

Kind = TypeVar("Kind")


def judged_once(kind: type[Kind], content: Mapping[str, Any]) -> Kind:
    """Return what `json_files.validated` returns, from the second time on without its judgement.

    Args:
        kind: Dataclass that is `STRICT`.
        content: Values as `read_json` gives them.

    Raises:
        ValueError: If a field is wrong.
    """
    said = json.dumps([__version__, kind.__name__, repr(kind.__annotations__), content], sort_keys=True)
    mark = cache_folder() / "judged" / hashlib.sha256(said.encode()).hexdigest()
    with contextlib.suppress(OSError, TypeError, ValueError, StopIteration):  # whatever is odd is judged
        if mark.is_file():
            return constructed(kind, content)
    found = validated(kind, content)
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, nothing else
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    return found
