// What is shown: the photos as they were sent, with the moves that are not made there yet on top.
const MARKS = { keep: "Kept", reject: "Rejected", removed: "Removed", undecided: "Undecided" };

const DECISIONS = { k: "keep", r: "reject", u: "undecided", x: "removed" };

// The photos come when something of them has changed; what is decided on them comes always. Returns whether they are here.
function receive(app, data) {
  if (data.photos) app.version = data.version;
  else if (data.version === app.version) data.photos = app.photos;
  else return false;
  app.data = data;
  app.photos = data.photos;
  app.photos.forEach((photo, index) => { photo.decision = DECISIONS[data.decisions[index]]; });
  return true;
}

// A page sends all moves that it does not know to be made; numbers tell the server which of them are new.
function forgetMade(app) {
  const { page, n } = app.data.made;
  if (page === app.page) app.moves = app.moves.filter((move) => move.n > n);
}

// The decisions of the moves that wait, by key; an undo takes back the move before it.
function waitingDecisions(app) {
  const steps = [];
  for (const move of app.moves) {
    if (move.do === "undo") steps.pop();
    else steps.push(move);
  }
  const decisions = new Map();
  for (const step of steps) step.keys.forEach((key, index) => decisions.set(key, decisionIn(step, index)));
  return decisions;
}

// One move may keep its first photo and reject the others.
function decisionIn(step, index) {
  if (step.do !== "keep_only") return step.do;
  return index ? "reject" : "keep";
}

function decisionOf(app, photo) {
  return app.waiting.get(photo.key) ?? photo.decision;
}

// The photos to walk through: without removed ones, and without those that lie under a closed stack.
function arrange(app) {
  forgetMade(app);
  app.waiting = waitingDecisions(app);
  app.byKey = new Map(app.data.photos.map((photo) => [photo.key, photo]));
  const tops = new Map(), sizes = new Map();
  app.order = [];
  for (const photo of app.data.photos) {
    if (decisionOf(app, photo) === "removed") continue;
    if (photo.stack) sizes.set(photo.stack, (sizes.get(photo.stack) ?? 0) + 1);
    const isCovered = app.data.stacked && photo.stack && tops.has(photo.stack) && !app.spread.has(photo.stack);
    if (photo.stack && !tops.has(photo.stack)) tops.set(photo.stack, photo.key);
    if (!isCovered) app.order.push(photo.key);
  }
  app.tops = tops;
  app.sizes = sizes;
  app.ticked = new Set([...app.ticked].filter((key) => app.byKey.has(key)));
}

// Spreads out the stack that the open photo lies under.
function uncover(app) {
  const { stack } = app.photos.find((photo) => photo.key === app.open) ?? {};
  if (!stack || !app.data.stacked) return;
  const top = app.photos.find((photo) => photo.stack === stack && photo.decision !== "removed");
  if (top && top.key !== app.open) app.spread.add(stack);
}

// The open photo; where it is shown no more, the one that has come to its place.
function openPhoto(app) {
  if (!app.order.includes(app.open)) {
    const hidden = app.byKey.get(app.open);
    const top = hidden && app.tops.get(hidden.stack);
    app.open = app.order.includes(top) ? top : app.order[Math.min(app.lastPlace, app.order.length - 1)];
  }
  app.lastPlace = Math.max(0, app.order.indexOf(app.open));
  return app.byKey.get(app.open);
}
