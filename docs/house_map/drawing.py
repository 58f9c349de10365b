"""The picture itself: rooms on floors under a roof, light or dark as the reader's screen is."""

from xml.sax.saxutils import escape, quoteattr

from docs.house_map.arrangement import House, room_width, shown_name, size_in_words
from docs.house_map.rooms import ROOT, Room

PICTURE = ROOT / "docs" / "house.svg"
ROOM_HEIGHT = 66
FLOOR = 106
BAR = 32.0  # pixels of the tallest file
MARGIN = 64
ROOF = 210
PLINTH = 104
LEGEND = 84

STYLE = """
  svg { --paper: #fbfaf8; --wall: #d8d2c7; --inside: #ffffff; --ink: #22292e; --soft: #69737a; --arrow: #8f9aa1;
    --core: #e3eef3; --core-edge: #2f6f8f; --face: #fbeadb; --face-edge: #b9622a; --door: #e9e4f3; --door-edge: #6a55a3;
    --ground: #ece9e2; --ground-edge: #877e6d; --roof: #a94f35; --roof-edge: #8c3e28; --on-roof: #ffffff; }
  @media (prefers-color-scheme: dark) { svg { --paper: #14181b; --wall: #343d43; --inside: #1a2024; --ink: #e8e6e1;
    --soft: #9aa5ab; --arrow: #66747c; --core: #1d3440; --core-edge: #6fb3d2; --face: #3d2a1c; --face-edge: #e09a62;
    --door: #2c2742; --door-edge: #a892e0; --ground: #2a2a27; --ground-edge: #a39a86; --roof: #74331f;
    --roof-edge: #97492f; --on-roof: #fbeee6; } }
  text { font-family: system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; fill: var(--ink); }
  .name { font-size: 15px; font-weight: 600; } .size { font-size: 12px; fill: var(--soft); }
  .said { font-size: 13px; fill: var(--soft); } .title { font-size: 30px; font-weight: 700; fill: var(--on-roof); }
  .arrow { fill: none; stroke: var(--arrow); stroke-width: 1.5; } .tip { fill: var(--arrow); }
  .core { --fill: var(--core); --edge: var(--core-edge); }
  .interface { --fill: var(--face); --edge: var(--face-edge); }
  .entrance { --fill: var(--door); --edge: var(--door-edge); }
  .ground { --fill: var(--ground); --edge: var(--ground-edge); }
  .room rect.box { fill: var(--fill); stroke: var(--edge); stroke-width: 1.2; } .room rect.file { fill: var(--edge); }
  .room line { stroke: var(--edge); stroke-width: 0.7; stroke-dasharray: 2 3; opacity: 0.8; }
"""


def draw(house: House) -> str:
    """Return the map as SVG.

    A room is a `g` with its name, floor and all its imports as data; an arrow is a `path` with the rooms that it joins.
    """
    edges = [(house.centres[name], room_width(room) / 2) for name, room in house.rooms.items()]
    xs = [x for way in house.arrows.values() for x in way]
    left = min([*(x - half for x, half in edges), *xs]) - 40
    width = max([*(x + half for x, half in edges), *xs]) - left + 40
    top = max(house.floors.values())
    picture = _Picture(house, left - MARGIN, top)
    eaves, sill = MARGIN + ROOF, MARGIN + ROOF + FLOOR * (top - 1) + 26
    whole = width + 2 * MARGIN, sill + PLINTH + LEGEND
    body = [
        f'<rect width="{whole[0]:.0f}" height="{whole[1]:.0f}" fill="var(--paper)"/>',
        f'<rect x="{MARGIN}" y="{eaves - 6}" width="{width:.0f}" height="{sill - eaves + 6}" '
        'fill="var(--inside)" stroke="var(--wall)" stroke-width="3"/>',
        f'<rect x="{MARGIN - 22}" y="{sill}" width="{width + 44:.0f}" height="{PLINTH}" rx="4" fill="var(--wall)"/>',
        _roof(whole[0], eaves),
        *(picture.arrow(*ends) for ends in house.arrows),
        *(picture.room(room) for room in house.rooms.values()),
        _legend(whole[1]),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole[0]:.0f} {whole[1]:.0f}" role="img" '
        'aria-label="The rooms of MetaIQA on their floors; each arrow is an import and points down.">\n'
        f"<style>{STYLE}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


