// Charts: Vega-Lite, unpacked when the first one is drawn. Expressions are interpreted, never compiled, and nothing is fetched.

let library;

function chartLibrary() {
  library ??= inflate(byId("charts-library").textContent).then((source) => {
    document.head.append(make("script", {}, source));
    return window.charts;
  });
  return library;
}

const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

/** Okabe and Ito's colours, the lighter of them on dark ground; no plot tells two things apart by colour alone. */
const palette = () => isDark()
  ? { ground: "#14171b", text: "#c9ced6", strong: "#eceef1", grid: "#2c323a", normal: "#56b4e9", anomaly: "#e69f00", train: "#2fbf93", rule: "#cc79a7",
      category: ["#56b4e9", "#e69f00", "#2fbf93", "#cc79a7", "#f0e442", "#ff8f50", "#b9bec6"] }
  : { ground: "#ffffff", text: "#4b535e", strong: "#1b1f24", grid: "#e4e7eb", normal: "#0072b2", anomaly: "#d55e00", train: "#009e73", rule: "#9c4a7c",
      category: ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5b6470"] };

function themed(colours) {
  const font = getComputedStyle(document.body).fontFamily;
  const words = { labelColor: colours.text, titleColor: colours.text, labelFont: font, titleFont: font, titleFontWeight: "normal" };
  return {
    background: null, font,
    view: { stroke: null },
    axis: { ...words, gridColor: colours.grid, domainColor: colours.grid, tickColor: colours.grid, labelFontSize: 11, titleFontSize: 12, titlePadding: 8, labelOverlap: "greedy", labelSeparation: 6 },
    axisX: { grid: false },
    legend: { ...words, labelFontSize: 12, titleFontSize: 12, orient: "top", symbolStrokeWidth: 2, labelLimit: 260 },
    header: words,
    title: { color: colours.strong, font, fontSize: 13, fontWeight: 600, anchor: "start", subtitleColor: colours.text },
    text: { color: colours.strong, font }, rule: { color: colours.text },
    bar: { color: colours.category[0] }, line: { color: colours.category[0] }, point: { color: colours.category[0] }, circle: { color: colours.category[0] },
    range: { category: colours.category },
  };
}

const NOTHING_LOADS = {
  load: () => Promise.reject(new Error("this page loads nothing")),
  sanitize: () => Promise.reject(new Error("this page leads nowhere")),
};

/** Show what a mark says beside the pointer, as text. */
function tooltip(_handler, event, _item, value) {
  const box = byId("tooltip") ?? make("div", { id: "tooltip", "aria-hidden": "true" });
  (document.querySelector("dialog[open]") ?? document.body).append(box);
  box.hidden = value == null || value === "";
  if (box.hidden) return;
  const lines = typeof value === "object" ? Object.entries(value) : [["", value]];
  box.replaceChildren(...lines.map(([name, said]) => make("div", {}, name && make("span", { class: "quiet" }, `${name} `), String(said))));
  box.style.left = `${Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8)}px`;
  box.style.top = `${Math.min(event.clientY + 14, innerHeight - box.offsetHeight - 8)}px`;
}

const drawn = new Map(); // holder -> { specOf, view }

/** Draw a chart once its holder comes near the screen; `specOf` makes its specification from a palette. */
function drawChart(holder, specOf) {
  holder.classList.add("chart");
  new IntersectionObserver((entries, watcher) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watcher.disconnect();
    showChart(holder, specOf);
  }, { rootMargin: "300px" }).observe(holder);
}

async function showChart(holder, specOf) {
  try {
    const { compile, parse, View, expressionInterpreter } = await chartLibrary();
    const colours = palette();
    const spec = fitted(specOf(colours));
    const compiled = compile({ ...spec, background: undefined, config: merged(spec.config, themed(colours)) }, { logger: QUIET }).spec;
    drawn.get(holder)?.view.finalize();
    const view = new View(parse(compiled, null, { ast: true }), {
      expr: expressionInterpreter, loader: NOTHING_LOADS, renderer: "svg", container: holder, hover: true, tooltip, logLevel: 0,
    });
    drawn.set(holder, { specOf, view });
    await view.runAsync();
  } catch (error) {
    holder.replaceChildren(make("p", { class: "quiet" }, `This chart cannot be drawn: ${error.message}`));
  }
}

const QUIET = { level() { return this; }, error() { return this; }, warn() { return this; }, info() { return this; }, debug() { return this; } };

/** A chart of one view without a width of its own takes that of its holder. */
function fitted(spec) {
  const single = "mark" in spec || "layer" in spec;
  if (!single || ("width" in spec && spec.width !== "container")) return spec;
  return { ...spec, width: "container", autosize: { type: "fit-x", contains: "padding" } };
}

const isPlain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** The page's look over that of a chart's own configuration: its ground, words and colours follow the theme. */
function merged(below = {}, above) {
  const whole = { ...below };
  for (const [name, value] of Object.entries(above)) whole[name] = isPlain(value) && isPlain(below[name]) ? merged(below[name], value) : value;
  return whole;
}

/** Let go of the charts that are no longer shown; with `again`, draw the others anew in the present theme. */
function tidyCharts(again = false) {
  for (const [holder, { specOf, view }] of [...drawn]) {
    if (!holder.isConnected) {
      view.finalize();
      drawn.delete(holder);
    } else if (again) showChart(holder, specOf);
  }
}
