// Keys work wherever the reader is on the page, but for places where they mean something else.
const WRITING = `input:not([type=checkbox]), textarea, select, [contenteditable=true], [role=combobox], [role=dialog],
  [role=menu]`;
const STEPPING = "[role=radiogroup], [role=slider], [role=tablist]";  // letters mean nothing there, arrows do

function onKey(app, event) {
  const path = event.composedPath().filter((element) => element instanceof Element);
  if (path.some((element) => element.matches(WRITING)) || event.altKey || event.metaKey) return;
  const isLetter = event.key.length === 1 && event.key !== " ";
  if (!isLetter && path.some((element) => element.matches(STEPPING))) return;
  if (!app.order.length || event.defaultPrevented) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey && key !== "z") return;
  const isHere = path.includes(app.parts.window), { columns } = app.size ?? measure(app);
  const actions = {
    k: () => decide(app, "keep"),
    x: () => decide(app, "reject"),
    u: () => decide(app, "undecided"),
    b: () => keepBest(app),
    z: () => undo(app),
    ArrowLeft: () => step(app, -1),
    ArrowRight: () => step(app, 1),
    ...(isHere && {
      ArrowUp: () => step(app, -columns),
      ArrowDown: () => step(app, columns),
      Home: () => open(app, app.order[0]),
      End: () => open(app, app.order.at(-1)),
      " ": () => tick(app, app.open),
      Delete: () => decide(app, "removed"),
    }),
  };
  if (!actions[key]) return;
  event.preventDefault();
  actions[key]();
}

// A list that was just chosen from keeps the focus, and would take the next keys for the beginning of a choice.
function leaveList(app, order) {
  if (app.sortedBy && app.sortedBy !== order) document.activeElement?.closest?.(".st-key-order [role=combobox]")?.blur();
  app.sortedBy = order;
}
