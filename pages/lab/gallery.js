// Draws the cards; all text and pictures come as data and are shown as such, never as HTML.
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
  if (card.model.length) svg.append(drawn("polyline", { class: "model", points: line(card.model, 0) }));
  const px = x(card.level), py = y(card.people[card.level - 1]);
  svg.append(drawn("path", { class: "diamond", d: `M${px},${py - 5} l5,5 l-5,5 l-5,-5 z` }));
  if (card.score !== null) {
    svg.append(drawn("circle", { class: "dot", cx: px, cy: y(card.score), r: 4.4 }));
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
  button.title = `${model ? `model: ${model} (undistorted first)` : "model: not scored yet"}\npeople: ${people} (from level 1)`;
  const picture = document.createElement(card.picture ? "img" : "span");
  picture.className = "picture";
  if (card.picture) {
    picture.src = card.picture;
    picture.alt = `Level ${card.level}`;
  }
  if (!card.picture) picture.textContent = card.note;
  button.replaceChildren(picture, written("name", card.name), written("database", card.database), curves(card));
  if (card.picture) button.append(written("note", card.note));
  button.onclick = () => open(card.key);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const cards = parentElement.querySelector(".cards");
  // Cards are filled anew in their places, so that the focus and the scroll position stay.
  while (cards.children.length > data.cards.length) cards.lastChild.remove();
  while (cards.children.length < data.cards.length) cards.append(document.createElement("button"));
  data.cards.forEach((card, index) => fill(cards.children[index], card, (key) => setTriggerValue("opened", key)));
}
