// What a choice or a drop brings: files, also those inside folders. Where they are many, the uploader never sees them.
const FEW = 40, ENOUGH = 128 * 2 ** 20;
const INTAKE = /\bst-key-intake\w*_(?:Files|Folder)_\d+/;

function isIntake(element) {
  return INTAKE.test(element.closest("[class*=st-key-intake]")?.className ?? "");
}

function areMany(files) {
  const length = files.reduce((sum, file) => sum + file.size, 0);
  return files.length > FEW || (files.length > 1 && length > ENOUGH);
}

function isPicture(app, name) {
  return app.data.suffixes.includes(name.slice(name.lastIndexOf(".")).toLowerCase());
}

function onChoice(app, event) {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || input.type !== "file" || !isIntake(input)) return;
  const files = [...input.files];
  if (!areMany(files)) return;
  event.stopImmediatePropagation();
  input.value = "";
  // A folder holds other things too; only pictures are taken, while a chosen file always gets an answer.
  take(app, input.webkitdirectory ? files.filter((file) => isPicture(app, file.name)) : files);
}

function onDrop(app, event) {
  const zone = event.target instanceof Element && event.target.closest("[data-testid=stFileUploaderDropzone]");
  if (!zone || !isIntake(zone)) return;
  // Both have to be asked for at once: after the event they are gone.
  const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
  const dropped = items.map((item) => ({ entry: item.webkitGetAsEntry?.(), file: item.getAsFile() }));
  const hasFolder = dropped.some(({ entry }) => entry?.isDirectory);
  if (!hasFolder && !areMany([...event.dataTransfer.files])) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  // The uploader shows that something is being dragged over it until it sees a drop: it gets one of nothing.
  zone.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: new DataTransfer() }));
  if (hasFolder) showReading(app);
  gather(app, dropped).then((files) => take(app, files));
}

async function gather(app, dropped) {
  const files = [];
  for (const { entry, file } of dropped) {
    if (entry?.isDirectory) await gatherFolder(app, entry, files);
    else if (file) files.push(file);
  }
  return files;
}

// A folder or a file that cannot be read is named at the end.
async function gatherFolder(app, folder, files) {
  try {
    const reader = folder.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return;
      for (const entry of some) {
        if (entry.isDirectory) await gatherFolder(app, entry, files);
        else if (isPicture(app, entry.name)) files.push(await fileOf(entry));
      }
    }
  } catch {
    app.unreadable.push(folder.fullPath.slice(1));
  }
}

// A file of a dropped folder gets the path that a file of a chosen folder has.
async function fileOf(entry) {
  const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
  return Object.defineProperty(file, "webkitRelativePath", { value: entry.fullPath.slice(1) });
}

function listen(app) {
  document.addEventListener("change", (event) => onChoice(app, event), true);
  document.addEventListener("drop", (event) => onDrop(app, event), true);
  window.addEventListener("beforeunload", (event) => {
    if (app.total) event.preventDefault();
  });
}
