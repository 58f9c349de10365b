"""Parts of the page About alone."""
