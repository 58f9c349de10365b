// Shows the question and sends the answer; texts and pictures come as data and are shown as such, never as HTML.
const STAR = "M12 2.6l2.9 6 6.6.9-4.8 4.6 1.2 6.6L12 17.5l-5.9 3.2 1.2-6.6L2.5 9.5l6.6-.9z";
const apps = new WeakMap();

function element(kind, name, text) {
  const made = document.createElement(kind);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

function star() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", STAR);
  svg.append(path);
  return svg;
}

function light(stars, count) {
  [...stars.children].forEach((button, index) => button.classList.toggle("lit", index < count));
}

function drawPictures(app) {
  const { root, question } = app, isPair = question.pictures.length === 2;
  root.classList.toggle("pair", isPair);
  const made = question.pictures.map((picture, index) => {
    const holder = element(isPair ? "button" : "figure", "picture");
    const frame = element("div", "frame"), image = element("img");
    image.src = picture.src;
    image.alt = picture.name;
    frame.append(image);
    holder.append(frame, element("span", "name", picture.name));
    if (isPair) {
      holder.type = "button";
      holder.setAttribute("aria-label", `${index ? "Right" : "Left"} photo is better: ${picture.name}`);
      holder.append(element("span", "choose", index ? "Right is better  →" : "←  Left is better"));
      holder.onclick = () => answer(app, { better: index });
    }
    return holder;
  });
  root.querySelector(".pictures").replaceChildren(...made);
  root.querySelector(".lab").replaceChildren(...question.pictures.map((_, index) => labButton(app, question, index)));
  const stars = root.querySelector(".stars");
  stars.hidden = isPair;
  light(stars, 0);
  if (!stars.children.length) drawStars(app, stars);
  root.querySelector(".spoken").textContent = isPair
    ? `Which is better, ${question.pictures[0].name} or ${question.pictures[1].name}?`
    : `How do you like ${question.pictures[0].name}?`;
}

// The server may be a question behind, so the button says which photo it is about.
function labButton(app, question, index) {
  const button = element("button", "", `Distort ${question.pictures.length === 1 ? "this" : index ? "the second" : "the first"} photo`);
  button.type = "button";
  button.title = "Opens this photo on the page Distortion lab, to see how its score falls with each kind of damage.";
  button.onclick = () => app.send("lab", question.id.split(" ")[index]);
  return button;
}

function drawStars(app, stars) {
  stars.replaceChildren(...app.data.words.map((word, index) => {
    const button = element("button", "star");
    button.type = "button";
    button.setAttribute("aria-label", `${index + 1} of 5 stars: ${word}`);
    button.append(star(), element("span", "", word));
    button.onclick = () => answer(app, { stars: index + 1 });
    button.onmouseenter = button.onfocus = () => light(stars, index + 1);
    button.onmouseleave = button.onblur = () => light(stars, 0);
    return button;
  }));
}

// Sends an answer, and shows the next question at once; the server acknowledges answers by their numbers.
function answer(app, what) {
  if (!app.question && !what.undo) return;
  app.n += 1;
  app.pending.push({ n: app.n, question: app.question?.id ?? "", ...what });
  app.send("answers", { page: app.page, list: app.pending });
  if (what.undo) app.question = null;  // the server knows which one comes back
  else app.answered.add(app.question.id);
  next(app, what.undo);
}

function next(app, isUndo) {
  app.question = isUndo ? null : app.data.questions.find((one) => !app.answered.has(one.id)) ?? null;
  draw(app);
}

function draw(app) {
  const { root, data } = app;
  root.classList.toggle("waiting", !app.question);
  if (app.question && root.dataset.question !== app.question.id) {
    root.dataset.question = app.question.id;
    drawPictures(app);
  }
  const isPair = (app.question ?? data.questions[0])?.pictures.length === 2;
  root.querySelector(".undo").disabled = !data.can_undo && !app.pending.length;
  root.querySelector(".skip kbd").textContent = isPair ? "↓" : "→";
  root.querySelector(".hint").textContent = isPair ? "Keys: ← or →" : "Keys: 1 to 5";
}

function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function onKey(event) {
  const app = rating;
  if (!app.root.isConnected || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.composedPath()[0])) return;
  const key = event.key.toLowerCase(), isPair = app.question?.pictures.length === 2;
  let what = null;
  if (key === "z" || (key === "arrowleft" && !isPair)) what = app.root.querySelector(".undo").disabled ? null : { undo: true };
  else if (!isPair && /^[1-5]$/.test(key)) what = { stars: Number(key) };
  else if (isPair && key === "arrowleft") what = { better: 0 };
  else if (isPair && key === "arrowright") what = { better: 1 };
  else if (key === (isPair ? "arrowdown" : "arrowright")) what = { skip: true };
  if (what === null) return;
  event.preventDefault();
  answer(app, what);
}

// Streamlit may take the component out of the page and put it back: answers that are on their way outlive that.
const rating = { page: crypto.randomUUID?.() ?? String(Math.random()), n: 0, pending: [], answered: new Set() };

function started(root) {
  const app = Object.assign(rating, { root, question: null });
  root.querySelector(".undo").onclick = () => answer(app, { undo: true });
  root.querySelector(".skip").onclick = () => answer(app, { skip: true });
  apps.set(root, app);
  return app;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".rater"), app = apps.get(root) ?? started(root);
  const isOther = app.data?.way !== data.way;
  app.data = data;
  app.send = setTriggerValue;
  app.pending = app.pending.filter((one) => one.n > (data.done[app.page] ?? 0));
  // What the server asks about anew, after an undo for example, is open again; what is on its way is not.
  const onTheWay = new Set(app.pending.map((one) => one.question));
  app.answered = new Set([...app.answered].filter((id) => onTheWay.has(id) || !data.questions.some((one) => one.id === id)));
  // Whoever has just chosen the way stands on that choice, where arrows would change it instead of answering.
  if (isOther && document.activeElement?.type !== "text") document.activeElement?.blur();
  // A question on the screen stays until it is answered.
  if (isOther || !app.question) app.question = null;
  if (!app.question && !app.pending.some((one) => one.undo)) next(app, false);
  else draw(app);
  document.removeEventListener("keydown", onKey);
  document.addEventListener("keydown", onKey);
  return () => app.root === root && document.removeEventListener("keydown", onKey);
}
