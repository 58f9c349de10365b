// The photos on their way outlive the component, which Streamlit may take out of the page and put back.
const arrival = {
  number: 0, total: 0, came: 0, waiting: [], sent: null, tries: new Map(), tooLarge: [], unreadable: [], end: "",
  isCancelled: false, isLost: false, portionLength: 32 * 2 ** 20, timer: undefined, data: undefined,
};

export default function ({ data, parentElement, setStateValue }) {
  const app = arrival, find = (selector) => parentElement.querySelector(selector);
  if (!app.data) listen(app);
  app.data = data;
  app.send = setStateValue;
  app.parts = { line: find(".line"), words: find(".words"), bar: find("progress"), button: find("button") };
  drawLine(app);
  goOn(app);
}
