"""`python -m metaiqa_core`: the command line."""

import sys

from metaiqa_core.cli import main

sys.exit(main())
