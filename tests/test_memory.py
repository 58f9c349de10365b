"""A process that keeps its freed memory has it at hand for its next tensors."""

import ctypes
import subprocess
import sys

import pytest

TENSOR = 64 * 2**20

PROGRAM = """
import ctypes, sys
import torch
from metaiqa_core.memory import keep_freed_memory

FIELDS = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"

class Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in FIELDS.split()]

mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Mallinfo
if sys.argv[1] == "keep":
    keep_freed_memory()
torch.ones(int(sys.argv[2]) // 4)
print(mallinfo().fordblks)
"""


def free_memory_held(word):
    """Bytes that a program holds free, by the C library's own count, after it has freed a tensor."""
    arguments = [sys.executable, "-c", PROGRAM, word, str(TENSOR)]
    return int(subprocess.run(arguments, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc 2.33 or later"
)
def test_what_a_tensor_took_is_held_for_the_next_only_when_asked():
    assert free_memory_held("leave") < TENSOR / 2
    assert free_memory_held("keep") >= TENSOR


SCATTERED = """
import sys
import psutil
from metaiqa_core.memory import give_freed_memory_back

blocks = [bytes(60_000) for _ in range(2000)]  # too small to be taken from the system one by one
kept = blocks[::100]
del blocks
before = psutil.Process().memory_info().rss
if sys.argv[1] == "give":
    give_freed_memory_back()
print(before - psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="glibc"
)
def test_what_is_free_between_blocks_in_use_is_given_back_only_when_asked():
    given = {}
    for word in ("leave", "give"):
        arguments = [sys.executable, "-c", SCATTERED, word]
        given[word] = int(subprocess.run(arguments, capture_output=True, text=True, check=True).stdout)
    assert given["leave"] < 2**20
    assert given["give"] > 50 * 2**20
