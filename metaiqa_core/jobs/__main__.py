"""Supervise one job: `python -m metaiqa_core.jobs RUN_DIR`. The app starts this; people start commands themselves."""

import sys
from pathlib import Path

from metaiqa_core.errors import JobError
from metaiqa_core.jobs.supervisor import supervise

if __name__ == "__main__":
    try:
        supervise(Path(sys.argv[1]))
    except (JobError, OSError, IndexError) as error:
        sys.exit(str(error))