class _Picture:
    def __init__(self, house: House, left: float, top: int) -> None:
        self._house, self._left, self._top = house, left, top

    def _y(self, floor: float) -> float:
        """Return the upper edge of a floor's rooms: the highest is in the roof, the ground in the plinth."""
        if floor == 0:
            return MARGIN + ROOF + FLOOR * (self._top - 1) + 26 + (PLINTH - ROOM_HEIGHT) / 2
        return MARGIN + ROOF + FLOOR * (self._top - floor - 1) + (28 if floor < self._top else 4)

    def arrow(self, above: str, below: str) -> str:
        house, way = self._house, [x - self._left for x in self._house.arrows[above, below]]
        floors = [house.floors[above] - step for step in range(len(way))]
        x, y = way[0], self._y(floors[0]) + ROOM_HEIGHT
        path = f"M{x:.1f} {y:.1f}"
        for floor, to in zip(floors[1:], way[1:], strict=True):
            enter = self._y(floor) - (6 if floor == floors[-1] else 0)
            middle = (y + enter) / 2
            path += f"C{x:.1f} {middle:.1f} {to:.1f} {middle:.1f} {to:.1f} {enter:.1f}"
            x, y = to, enter
            if floor != floors[-1]:
                y += ROOM_HEIGHT
                path += f"V{y:.1f}"
        tip = f"M{x - 4:.1f} {y:.1f}h8l-4 6z"
        ends = f"data-from={quoteattr(above)} data-to={quoteattr(below)}"
        return f'<path class="arrow" {ends} d="{path}"/><path class="tip" d="{tip}"/>'

    def room(self, room: Room) -> str:
        floor, width = self._house.floors[room.name], room_width(room)
        x, y = self._house.centres[room.name] - self._left - width / 2, self._y(floor)
        imports = " ".join(sorted(room.imports))
        base = y + ROOM_HEIGHT - 10
        parts = [
            f'<g class="room {_kind(room, floor)}" data-room={quoteattr(room.name)} data-floor="{floor}" '
            f"data-imports={quoteattr(imports)}>",
            f"<title>{escape(_description(room))}</title>",
            f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{ROOM_HEIGHT}" rx="6"/>',
            f'<text class="name" x="{x + 12:.1f}" y="{y + 19:.1f}">{escape(shown_name(room))}</text>',
            f'<text class="size" x="{x + width - 10:.1f}" y="{y + 19:.1f}" text-anchor="end">',
            f"{size_in_words(room)}</text>",
        ]
        for number, lines in enumerate(room.lines):
            left, height = x + 12 + 6 * number, _height(lines)
            parts.append(f'<rect class="file" x="{left:.1f}" y="{base - height:.1f}" width="4" height="{height:.1f}"/>')
        hundred = base - _height(100)
        parts.append(f'<line x1="{x + 8:.1f}" x2="{x + width - 8:.1f}" y1="{hundred:.1f}" y2="{hundred:.1f}"/></g>')
        return "".join(parts)


def _kind(room: Room, floor: int) -> str:
    if room.is_interface:
        return "interface"
    return "entrance" if room.name in ("cli", "__main__") else "core" if floor else "ground"


def _description(room: Room) -> str:
    files = "1 file" if len(room.lines) == 1 else f"{len(room.lines)} files"
    imports = f"imports {', '.join(sorted(room.imports))}" if room.imports else "imports no other room"
    return f"{room.name}: {files}, {sum(room.lines):,} lines; {imports}."


def _height(lines: int) -> float:
    return max(1.5, BAR * min(lines, 340) / 340)


def _roof(width: float, eaves: float) -> str:
    ridge, overhang, chimney = MARGIN - 10, MARGIN - 40, width * 0.71
    return (
        f'<path d="M{chimney:.0f} {ridge - 40}h48v60h-48z" fill="var(--roof-edge)"/>'
        f'<path d="M{overhang} {eaves}L{width * 0.24:.0f} {ridge}H{width * 0.76:.0f}L{width - overhang:.0f} {eaves}z" '
        'fill="var(--roof)" stroke="var(--roof-edge)" stroke-width="3" stroke-linejoin="round"/>'
        f'<text class="title" x="{width / 2:.0f}" y="{ridge + 54}" text-anchor="middle">MetaIQA</text>'
    )


def _legend(height: float) -> str:
    lines = (
        "A room is a folder, or a file beside the folders, with its number of files and lines. A bar is a file; "
        "the dotted line stands at 100 lines.",
        "An arrow is an import, and all point down. Left out: arrows to the ground, whose rooms import nothing, "
        "and arrows that follow from others.",
    )
    return "".join(
        f'<text class="said" x="{MARGIN}" y="{height - 48 + 20 * number:.0f}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
