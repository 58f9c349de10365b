// Plotly selects the point under the pointer, which it knows from the pointer's movements: a finger makes none before it
// touches. So a touch on a chart moves the pointer there first.
export default function () {
  const point = ({ target, touches }) => {
    if (touches.length !== 1 || !target.closest?.(".js-plotly-plot")) return;
    const { clientX, clientY } = touches[0];
    target.dispatchEvent(new MouseEvent("mousemove", { clientX, clientY, bubbles: true, view: window }));
  };
  document.addEventListener("touchstart", point, { capture: true, passive: true });
  return () => document.removeEventListener("touchstart", point, { capture: true });
}
