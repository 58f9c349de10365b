"""Training as detached processes: started from a page, kept in a run folder, alive without the page.

    start -> job.json -> supervisor (a process of its own, waits for its turn) -> the command -> metrics.csv, log.txt

The app reads the folder to show a job; a job waits, works and ends without the app.
"""
