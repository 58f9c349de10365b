"""What only the page About shows."""
