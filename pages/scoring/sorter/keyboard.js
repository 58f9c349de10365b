// Keys work wherever the reader is on the page, but for places where they mean something else.
const ELSEWHERE = `input:not([type=checkbox]), textarea, select, [contenteditable=true], [role=radiogroup],
  [role=slider], [role=combobox], [role=dialog], [role=menu], [role=tablist]`;

function onKey(app, event) {
  const path = event.composedPath().filter((element) => element instanceof Element);
  if (path.some((element) => element.matches(ELSEWHERE)) || event.altKey || event.metaKey) return;
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
