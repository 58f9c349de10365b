"""Teaching a model one person's taste: ratings, inference, judgement, questions, and the personal model."""
