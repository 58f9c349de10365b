"""What only the two result pages show: Leave-one-distortion-out, and Authentic databases."""
