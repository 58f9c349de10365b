"""Evaluation: the agreement of predictions with people's opinion scores."""
