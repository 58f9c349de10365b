"""Parts of the two result pages alone: Leave-one-distortion-out, and Authentic databases."""
