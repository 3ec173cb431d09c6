// Shows the values under the pointer, in all plots over time at once. It loads
// nothing, and the report is complete without it.
(() => {
  const timeline = document.querySelector("[data-at]");
  if (!timeline) return;
  const { from, to, left, right } = timeline.dataset;
  const numbers = (text) => text.split(",").map((part) => (part === "" ? null : Number(part)));
  const at = numbers(timeline.dataset.at);
  const output = (parent) => parent.appendChild(document.createElement("b"));

  const plots = [...timeline.querySelectorAll("figure")].flatMap((figure) => {
    const svg = figure.querySelector("svg");
    if (!svg) return [];
    const cursor = document.createElementNS(svg.namespaceURI, "line");
    cursor.setAttribute("class", "cursor");
    cursor.setAttribute("y1", 22);
    cursor.setAttribute("y2", svg.viewBox.baseVal.height - 24);
    svg.append(cursor);
    const keys = [...figure.querySelectorAll("[data-values]")];
    const read = keys.map((key) => ({ out: output(key), values: numbers(key.dataset.values) }));
    return [{ svg, cursor, time: output(figure.querySelector(".name")), read }];
  });

  const clock = (seconds) => {
    const two = (number) => String(Math.floor(number)).padStart(2, "0");
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor((seconds % 3600) / 60);
    return (hours ? `${hours}:${two(minutes)}` : `${minutes}`) + `:${two(seconds % 60)}`;
  };
  const shown = (value) =>
    value === null || value === undefined ? "–" : Number(value.toPrecision(3)).toLocaleString("en");

  const show = (index) => {
    const part = (at[index] - from) / (to - from);
    const x = 1000 * (Number(left) + part * (right - left));
    for (const { cursor, time, read } of plots) {
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
      time.textContent = clock(at[index]);
      for (const { out, values } of read) out.textContent = shown(values[index]);
    }
    timeline.classList.add("reading");
  };

  timeline.addEventListener("pointermove", (event) => {
    const svg = event.target.closest("svg");
    if (!svg || at.length === 0) return;
    const box = svg.getBoundingClientRect();
    const part = ((event.clientX - box.left) / box.width - left) / (right - left);
    const wanted = Number(from) + part * (to - from);
    const next = at.findIndex((time) => time >= wanted);
    show(next < 0 ? at.length - 1 : next);
  });
  timeline.addEventListener("pointerleave", () => timeline.classList.remove("reading"));
})();
