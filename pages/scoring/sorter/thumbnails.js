// All photos, small: only the rows that can be seen are there, so that two thousand cost no more than twenty.
const GAP = 8, NARROWEST = 104, LINE = 60;

function measure(app) {
  const width = app.parts.window.clientWidth - 10;
  if (app.data.layout === "list") return { columns: 1, cell: width, row: LINE };
  const columns = Math.max(2, Math.floor((width + GAP) / (NARROWEST + GAP)));
  const cell = (width - GAP * (columns - 1)) / columns;
  return { columns, cell, row: cell * 0.75 + GAP };
}

function drawThumbnails(app) {
  const { window: frame, sheet } = app.parts;
  const { columns, cell, row } = (app.size = measure(app));
  const lines = Math.ceil(app.order.length / columns);
  sheet.style.height = `${Math.max(0, lines * row - GAP)}px`;
  frame.classList.toggle("list", app.data.layout === "list");
  const first = Math.max(0, Math.floor(frame.scrollTop / row) - 2);
  const last = Math.min(lines, Math.ceil((frame.scrollTop + frame.clientHeight) / row) + 2);
  const seen = new Set();
  for (let index = first * columns; index < Math.min(last * columns, app.order.length); index += 1) {
    const key = app.order[index];
    seen.add(key);
    let element = app.cells.get(key);
    if (!element) {
      element = newCell(app, key);
      app.cells.set(key, element);
      sheet.append(element);
    }
    element.style.width = `${cell}px`;
    element.style.height = `${row - GAP}px`;
    const left = (index % columns) * (cell + GAP), top = Math.floor(index / columns) * row;
    element.style.transform = `translate(${left}px, ${top}px)`;
    fillCell(app, element, app.byKey.get(key), index);
  }
  for (const [key, element] of app.cells) {
    if (!seen.has(key)) {
      element.remove();
      app.cells.delete(key);
    }
  }
  const current = app.cells.get(app.open);
  if (current) frame.setAttribute("aria-activedescendant", current.id);
  else frame.removeAttribute("aria-activedescendant");
}

function newCell(app, key) {
  const element = document.createElement("div");
  element.className = "cell";
  element.setAttribute("role", "option");
  element.dataset.key = key;
  for (const kind of ["img", "name", "defect", "status", "pixels", "remark", "mark", "pile", "tick"]) {
    const part = document.createElement(kind === "img" ? "img" : "span");
    part.className = kind === "img" ? "picture" : kind;
    part.setAttribute("aria-hidden", "true");
    element.append(part);
  }
  element.querySelector(".picture").alt = "";
  element.querySelector(".tick").append(icon("keep"));
  element.onclick = (event) => {
    if (event.target.closest(".tick")) tick(app, key);
    else if (event.target.closest(".pile")) spread(app, app.byKey.get(key).stack);
    else open(app, key, { bring: true });
  };
  return element;
}

function fillCell(app, element, photo, index) {
  const part = (name) => element.querySelector(`.${name}`);
  const decision = decisionOf(app, photo), size = app.sizes.get(photo.stack) ?? 0;
  const isTop = app.data.stacked && size > 1 && app.tops.get(photo.stack) === photo.key;
  element.id = `photo-${index}`;
  element.className = `cell ${decision}`;
  element.classList.toggle("open", photo.key === app.open);
  element.classList.toggle("chosen", app.ticked.has(photo.key));
  element.classList.toggle("stack", isTop && !app.spread.has(photo.stack));
  element.setAttribute("aria-selected", String(photo.key === app.open));
  element.setAttribute("aria-setsize", app.order.length);
  element.setAttribute("aria-posinset", index + 1);
  const told = photo.score ? `${photo.score}, ${photo.status}` : photo.status;
  const defect = photo.defect ? `, ${photo.defect.toLowerCase()}` : "";
  const similar = isTop ? `, ${size} similar photos` : "";
  const chosen = app.ticked.has(photo.key) ? ", ticked" : "";
  element.setAttribute("aria-label", `${photo.name}, ${told}${defect}, ${MARKS[decision].toLowerCase()}${similar}${chosen}`);
  element.title = photo.folder ? `${photo.folder}/${photo.name}` : photo.name;
  const picture = part("picture");
  if (picture.getAttribute("src") !== photo.picture) {
    if (photo.picture) picture.src = photo.picture;
    else picture.removeAttribute("src");
  }
  part("name").textContent = photo.name;
  part("defect").textContent = photo.defect;
  part("status").textContent = photo.score ?? photo.status;
  colourAs(app, part("status"), photo.status);
  part("pixels").textContent = photo.pixels;
  part("remark").textContent = photo.remark;
  part("mark").hidden = decision === "undecided";
  if (ICONS[decision]) part("mark").replaceChildren(icon(decision));
  part("pile").hidden = !isTop;
  part("pile").textContent = app.spread.has(photo.stack) ? `${size} ▾` : String(size);
  part("pile").title = app.spread.has(photo.stack) ? "Stack them again" : `Spread out ${size} similar photos`;
}

// Scrolls the list, and nothing else, until a photo is seen.
function bringIntoList(app) {
  const { window: frame } = app.parts, { columns, row } = app.size ?? measure(app);
  const top = Math.floor(app.order.indexOf(app.open) / columns) * row;
  if (top < frame.scrollTop) frame.scrollTop = top;
  else if (top + row > frame.scrollTop + frame.clientHeight) frame.scrollTop = top + row - frame.clientHeight;
}
