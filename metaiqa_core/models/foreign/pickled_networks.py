"""Named tensors of the object that a pickle describes: a whole network, a state dict, or a dictionary around either."""

from typing import Any

from torch import Tensor

from metaiqa_core.errors import CheckpointError
from metaiqa_core.models.foreign.inert_pickle import Record
from metaiqa_core.models.foreign.torch_archives import Archive, is_tensor

ENTRY_LIMIT = 20_000  # modules, parameters and buffers together; ResNet152 has about 2,000

_NAME_LENGTH_LIMIT = 500
_TRANSIENT = "_non_persistent_buffers_set"
_WRAPPER_KEYS = ("state_dict", "model_state_dict", "model", "params")


def named_tensors(archive: Archive) -> dict[str, Tensor]:
    """Return the tensors that an archive holds, by the names of the network's state dict.

    Args:
        archive: Archive whose root is a pickled `torch.nn.Module`, a state dict, or a dictionary that holds either
            under one of the usual keys. Anything else holds no tensors.

    Raises:
        CheckpointError: If a tensor is damaged, or there are more than `ENTRY_LIMIT`.
    """
    value = archive.root
    for _ in _WRAPPER_KEYS:  # a network in a dictionary in a dictionary; a cycle must not hold us up
        items = _items(value)
        wrapped = next((items[key] for key in _WRAPPER_KEYS if _is_container(items.get(key))), None)
        if wrapped is None:
            break
        value = wrapped
    entries = _module_entries(value, archive.source) if _is_module(value) else _items(value)
    tensors = {name: entry for name, entry in entries.items() if is_tensor(entry)}
    if len(tensors) > ENTRY_LIMIT or any(len(name) > _NAME_LENGTH_LIMIT for name in tensors):
        raise _too_complicated(archive.source)
    return {name: archive.tensor(entry) for name, entry in tensors.items()}


def _module_entries(network: Record, source: str) -> dict[str, Any]:
    """Name the parameters and persistent buffers of a pickled `torch.nn.Module` as its `state_dict` would."""
    entries: dict[str, Any] = {}
    pending, visited = [("", network)], 0
    while pending:
        prefix, module = pending.pop()
        stored = [module.state.get(key) for key in ("_parameters", "_buffers", "_modules", _TRANSIENT)]
        # A hostile network may contain itself: count what is visited, not what is there.
        visited += 1 + sum(map(_length, stored))
        if visited > ENTRY_LIMIT or len(prefix) > _NAME_LENGTH_LIMIT:
            raise _too_complicated(source)
        parameters, buffers, children = map(_items, stored[:3])
        transient = _strings(stored[3])
        entries.update({prefix + name: value for name, value in parameters.items()})
        entries.update({prefix + name: value for name, value in buffers.items() if name not in transient})
        pending += [(f"{prefix}{name}.", child) for name, child in reversed(children.items()) if _is_module(child)]
    return entries


def _is_module(value: Any) -> bool:
    return isinstance(value, Record) and isinstance(value.state, dict) and "_modules" in value.state


def _is_container(value: Any) -> bool:
    return _is_module(value) or bool(_items(value))


def _strings(value: Any) -> set[str]:
    match value:
        case Record(arguments=(list() as members,)):  # how protocol 2 pickles a set
            pass
        case list() as members:
            pass
        case _:
            return set()
    return {member for member in members if isinstance(member, str)}


def _length(value: Any) -> int:
    if isinstance(value, Record):
        return len(value.items) + sum(len(contents) for contents in value.arguments[:1] if isinstance(contents, list))
    return len(value) if isinstance(value, dict | list) else 0


def _items(value: Any) -> dict[str, Any]:
    """Return the entries of a dictionary or of an inert OrderedDict; none for anything else."""
    if isinstance(value, Record):
        items = dict(value.items)
        match value.arguments:
            case (list() as pairs,):  # Python 2 pickles an OrderedDict as a list of pairs
                items |= {pair[0]: pair[1] for pair in pairs if _is_named_pair(pair)}
        return items
    return value if isinstance(value, dict) else {}


def _is_named_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[0], str)


def _too_complicated(source: str) -> CheckpointError:
    return CheckpointError(
        f"{source} is more complicated than a model: over {ENTRY_LIMIT:,} tensors, or endlessly nested. Save the "
        "network's state dict and import that file."
    )
