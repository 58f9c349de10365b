"""What only the page Score photos shows."""
