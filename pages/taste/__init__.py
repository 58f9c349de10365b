"""The parts of the page Teach it your taste."""
