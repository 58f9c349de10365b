// The line that says how many photos have come, with Cancel; at the end, what did not come, until it is closed.
const SHOWN_AFTER = 5000;

function inWords(count) {
  return count.toLocaleString("en");
}

function listed(names) {
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${inWords(names.length - 3)} more` : names.join(", ");
}

function showLine(app, words, label, run, share) {
  const { line, words: text, bar, button } = app.parts;
  line.hidden = false;
  text.textContent = words;
  bar.hidden = share === undefined;
  bar.value = share ?? 0;
  button.textContent = label;
  button.hidden = !label;
  button.onclick = run;
}

function hideLine(app) {
  app.parts.line.hidden = true;
  app.end = "";
}

function showReading(app) {
  clearTimeout(app.hiding);
  if (!app.total) showLine(app, "Reading the folder …", "", null);
}

function drawLine(app) {
  if (app.end) showLine(app, app.end, "Close", () => hideLine(app));
  if (!app.total) return;
  const come = `${inWords(app.came)} of ${inWords(app.total)} photos have come`;
  if (app.isCancelled) showLine(app, `${come}; the last ones on their way …`, "", null);
  else if (app.isLost) showLine(app, `${come}; the connection is lost, trying again …`, "Cancel", () => cancel(app));
  else showLine(app, come, "Cancel", () => cancel(app), app.came / app.total);
}

function finish(app) {
  const { came, total, tooLarge, unreadable } = app, noun = came === 1 && total === 1 ? "photo has" : "photos have";
  const all = total + tooLarge.length + unreadable.length, parts = [];
  if (!all) parts.push("There are no photos in this folder.");
  else if (came) parts.push(`${inWords(came)}${came < total ? ` of ${inWords(total)}` : ""} ${noun} come.`);
  if (app.total && app.data.problem) parts.push(app.data.problem);
  if (tooLarge.length) parts.push(`File must be ${app.data.largest}MB or smaller: ${listed(tooLarge)}.`);
  if (unreadable.length) parts.push(`Could not be read: ${listed(unreadable)}.`);
  const isAll = came && came === total && !tooLarge.length && !unreadable.length;
  if (app.total) app.send("photos", null);
  clearInterval(app.timer);
  Object.assign(app, { total: 0, timer: undefined, isCancelled: false, isLost: false, tooLarge: [], unreadable: [] });
  app.end = parts.join(" ") || "No photo has come.";
  drawLine(app);
  if (isAll) app.hiding = setTimeout(() => hideLine(app), SHOWN_AFTER);
}
