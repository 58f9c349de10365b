"""The networks, and the files that carry them: weights, configuration, preprocessing and card, always together."""
