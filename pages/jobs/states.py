"""The states of a job, as the page shows them."""

from metaiqa_core.jobs.job import State

WORDS = {
    State.QUEUED: (":material/hourglass_empty:", "waiting for its turn", "orange"),
    State.RUNNING: (":material/play_arrow:", "running", "blue"),
    State.CANCELLING: (":material/stop:", "being cancelled", "orange"),
    State.FINISHED: (":material/check:", "finished", "green"),
    State.FAILED: (":material/error:", "failed", "red"),
    State.CANCELLED: (":material/stop:", "cancelled", "gray"),
    State.STALE: (":material/warning:", "interrupted", "orange"),
    State.TERMINAL: (":material/terminal:", "started in a terminal", "gray"),
}
"""Sign, word and colour of each state; the word alone suffices."""
