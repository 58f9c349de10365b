"""Parts of the page Gradient maps alone."""
