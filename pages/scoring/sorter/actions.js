// What a key, a click or a tap does. Everything is seen at once; the server follows.
const AHEAD = 150;

function sendMoves(app) {
  app.send("moves", { page: app.page, list: app.moves, has: app.version });
}

function sendOpened(app) {
  clearTimeout(app.timer);
  const place = app.order.indexOf(app.open);
  const neighbours = [place + 1, place + 2, place - 1].map((index) => app.order[index]).filter(Boolean);
  app.send("opened", { key: app.isChosen ? app.open : "", neighbours, has: app.version, told: app.told });
}

// Whoever leafs through the photos passes most of them by.
function sendOpenedSoon(app) {
  clearTimeout(app.timer);
  app.timer = setTimeout(() => sendOpened(app), AHEAD);
}

function say(app, words) {
  app.parts.spoken.textContent = words;
}

function open(app, key, { bring = false } = {}) {
  if (!app.byKey.has(key)) return;
  app.open = key;
  app.isChosen = true;
  draw(app);
  bringIntoList(app);
  drawThumbnails(app);
  sendOpenedSoon(app);
  // On a phone the photo lies above the list: a tap on a row brings it into view.
  const { viewer } = app.parts;
  if (bring && viewer.getBoundingClientRect().top < 0) viewer.scrollIntoView({ block: "start", behavior: "smooth" });
}

function step(app, by) {
  const place = app.order.indexOf(app.open) + by;
  if (place >= 0 && place < app.order.length) open(app, app.order[place]);
}

function move(app, what, keys) {
  app.n += 1;
  app.isChosen = true;
  app.moves.push({ n: app.n, do: what, keys });
}

function decide(app, decision, keys = [app.open]) {
  const isOne = keys.length === 1 && keys[0] === app.open, following = app.order[app.order.indexOf(app.open) + 1];
  const name = isOne ? app.byKey.get(app.open)?.name : `${keys.length} photos`;
  move(app, decision, keys);
  say(app, `${MARKS[decision]}: ${name}`);
  draw(app);
  goOn(app, isOne && decision !== "undecided" && decision !== "removed" && following);
}

function goOn(app, following) {
  if (following) open(app, following);
  // The photo that is open now goes ahead of the moves: a reload right after a key finds both.
  sendOpened(app);
  sendMoves(app);
}

function isOfStack(app, photo) {
  return Boolean(app.data.stacked && photo?.stack && app.sizes.get(photo.stack) > 1);
}

// Keeps the open photo and rejects all others of its stack: one move, which one undo takes back.
function keepBest(app) {
  const photo = app.byKey.get(app.open);
  if (!isOfStack(app, photo)) return;
  const left = (one) => one.stack === photo.stack && one.key !== photo.key && decisionOf(app, one) !== "removed";
  const others = app.data.photos.filter(left), following = app.order[app.order.indexOf(app.open) + 1];
  move(app, "keep_only", [photo.key, ...others.map((one) => one.key)]);
  say(app, `${MARKS.keep}: ${photo.name}; ${MARKS.reject.toLowerCase()}: ${others.length} others`);
  draw(app);
  goOn(app, following);
}

function undo(app) {
  const waits = app.moves.filter((one) => one.do !== "undo").at(-1);
  move(app, "undo", []);
  say(app, "Undone");
  arrange(app);
  if (waits?.keys.length === 1 || waits?.do === "keep_only") {
    open(app, waits.keys[0]);
    sendOpened(app);
  } else draw(app);
  sendMoves(app);
}

function tick(app, key) {
  if (!app.ticked.delete(key)) app.ticked.add(key);
  app.send("ticked", [...app.ticked]);
  draw(app);
}

function untick(app) {
  app.ticked.clear();
  app.send("ticked", []);
  draw(app);
}

function spread(app, stack) {
  const before = app.open;
  app.isChosen = true;
  if (!app.spread.delete(stack)) app.spread.add(stack);
  draw(app);
  if (app.open !== before) sendOpenedSoon(app);  // it lies under the closed stack
}

function drawTicked(app) {
  const { ticked } = app.parts, keys = [...app.ticked];
  ticked.hidden = !keys.length;
  if (!keys.length) return;
  const words = Object.assign(document.createElement("span"), { textContent: `${keys.length} ticked` });
  const all = (decision) => () => {
    decide(app, decision, keys);
    untick(app);
  };
  const compare = button("plain", "Compare below", "", () => {
    document.querySelector(".st-key-comparison")?.scrollIntoView({ behavior: "smooth" });
  });
  compare.hidden = keys.length !== 2;
  ticked.replaceChildren(
    words, compare, button("keep", "Keep", "", all("keep")), button("reject", "Reject", "", all("reject")),
    button("plain", "Remove", "", all("removed")), button("plain", "Untick", "", () => untick(app)),
  );
}
