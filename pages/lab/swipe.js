// Moves the line to where the slider is; texts and pictures come as data.
export default function ({ data, parentElement }) {
  const find = (selector) => parentElement.querySelector(selector);
  const root = find(".swipe"), slider = find("input");
  root.style.setProperty("--aspect", data.aspect);
  for (const [name, source, words] of [
    ["before", data.before, data.left], ["after", data.after, data.right],
  ]) {
    const image = find("." + name);
    if (image.src !== source) image.src = source;
    image.alt = words;
  }
  find(".left").textContent = data.left;
  find(".right").textContent = data.right;
  slider.setAttribute("aria-label", "Boundary between the undistorted and the distorted photo");
  const move = () => {
    root.style.setProperty("--at", slider.value + "%");
    slider.setAttribute("aria-valuetext", slider.value + " % undistorted");
    find(".left").style.opacity = slider.value < 22 ? 0 : 1;
    find(".right").style.opacity = slider.value > 78 ? 0 : 1;
  };
  slider.oninput = move;
  move();
}
