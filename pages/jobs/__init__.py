"""What only the page Training jobs shows."""
