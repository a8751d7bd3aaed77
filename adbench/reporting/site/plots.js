// The plots of one trial, as Vega-Lite specifications of its block.

const zip = (names, ...lists) => lists[0].map((_, at) => Object.fromEntries(names.map((name, n) => [name, lists[n][at]])));
const GROUPS = ["normal", "anomaly", "training"];
const DASHES = [[1, 0], [6, 2], [2, 2]];

const groupScale = (colours, groups = GROUPS) => ({
  color: { field: "group", type: "nominal", title: null, sort: null,
    scale: { domain: groups, range: groups.map((group) => ({ normal: colours.normal, anomaly: colours.anomaly, training: colours.train })[group]) } },
  strokeDash: { field: "group", type: "nominal", title: null, sort: null,
    scale: { domain: groups, range: groups.map((group) => DASHES[GROUPS.indexOf(group)]) } },
});

/** Share of each group by score, its thresholds as numbered lines and the normal curve fitted to the training scores. */
function histogramPlot(result) {
  const { edges } = result.histogram;
  const counts = { normal: result.histogram.normal, anomaly: result.histogram.anomaly, training: result.histogram.train };
  const groups = GROUPS.filter((group) => counts[group]);
  const bins = groups.flatMap((group) => {
    const total = counts[group].reduce((sum, count) => sum + count, 0) || 1;
    return counts[group].map((count, at) => ({ from: edges[at], to: edges[at + 1], share: count / total, group, count }));
  });
  // A last point closes the outline of the last bin.
  const outline = [...bins, ...groups.map((group) => ({ from: edges.at(-1), share: 0, group }))];
  const lines = thresholdLines(result);
  const domain = [Math.min(edges[0], ...lines.map((line) => line.at)), Math.max(edges.at(-1), ...lines.map((line) => line.at))];
  const x = { field: "from", type: "quantitative", title: "anomaly score", scale: { domain, nice: false, zero: false } };
  const y = { field: "share", type: "quantitative", title: "share of the group", axis: { format: "%", tickCount: 5 } };
  return (colours) => ({
    height: 260, description: "Histogram of the scores with every threshold",
    layer: [
      { data: { values: bins.filter((bin) => bin.group !== "training" && bin.share > 0) }, mark: { type: "bar", opacity: 0.22, binSpacing: 0 },
        encoding: { x: { ...x, bin: { binned: true } }, x2: { field: "to" }, y: { ...y, stack: null }, color: groupScale(colours, groups).color,
          tooltip: [{ field: "group", title: "rows" }, { field: "count", title: "number" }, { field: "from", title: "from", format: ".4g" }, { field: "to", title: "to", format: ".4g" }] } },
      { data: { values: outline }, mark: { type: "line", interpolate: "step-after", strokeWidth: 1.6 }, encoding: { x, y, ...groupScale(colours, groups) } },
      ...normalCurve(result, domain, x, y, colours),
      ...thresholdLayers(lines, colours),
    ],
  });
}

function normalCurve({ normal_fit: fit, histogram: { edges } }, domain, x, y, colours) {
  if (!fit || !(fit.std > 0)) return [];
  const width = (edges.at(-1) - edges[0]) / (edges.length - 1);
  const share = (score) => (width / (fit.std * Math.sqrt(2 * Math.PI))) * Math.exp(-0.5 * ((score - fit.mean) / fit.std) ** 2);
  const points = Array.from({ length: 161 }, (_, at) => domain[0] + ((domain[1] - domain[0]) * at) / 160);
  return [{
    data: { values: points.map((from) => ({ from, share: share(from), said: "normal curve of the training scores" })) },
    mark: { type: "line", strokeWidth: 1.2, strokeDash: [1, 3], strokeCap: "round", clip: true, color: colours.strong },
    encoding: { x, y, tooltip: { field: "said", type: "nominal" } },
  }];
}

/** The finite limits of every rule, numbered as in the table; far ones would squeeze the histogram and stay in the table. */
function thresholdLines({ thresholds, histogram: { edges } }) {
  const slack = 0.3 * (edges.at(-1) - edges[0]);
  const fits = (at) => isNumber(at) && at >= edges[0] - slack && at <= edges.at(-1) + slack;
  return stacked((thresholds ?? []).flatMap(({ name, lower, upper, oracle }, number) =>
    [lower, upper].filter(fits).map((at) => ({ at, name, kind: oracle ? "oracle" : "rule", label: oracle ? "oracle" : String(number + 1) }))),
    edges.at(-1) - edges[0]);
}

/** Labels that would lie on one another, on a plot of some 360 pixels, stand below one another. */
function stacked(lines, range) {
  const ends = [];
  return lines.sort((a, b) => a.at - b.at).map((line) => {
    const start = (360 * line.at) / range;
    let level = ends.findIndex((end) => end < start);
    if (level < 0) level = ends.length;
    ends[level] = start + 6 + 6 * line.label.length;
    return { ...line, height: 5 + 11 * level };
  });
}

function thresholdLayers(lines, colours) {
  const shared = { data: { values: lines } };
  const look = { condition: { test: "datum.kind === 'oracle'", value: colours.rule }, value: colours.text };
  const says = [{ field: "name", title: "threshold" }, { field: "at", title: "at", format: ".4g" }];
  const place = { x: { field: "at", type: "quantitative" }, y: { field: "height", type: "quantitative", scale: null, axis: null }, text: { field: "label" } };
  const label = { type: "text", align: "left", dx: 3, fontSize: 10, baseline: "middle" };
  return lines.length === 0 ? [] : [
    { ...shared, mark: { type: "rule", strokeWidth: 1.2 },
      encoding: { x: { field: "at", type: "quantitative" }, color: look, tooltip: says,
        strokeDash: { condition: { test: "datum.kind === 'oracle'", value: [7, 4] }, value: [2, 2] } } },
    { ...shared, mark: { ...label, stroke: colours.ground, strokeWidth: 5, strokeJoin: "round", aria: false }, encoding: place },
    { ...shared, mark: label, encoding: { ...place, color: look, tooltip: says } },
  ];
}

