() => {
  // Every text that is seen with a contrast below WCAG 2.2, level AA: [ratio, text, colour]. Icons and large text
  // need 3, other text 4.5. What is disabled need not be legible; texts on photos and heat maps have no one background.
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const luminance = (layers) => {
    for (const [colour, opacity] of [["white", 1], ...layers]) {
      canvas.globalAlpha = opacity;
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
    return 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  };
  const parent = (one) => one.parentElement ?? one.getRootNode().host;
  const covers = (outer, inner) => outer.left <= inner.left + 2 && outer.right >= inner.right - 2
    && outer.top <= inner.top + 3 && outer.bottom >= inner.bottom - 3;
  const [faint, seen] = [[], []];

  const judge = (node) => {
    const words = node.textContent.trim(), element = node.parentElement, range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (!words || box.width < 2 || box.height < 2 || element.closest("style, script, [disabled], .heatmaplayer")) return;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return;
    // The value of a slider is a part of its knob, and is written above it.
    if (element.closest("[data-testid=stSliderThumbValue], .scatterlayer")) return;
    const layers = [];
    let opacity = 1;
    for (let one = element; one; one = parent(one)) {
      const style = getComputedStyle(one);
      if (style.overflow === "hidden" && one.getBoundingClientRect().width <= 1) return;
      if (style.backgroundImage.includes("url(")) return;
      opacity *= Number(style.opacity);
      layers.unshift([style.backgroundColor, 1]);
    }
    const style = getComputedStyle(element), drawn = element.closest("svg text");
    for (const shape of drawn?.parentElement.querySelectorAll(":scope > rect, :scope > path") ?? []) {
      const { fill, fillOpacity } = getComputedStyle(shape);
      if (fill !== "none" && covers(shape.getBoundingClientRect(), box)) layers.push([fill, Number(fillOpacity)]);
    }
    const colour = drawn ? style.fill : style.color;
    const written = [...layers, [colour, drawn ? opacity * Number(style.fillOpacity) : opacity]];
    const [light, dark] = [luminance(layers), luminance(written)].sort((one, other) => other - one);
    const ratio = (light + 0.05) / (dark + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) || style.fontFamily.includes("Material");
    seen.push(words);
    if (ratio < (large ? 3 : 4.5)) faint.push([ratio.toFixed(2), words.slice(0, 60), colour]);
  };

  const visit = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE) judge(node);
      else if (node.shadowRoot) visit(node.shadowRoot);
    }
  };
  visit(document.body);
  return { seen: seen.length, faint };
}
