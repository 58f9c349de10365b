"""A device that is none: tensors that only compute with their like, as those of a GPU do, on any machine.

What is there lies in the processor's memory all the same and gets the same bits. An operation on tensors of which some
are there and some are not fails, as it would on a GPU.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

ELSEWHERE = torch.device("lazy", 0)
"""One of torch's names for a kind of device that needs nothing to be installed."""


class TensorElsewhere(torch.Tensor):
    """A tensor that says that it is elsewhere."""

    @staticmethod
    def __new__(cls, inner):
        """Wrap a tensor of the processor."""
        return torch.Tensor._make_wrapper_subclass(
            cls,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=ELSEWHERE,
        )

    def __init__(self, inner):
        self.inner = inner

    @property
    def data(self):
        """The tensor without its history; writing to it writes to this one."""
        return torch.Tensor.data.__get__(self)

    @data.setter
    def data(self, other):
        torch.Tensor.data.__set__(self, other)
        self.inner = other.inner

    def __reduce_ex__(self, protocol):
        """Let a file hold what is wrapped."""
        return self.inner.__reduce_ex__(protocol)

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        """Compute, if all tensors are in one place."""
        return _compute(operation, args, kwargs or {})


class PretendDevice(TorchDispatchMode):
    """A context in which tensors can be made elsewhere and moved there and back."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        """Compute, if all tensors are in one place."""
        return _compute(operation, args, kwargs or {})


def _compute(operation, args, kwargs):
    name = operation._schema.name
    tensors = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, torch.Tensor)]
    elsewhere = [one for one in tensors if isinstance(one, TensorElsewhere)]
    # Numbers wrapped into tensors go everywhere, and so they do on a GPU.
    here = [one for one in tensors if not isinstance(one, TensorElsewhere) and one.dim()]
    result_is_elsewhere = bool(elsewhere)
    if kwargs.get("device") is not None:
        result_is_elsewhere = torch.device(kwargs["device"]).type == ELSEWHERE.type
        kwargs = {**kwargs, "device": torch.device("cpu")}
    if name not in ("aten::_to_copy", "aten::copy_") and elsewhere and here:
        raise RuntimeError(f"{name}: some of the tensors are on the processor, and some are not")
    if kwargs.get("out") is not None or (operation._schema.is_mutable and name.endswith("_")):
        _real(operation, args, kwargs)
        return kwargs.get("out", args[0])
    result = _real(operation, args, kwargs)
    if not result_is_elsewhere or name == "aten::_local_scalar_dense":
        return result
    return tree_map(lambda one: TensorElsewhere(one) if isinstance(one, torch.Tensor) else one, result)


def _real(operation, args, kwargs):
    args, kwargs = tree_map(lambda one: one.inner if isinstance(one, TensorElsewhere) else one, (args, kwargs))
    return operation(*args, **kwargs)
