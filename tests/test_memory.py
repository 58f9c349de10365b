"""A process that keeps its freed memory does not ask the system for it again."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import torch
from metaiqa_core.memory import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()
for _ in range(10):
    torch.ones(16 * 2**20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


def page_faults(word):
    """Page faults of a program that makes ten tensors of 64 MB, one after the other."""
    shown = subprocess.run([sys.executable, "-c", PROGRAM, word], capture_output=True, text=True, check=True).stdout
    return int(shown)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_further_tensors_lie_where_the_first_one_was():
    pages_of_a_tensor = 64 * 2**20 // 4096
    assert page_faults("leave") - page_faults("keep") > 5 * pages_of_a_tensor
