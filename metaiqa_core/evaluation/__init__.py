"""How well predictions agree with people."""
