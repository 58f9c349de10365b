"""Draw the map anew: `python -m docs.house_map` writes docs/house.svg."""

from docs.house_map.arrangement import arrange
from docs.house_map.drawing import PICTURE, draw
from docs.house_map.rooms import read_rooms

PICTURE.write_text(draw(arrange(read_rooms())), encoding="utf-8")
