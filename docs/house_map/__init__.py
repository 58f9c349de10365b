"""The map of the house: a picture of the code's rooms and floors, drawn from its real imports."""
