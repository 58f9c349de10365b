"""What only the page Distortion lab shows."""
