"""Training loops; each yields `Progress` and never prints, draws or calls back."""
