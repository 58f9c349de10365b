"""`python -m metaiqa_core`: the command line."""

import sys

from metaiqa_core.cli import main
from metaiqa_core.memory import keep_freed_memory

keep_freed_memory()
sys.exit(main())
