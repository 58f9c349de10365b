// The photos that wait, the portion that is on its way, and what the server says of it.
const TRIES = 3, PAUSE = 2000, PATIENCE = 30_000, BEAT = 100;
const PORTION_SECONDS = 5, SMALLEST = 4 * 2 ** 20;

function nameOf(file) {
  return file.webkitRelativePath || file.name;
}

function take(app, files) {
  clearTimeout(app.hiding);
  if (!app.total) Object.assign(app, { number: Date.now(), came: 0, tries: new Map(), end: "", tooLarge: [] });
  const largest = app.data.largest * 1e6;
  const fitting = files.filter((file) => file.size <= largest);
  for (const file of files) if (file.size > largest) app.tooLarge.push(nameOf(file));
  if (!fitting.length && !app.total) return finish(app);
  app.waiting = app.waiting.concat(fitting);
  app.total += fitting.length;
  app.isCancelled = false;
  app.timer ??= setInterval(() => goOn(app), BEAT);
  app.send("photos", { number: app.number, total: app.total });
  drawLine(app);
}

// Called whenever the server has said something, and now and then.
function goOn(app) {
  const { data, sent } = app;
  if (!app.total || data.number !== app.number) return;  // the server has not heard of it yet
  if (sent && data.uploader !== sent.uploader) settle(app, data.taken.uploader === sent.uploader ? data.taken.sizes : []);
  if (data.problem) app.waiting = [];
  if (app.sent) watch(app);
  else if (app.waiting.length) feed(app);
  else finish(app);
}

function nextPortion(app) {
  const portion = [];
  let length = 0;
  for (const file of app.waiting) {
    length += file.size;
    if (portion.length === FEW || (portion.length && length > app.portionLength)) break;
    portion.push(file);
  }
  app.waiting = app.waiting.slice(portion.length);
  return portion;
}

function chipsOf(uploader) {
  return [...document.querySelectorAll(`.st-key-${uploader} [data-testid=stFileChip]`)];
}

function feed(app) {
  const { uploader } = app.data, input = document.querySelector(`.st-key-${uploader} input[type=file]`);
  if (!input) return;  // it is not drawn yet
  const files = nextPortion(app), carrier = new DataTransfer();
  for (const file of files) carrier.items.add(file);
  app.sent = { uploader, files, since: Date.now(), chips: chipsOf(uploader).length + files.length };
  input.files = carrier.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

// The server has taken a portion. Of files of one length it tells only their number: if one is missing, all of that
// length are sent again, which the library does not keep twice.
function settle(app, sizes) {
  const { files, since } = app.sent, missing = new Map();
  for (const file of files) missing.set(file.size, (missing.get(file.size) ?? 0) + 1);
  for (const size of sizes) missing.set(size, missing.get(size) - 1);
  const lost = files.filter((file) => missing.get(file.size) > 0);
  const length = files.reduce((sum, file) => sum + file.size, 0);
  const pace = length / Math.max(0.1, (Date.now() - since) / 1000);
  app.portionLength = Math.min(ENOUGH, Math.max(SMALLEST, PORTION_SECONDS * pace));
  app.came += files.length - lost.length;
  app.sent = null;
  app.isLost = false;
  putBack(app, lost, true);
  drawLine(app);
}

function putBack(app, files, isTheirFault) {
  if (app.isCancelled) return;
  for (const file of files) {
    const tries = (app.tries.get(file) ?? 0) + (isTheirFault ? 1 : 0);
    app.tries.set(file, tries);
    if (tries < TRIES) app.waiting.push(file);
    else app.unreadable.push(nameOf(file));
  }
}

// Where no file of a portion could be sent, or nothing happens at all, the server says nothing.
async function watch(app) {
  const { sent } = app, chips = chipsOf(sent.uploader);
  const haveFailed = chips.length >= sent.chips && chips.every((chip) => chip.getAttribute("aria-invalid") === "true");
  const isSilent = !chips.length && Date.now() - sent.since > PATIENCE;
  if (sent.isOver || !(haveFailed || isSilent)) return;
  sent.isOver = true;
  const isReachable = await fetch("_stcore/health").then((reply) => reply.ok, () => false);
  app.isLost = !isReachable;
  drawLine(app);
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
  if (app.sent !== sent) return;  // it came after all
  app.sent = null;
  putBack(app, sent.files, isReachable && haveFailed);
}

function cancel(app) {
  app.isCancelled = true;
  app.waiting = [];
  drawLine(app);
}
