"""Where in a photo its score comes from: attribution maps over the real photo, each with evidence for or against it."""
