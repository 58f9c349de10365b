"""The options that several commands share, each group with the function that reads it into a typed value."""