/** A curve in the unit square beside the line of chance. */
function unitPlot([across, up], [xTitle, yTitle], chance, step, about) {
  const points = zip(["x", "y"], across, up).map((point, order) => ({ ...point, order }));
  const axis = (field, title) => ({ field, type: "quantitative", title, scale: { domain: [0, 1] }, axis: { tickCount: 5 } });
  const encoding = { x: axis("x", xTitle), y: axis("y", yTitle), order: { field: "order", type: "quantitative" } };
  return (colours) => ({
    height: 230, description: about,
    layer: [
      { data: { values: zip(["x", "y"], [0, 1], chance) }, mark: { type: "line", strokeDash: [3, 3], color: colours.text, strokeWidth: 1 }, encoding: { x: encoding.x, y: encoding.y } },
      { data: { values: points }, mark: { type: "line", color: colours.normal, strokeWidth: 2, interpolate: step }, encoding },
      { data: { values: points }, mark: { type: "point", opacity: 0, size: 60 }, encoding: { ...encoding, tooltip: [{ field: "x", title: xTitle, format: ".3f" }, { field: "y", title: yTitle, format: ".3f" }] } },
    ],
  });
}

const rocPlot = ({ roc }) => unitPlot(roc, ["false-alarm rate", "share of anomalies found"], [0, 1], "linear", "ROC curve");
const prPlot = ({ pr, contamination }) =>
  unitPlot(pr, ["recall", "precision"], [contamination ?? 0, contamination ?? 0], "linear", "Precision-recall curve");

/** Scores in the order of the rows: training rows, then test rows. */
function byIndexPlot({ by_index: { train, test, n_train: size }, thresholds }) {
  const shift = train ? size ?? 0 : 0;
  const points = [
    ...(train ? zip(["index", "score"], ...train).map((point) => ({ ...point, group: "training" })) : []),
    ...zip(["index", "score", "label"], ...test).map(({ index, score, label }) => ({ index: index + shift, score, group: label ? "anomaly" : "normal" })),
  ];
  const limits = (thresholds ?? []).filter((rule) => isNumber(rule.upper)).filter((rule, at) => at === 0 || rule.oracle);
  return (colours) => ({
    height: 260, description: "Scores in the order of the rows",
    layer: [
      { data: { values: points }, mark: { type: "point", size: 16, opacity: 0.75, filled: true },
        encoding: {
          x: { field: "index", type: "quantitative", title: train ? "training rows, then test rows" : "test rows", axis: { format: "d" }, scale: { nice: false } },
          y: { field: "score", type: "quantitative", title: "anomaly score", scale: { zero: false } },
          color: groupScale(colours).color,
          shape: { field: "group", type: "nominal", title: null, sort: null, scale: { domain: GROUPS, range: ["circle", "triangle-up", "diamond"] } },
          tooltip: [{ field: "group", title: "row" }, { field: "index", title: "at" }, { field: "score", title: "score", format: ".4g" }],
        } },
      ...(train ? [{ data: { values: [{ index: shift }] }, mark: { type: "rule", color: colours.text, strokeDash: [3, 3] }, encoding: { x: { field: "index", type: "quantitative" } } }] : []),
      { data: { values: limits.map(({ upper, name }) => ({ score: upper, name })) }, mark: { type: "rule", color: colours.rule, strokeDash: [7, 4] },
        encoding: { y: { field: "score", type: "quantitative" }, tooltip: { field: "name", title: "threshold" } } },
    ],
  });
}

function curvePlot(name, [steps, values]) {
  const points = zip(["step", "value"], steps, values);
  return (colours) => ({
    height: 150, description: `Training curve of ${name}`, data: { values: points },
    mark: { type: "line", color: colours.normal, strokeWidth: 1.6, point: points.length < 30 ? { size: 18, color: colours.normal } : false },
    encoding: {
      x: { field: "step", type: "quantitative", title: "step", axis: { tickMinStep: 1, format: "d" }, scale: { nice: false, zero: false } },
      y: { field: "value", type: "quantitative", title: null, scale: { zero: false }, axis: { tickCount: 4 } },
      tooltip: [{ field: "step", title: "step" }, { field: "value", title: "value", format: ".5g" }],
    },
  });
}

function embeddingPlot({ x, y, label }) {
  const points = zip(["x", "y", "label"], x, y, label).map((point) => ({ ...point, group: point.label ? "anomaly" : "normal" }));
  const groups = GROUPS.slice(0, 2);
  const axis = (field) => ({ field, type: "quantitative", title: null, scale: { zero: false }, axis: { labels: false, ticks: false } });
  return (colours) => ({
    height: 300, description: "Embedding of test rows in two dimensions", data: { values: points }, mark: { type: "point", size: 26, filled: true, opacity: 0.75 },
    encoding: { x: axis("x"), y: axis("y"), color: groupScale(colours, groups).color,
      shape: { field: "group", type: "nominal", title: null, sort: null, scale: { domain: groups, range: ["circle", "triangle-up"] } },
      tooltip: { field: "group", title: "row" } },
  });
}
