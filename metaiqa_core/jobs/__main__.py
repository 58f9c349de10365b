"""Supervise one job: `python -m metaiqa_core.jobs RUN_DIR LOCK`. The app starts this, people start commands."""

import sys
from pathlib import Path

from metaiqa_core.errors import JobError
from metaiqa_core.jobs.supervisor import supervise

if __name__ == "__main__":
    try:
        supervise(Path(sys.argv[1]), int(sys.argv[2]))
    except (JobError, OSError, IndexError, ValueError) as error:
        sys.exit(str(error))
