// The photos to sort. All text and pictures come as data and are shown as such, never as HTML.
const apps = new WeakMap();

function build(parent) {
  const find = (selector) => parent.querySelector(selector);
  const parts = { image: find(".hero img"), mark: find(".hero .mark") };
  for (const name of [
    "viewer", "score", "word", "sentence", "hero", "name", "place", "controls", "many", "summary", "ticked", "window",
    "sheet", "keys", "spoken",
  ]) parts[name] = find(`.${name}`);
  const app = {
    parts, page: crypto.randomUUID?.() ?? String(Math.random()).slice(2), n: 0, moves: [], open: "", lastPlace: 0,
    told: -1, isChosen: false, ticked: new Set(), spread: new Set(), cells: new Map(), fetched: new Set(), order: [],
  };
  buildViewer(app);
  parts.window.addEventListener("scroll", () => requestAnimationFrame(() => drawThumbnails(app)), { passive: true });
  app.watch = new ResizeObserver(() => drawThumbnails(app));
  app.watch.observe(parts.window);
  app.onKey = (event) => onKey(app, event);
  document.addEventListener("keydown", app.onKey);
  return app;
}

function draw(app) {
  arrange(app);
  const photo = openPhoto(app);
  app.parts.many.hidden = app.data.photos.length < 2;
  app.parts.summary.textContent = app.data.summary;
  drawViewer(app, photo);
  drawTicked(app);
  drawThumbnails(app);
}

export default function ({ data, parentElement, setStateValue }) {
  const isNew = !apps.has(parentElement);
  if (isNew) apps.set(parentElement, build(parentElement));
  const app = apps.get(parentElement);
  app.data = data;
  app.send = setStateValue;
  // Until the reader opens a photo, the server does: the order changes while photos are being scored.
  if (data.open.number !== app.told || !app.isChosen) {
    app.open = data.open.key;
    app.told = data.open.number;
  }
  draw(app);
  if (isNew) {
    app.parts.keys.textContent =
      "K keep · X reject · U undecided · ← → walk · Z undo · click the number on a stack to spread it out";
    bringIntoList(app);
    sendOpened(app);
  }
  return () => {
    document.removeEventListener("keydown", app.onKey);
    app.watch.disconnect();
    clearTimeout(app.timer);
    apps.delete(parentElement);
  };
}
