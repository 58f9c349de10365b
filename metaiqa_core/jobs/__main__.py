"""Keep one job: `python -m metaiqa_core.jobs RUN_DIR`; the app starts this, people start the commands themselves."""

import sys
from pathlib import Path

from metaiqa_core.errors import JobError
from metaiqa_core.jobs.keeper import keep

if __name__ == "__main__":
    try:
        keep(Path(sys.argv[1]))
    except (JobError, OSError, IndexError) as error:
        sys.exit(str(error))
