"""Sessions of the app that outlive a reload and a restart: a folder each, deleted on request and by age."""
