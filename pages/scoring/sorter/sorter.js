// The photos to sort. All text and pictures come as data and are shown as such, never as HTML.
const apps = new WeakMap();

// Streamlit may take the component out of the page and put it back while keys are being pressed: what the reader has
// done, and what the server has not made of it yet, outlives that.
const sorting = {
  page: crypto.randomUUID?.() ?? String(Math.random()).slice(2), n: 0, moves: [], open: "", lastPlace: 0, told: -1,
  isChosen: false, ticked: new Set(), spread: new Set(), order: [], photos: [], version: "",
};

function build(parent) {
  const find = (selector) => parent.querySelector(selector);
  const parts = { image: find(".hero img"), mark: find(".hero .mark") };
  for (const name of [
    "sorter", "viewer", "score", "word", "sentence", "why", "hero", "missing", "name", "place", "controls", "many", "summary", "ticked", "window",
    "sheet", "keys", "spoken",
  ]) parts[name] = find(`.${name}`);
  parts.sheet.replaceChildren();  // the same element may have been built before: its cells would stay for ever
  const app = Object.assign(sorting, { parts, cells: new Map(), fetched: new Set(), size: undefined });
  buildViewer(app);
  parts.window.onscroll = () => requestAnimationFrame(() => drawThumbnails(app));
  const watch = new ResizeObserver(() => drawThumbnails(app)), press = (event) => onKey(app, event);
  watch.observe(parts.window);
  document.addEventListener("keydown", press);
  const leave = () => {
    document.removeEventListener("keydown", press);
    watch.disconnect();
  };
  return { app, leave };
}

function draw(app) {
  arrange(app);
  const photo = openPhoto(app);
  app.parts.sorter.classList.toggle("beside", app.data.compact);
  app.parts.many.hidden = app.data.photos.length < 2;
  app.parts.summary.textContent = app.data.summary;
  drawViewer(app, photo);
  drawTicked(app);
  drawThumbnails(app);
}

export default function ({ data, parentElement, setStateValue }) {
  const isNew = !apps.has(parentElement);
  if (isNew) apps.set(parentElement, build(parentElement));
  const { app, leave } = apps.get(parentElement);
  app.send = setStateValue;
  leaveList(app, data.order);
  if (!receive(app, data)) {  // the server takes it for granted that they are here
    app.version = "";
    sendMoves(app);
    leave();
    apps.delete(parentElement);
    return undefined;
  }
  // Until the reader opens a photo, the server does: the order changes while photos are being scored.
  if (data.open.number !== app.told || !app.isChosen) {
    app.open = data.open.key;
    app.told = data.open.number;
    uncover(app);
  }
  draw(app);
  app.parts.keys.textContent =
    "K keep · X reject · U undecided · ← → previous and next · Z undo" +
    (data.stacked ? " · click the number on a stack to spread it out" : "");
  if (isNew) {
    bringIntoList(app);
    if (app.moves.length) sendMoves(app);
    if (app.ticked.size) app.send("ticked", [...app.ticked]);
    sendOpened(app);
  }
  return () => {
    leave();
    apps.delete(parentElement);
  };
}
