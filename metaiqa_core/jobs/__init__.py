"""Training as detached processes: started from a page, kept in a run folder, alive without the page.

    start -> job.json -> supervisor (a process of its own, waits for its turn) -> the command -> metrics.csv, log.txt

Whoever looks reads the folder; nobody needs to be there while a job waits, works or ends.
"""
