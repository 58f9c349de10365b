// The open photo, its score, and the buttons under it.
const ICONS = {
  previous: "M15 5l-7 7 7 7", next: "M9 5l7 7-7 7", keep: "M5 12.5l4.5 4.5L19 7.5", reject: "M6 6l12 12M18 6L6 18",
  undecided: "M6 12h12", undo: "M9 7L4.5 11.5 9 16M5 11.5h9a5 5 0 0 1 0 10h-3",
};

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function button(kind, words, key, run) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `control ${kind}`;
  if (ICONS[kind]) made.append(icon(kind));
  made.append(Object.assign(document.createElement("span"), { className: "words", textContent: words }));
  if (key) made.append(Object.assign(document.createElement("kbd"), { textContent: key }));
  made.onclick = run;
  return made;
}

function buildViewer(app) {
  const { controls, hero } = app.parts;
  app.buttons = {
    previous: button("previous", "Previous", "", () => step(app, -1)),
    keep: button("keep", "Keep", "K", () => decide(app, "keep")),
    undecided: button("undecided", "Undecided", "U", () => decide(app, "undecided")),
    reject: button("reject", "Reject", "X", () => decide(app, "reject")),
    next: button("next", "Next", "", () => step(app, 1)),
    rest: button("rest", "Keep only this of the stack", "B", () => keepBest(app)),
    undo: button("undo", "Undo", "Z", () => undo(app)),
  };
  const { previous, next, keep, undecided, reject, undo: back, rest } = app.buttons;
  controls.replaceChildren(previous, keep, undecided, reject, next, back, rest);
  let start = null;
  // Properties, not listeners: an element that is built again would step twice for one swipe.
  hero.ontouchstart = (event) => {
    start = event.touches.length === 1 ? { x: event.touches[0].clientX, y: event.touches[0].clientY } : null;
  };
  hero.ontouchend = (event) => {
    if (!start) return;
    const dx = event.changedTouches[0].clientX - start.x, dy = event.changedTouches[0].clientY - start.y;
    if (Math.abs(dx) > 40 && Math.abs(dx) > 1.5 * Math.abs(dy)) step(app, dx < 0 ? 1 : -1);
    start = null;
  };
}

function colourAs(app, element, status) {
  const [background, text] = app.data.grades[status] ?? ["", ""];
  element.style.background = background;
  element.style.color = text;
  element.classList.toggle("plain", !background);
}

function drawViewer(app, photo) {
  const { score, word, sentence, why, image, missing, mark, name, place, viewer } = app.parts;
  viewer.hidden = !photo;
  if (!photo) return;
  const told = app.data.reading?.key === photo.key ? app.data.reading : photo;
  score.textContent = told.score ?? "";
  word.textContent = told.status;
  colourAs(app, word, told.status);
  sentence.textContent = told.sentence;
  why.textContent = photo.why;
  const source = app.data.pictures[photo.key] || photo.picture;
  if (source && image.getAttribute("src") !== source) {
    // The small picture first; the large one takes its place once it is there.
    if (photo.picture && image.dataset.key !== photo.key) image.src = photo.picture;
    if (source !== photo.picture) {
      const large = new Image();
      large.onload = () => { if (app.open === photo.key) image.src = source; };
      large.src = source;
    } else image.src = source;
  }
  image.dataset.key = photo.key;
  image.hidden = !source;
  missing.hidden = Boolean(source);
  missing.textContent = !photo.score && photo.remark ? "No picture can be made of this file." : "The picture is on its way.";
  image.alt = photo.score ? `${photo.name}, scored ${told.score}, ${told.status}` : photo.name;
  name.textContent = photo.name;
  name.title = photo.folder ? `${photo.folder}/${photo.name}` : photo.name;
  const number = app.order.indexOf(photo.key) + 1;
  place.textContent = app.order.length > 1 ? `${number} of ${app.order.length}` : "";
  const decision = decisionOf(app, photo);
  mark.hidden = decision === "undecided";
  mark.className = `mark ${decision}`;
  mark.replaceChildren(...(ICONS[decision] ? [icon(decision)] : []), MARKS[decision]);
  for (const kind of ["keep", "reject", "undecided"]) {
    app.buttons[kind].setAttribute("aria-pressed", String(kind === decision));
  }
  app.buttons.previous.disabled = number <= 1;
  app.buttons.next.disabled = number >= app.order.length;
  app.buttons.rest.hidden = !isOfStack(app, photo);
  const step = app.moves.some((move) => move.do !== "undo") ? "" : app.data.undo;
  app.buttons.undo.disabled = !step && !app.moves.length;
  app.buttons.undo.title = step ? `Undo: ${step}` : "Undo";
  for (const url of Object.values(app.data.pictures)) {
    if (!app.fetched.has(url)) {
      app.fetched.add(url);
      new Image().src = url;
    }
  }
}
