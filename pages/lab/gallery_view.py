"""What the small multiples look like in the browser; all text and pictures come as data and are shown as such."""

HTML = '<div class="cards"></div>'

CSS = """
.cards { display: grid; gap: 12px; grid-template-columns: repeat(auto-fill, minmax(172px, 1fr)); }
.card {
  display: flex; flex-direction: column; gap: 4px; padding: 0 0 8px; overflow: hidden;
  text-align: left; cursor: pointer;
  font: 13px/1.35 var(--st-font, sans-serif); color: var(--st-text-color); border-radius: 8px;
  background: var(--st-secondary-background-color); border: 2px solid transparent;
}
.card:hover { border-color: color-mix(in srgb, var(--st-primary-color) 45%, transparent); }
.card:focus-visible, .card.chosen { border-color: var(--st-primary-color); outline: none; }
.card > * { margin: 0 10px; }
.card .picture {
  margin: 0 0 4px; width: 100%; aspect-ratio: 3 / 2; object-fit: cover; display: block;
  background: color-mix(in srgb, var(--st-text-color) 8%, transparent);
}
.card .name { font-weight: 600; }
.card .database, .card .note { opacity: 0.82; font-size: 12px; }
.card svg { width: calc(100% - 20px); height: auto; overflow: visible; }
.grid { stroke: var(--st-text-color); stroke-opacity: 0.18; }
.model { stroke: #2f8fb5; stroke-width: 2.6; fill: none; }
.people { stroke: #d9822b; stroke-width: 2; stroke-dasharray: 5 3.5; fill: none; }
.dot { fill: #2f8fb5; }
.diamond { fill: #d9822b; }
@media (max-width: 640px) { .cards { gap: 8px; grid-template-columns: repeat(2, 1fr); } }
"""

JS = """
const WIDTH = 150, HEIGHT = 64;
const x = (level) => 4 + (level * (WIDTH - 8)) / 5, y = (score) => HEIGHT - 2 - (score * (HEIGHT - 4)) / 100;

function drawn(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function written(kind, text) {
  const element = document.createElement("span");
  element.className = kind;
  element.textContent = text;
  return element;
}

function curves(card) {
  const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" });
  for (const score of [0, 50, 100]) {
    svg.append(drawn("line", { class: "grid", x1: 0, x2: WIDTH, y1: y(score), y2: y(score) }));
  }
  const line = (scores, first) => scores.map((score, index) => `${x(index + first)},${y(score)}`).join(" ");
  svg.append(drawn("polyline", { class: "people", points: line(card.people, 1) }));
  svg.append(drawn("polyline", { class: "model", points: line(card.model, 0) }));
  const px = x(card.level), py = y(card.people[card.level - 1]);
  svg.append(drawn("path", { class: "diamond", d: `M${px},${py - 5} l5,5 l-5,5 l-5,-5 z` }));
  if (card.model.length > card.level) {
    svg.append(drawn("circle", { class: "dot", cx: px, cy: y(card.model[card.level]), r: 4.4 }));
  }
  return svg;
}

function fill(button, card, open) {
  button.className = card.chosen ? "card chosen" : "card";
  button.type = "button";
  button.dataset.type = card.key;
  button.setAttribute("aria-pressed", String(card.chosen));
  const model = card.model.map((score) => Math.round(score)).join(", ");
  const people = card.people.map((score) => Math.round(score)).join(", ");
  button.title = `model: ${model} (undistorted first)\\npeople: ${people} (from level 1)`;
  const picture = document.createElement(card.picture ? "img" : "span");
  picture.className = "picture";
  if (card.picture) {
    picture.src = card.picture;
    picture.alt = `Level ${card.level}`;
  }
  button.replaceChildren(
    picture, written("name", card.name), written("database", card.database), curves(card), written("note", card.note),
  );
  button.onclick = () => open(card.key);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const cards = parentElement.querySelector(".cards");
  // Cards are filled anew in their places, so that the focus and the scroll position stay.
  while (cards.children.length > data.cards.length) cards.lastChild.remove();
  while (cards.children.length < data.cards.length) cards.append(document.createElement("button"));
  data.cards.forEach((card, index) => fill(cards.children[index], card, (key) => setTriggerValue("opened", key)));
}
"""
