"""Before and after under one slider: drag, tap, or use the arrow keys."""

import base64
from pathlib import Path

import streamlit as st

from pages.lab.bench import Bench
from pages.lab.controls import Choice
from pages.shared.failures import explain
from pages.shared.photo_library import SessionPhoto
from pages.shared.plain import plain

_HTML = """
<figure class="swipe">
  <img class="before"><img class="after">
  <span class="label left"></span><span class="label right"></span>
  <div class="line"><div class="knob">
    <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M9 6l-6 6 6 6M15 6l6 6-6 6"/></svg>
  </div></div>
  <input type="range" min="0" max="100" step="1" value="50">
</figure>
"""

_CSS = """
.swipe {
  --at: 50%; position: relative; margin: 0 auto; overflow: hidden; border-radius: 6px; line-height: 0;
  max-width: min(100%, calc(66vh * var(--aspect, 1.33))); aspect-ratio: var(--aspect, 1.33);
}
.swipe img { position: absolute; inset: 0; width: 100%; height: 100%; }
.swipe .after { clip-path: inset(0 0 0 var(--at)); }
.swipe .line {
  position: absolute; top: 0; bottom: 0; left: var(--at); width: 2px; margin-left: -1px; background: #fff;
  box-shadow: 0 0 4px rgba(0, 0, 0, 0.6);
}
.swipe .knob {
  position: absolute; top: 50%; left: 50%; transform: translate(-50%, -50%); width: 44px; height: 44px;
  border-radius: 50%; background: #fff; color: #1f2529; display: grid; place-items: center;
  box-shadow: 0 1px 6px rgba(0, 0, 0, 0.45);
}
.swipe svg { width: 24px; fill: none; stroke: currentColor; stroke-width: 2.2; stroke-linecap: round; }
.swipe input {
  position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: ew-resize;
  appearance: none; touch-action: pan-y;
}
/* No width: the line stands under the finger from edge to edge. */
.swipe input::-webkit-slider-thumb { appearance: none; width: 1px; height: 100%; }
.swipe input::-moz-range-thumb { width: 1px; height: 100%; border: 0; }
.swipe:focus-within .knob { outline: 3px solid var(--st-primary-color, #2f6f8f); outline-offset: 2px; }
.swipe .label {
  position: absolute; bottom: 10px; padding: 0.5em 0.8em; border-radius: 1em; line-height: 1;
  font: 600 13px/1 var(--st-font, sans-serif); color: #fff; background: rgba(20, 24, 27, 0.72);
  transition: opacity 0.15s;
}
.swipe .left { left: 10px; } .swipe .right { right: 10px; }
"""

_JS = """
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
"""


def show(bench: Bench, choice: Choice, photo: SessionPhoto) -> None:
    """Show the photo, undistorted on the left of the slider and distorted on its right."""
    entry, level = choice.distortion, choice.level
    try:
        before, after = bench.picture(entry, 0), bench.picture(entry, level)
    except Exception as error:
        st.error(plain(explain(error)))
        return
    scores = bench.scores.get(entry.key, [])
    score = f": {scores[level - 1]:.0f}" if len(scores) >= level else ""
    height, width = bench.pixels.shape[:2]
    # Registered where it is shown, since every runtime has its own register; the same definition is no second one.
    swipe = st.components.v2.component("lab_swipe", html=_HTML, css=_CSS, js=_JS)
    swipe(
        key="lab_swipe",
        data={
            "before": _data_uri(before),
            "after": _data_uri(after),
            "left": f"Undistorted: {bench.undistorted:.0f}",
            "right": f"Level {level}{score}",
            "aspect": width / height,
        },
    )
    st.caption(f"{plain(Path(photo.name).name)} · {width} × {height} pixels here, about the databases' size")


def _data_uri(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"
