"""What only the page Gradient maps shows."""
