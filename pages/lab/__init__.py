"""Parts of the page Distortion lab alone."""
