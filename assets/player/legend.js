/* The legend: what colours, shapes and lines mean. */

/** What colours, shapes and lines mean; methods that the run does not use are left out. */
function createLegend() {
  const swatch = (kind, attributes) => el("span", { class: "ls-swatch " + kind, ...attributes }, "ab");
  const item = (name, words, ...swatches) =>
    el("span", { class: "ls-legend-item", "data-legend": name }, ...swatches, words);
  const origins = ORIGIN_NAMES.map((origin) => {
    const own = { "data-legend-origin": origin };
    return item(origin, LEGEND_TITLES[origin], swatch("ls-token", own), swatch("ls-chip", own));
  });
  const states = Object.entries(STATE_TITLES).map(([state, title]) =>
    item(state, title, swatch("ls-chip", { "data-legend-state": state })),
  );
  const sources = [
    item("copy", "copied from here", swatch("", { "data-source": "copy" })),
    item("match", "matched n-gram", swatch("", { "data-source": "match" })),
  ];
  const items = [...origins, ...states, ...sources];
  const element = el("div", { class: "ls-legend", role: "group", "aria-label": "Legend" }, ...items);
  const paint = ({ trace }) => {
    for (const each of origins.slice(3)) each.hidden = !trace || !trace.uses.has(each.dataset.legend);
  };
  paint({ trace: null });
  return { element, paint };
}
