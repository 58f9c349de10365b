"""Parts of the page Training jobs alone."""
