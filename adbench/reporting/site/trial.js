// One trial, opened: every part that its block has, and only those.

const hasSome = (value) => value != null && Object.keys(value).length > 0;

function figureOf(title, plot, caption) {
  const holder = make("div", {});
  drawChart(holder, plot);
  return make("figure", {}, make("h4", {}, title), holder, caption && make("figcaption", {}, caption));
}

/** The parts of a trial's block that belong to one test set and score. */
function trialParts(block, row) {
  const result = block.tests?.[row.test]?.[row.score];
  return [
    failureOf(block),
    result && make("div", { class: "facts" },
      fact("AUROC", decimals(result.auroc)), fact("Average precision", decimals(result.ap)), fact("Anomalies", percent(result.contamination)),
      fact("Took", isNumber(block.seconds) ? `${seconds(block.seconds)} s` : "")),
    result && plotsOf(result),
    result && !result.by_index && block.repetition > 0 && make("p", { class: "quiet" }, "Scores by row, embedding and images are shown for the first repetition."),
    hasSome(result?.thresholds) && thresholdTable(result.thresholds),
    hasSome(block.images?.[row.test]?.rows) && imagesOf(block.images[row.test].rows),
    hasSome(block.embedding?.[row.test]) && make("div", { class: "plots" },
      figureOf("Embedding", embeddingPlot(block.embedding[row.test]), "What the detector makes of some test rows, in two dimensions.")),
    hasSome(block.curve) && curvesOf(block.curve),
    logOf(block),
    provenanceOf(block),
  ];
}

const fact = (name, value) => value && make("div", {}, make("span", { class: "quiet" }, name), make("strong", {}, value));

function failureOf({ status, reason, notes }) {
  return [
    status && status !== "ok" && make("p", { class: "notice bad" }, make("strong", {}, status), reason ? `: ${reason}` : ""),
    ...(notes ?? []).map((note) => make("p", { class: "notice" }, note)),
  ];
}

function plotsOf(result) {
  const fitted = result.normal_fit ? " The dotted curve is the normal distribution fitted to the training scores." : "";
  return make("div", { class: "plots" },
    result.histogram && figureOf("Scores and thresholds", histogramPlot(result), `Numbers name the rules of the table below; the long dashes are the oracle's.${fitted} The outermost bars hold all that lies beyond.`),
    result.by_index?.test && figureOf("Scores by row", byIndexPlot(result), "The dashed lines are the first rule's threshold and the oracle's."),
    result.roc && figureOf("ROC", rocPlot(result), "The dashed diagonal is chance."),
    result.pr && figureOf("Precision and recall", prPlot(result), "The dashed line is chance: the share of anomalies."));
}

const RULE_COLUMNS = [
  ["lower", "lower", brief], ["upper", "upper", brief], ["promised", "false alarms promised", percent], ["far", "got", percent],
  ["precision", "precision", decimals], ["recall", "recall", decimals], ["f1", "F1", decimals], ["f1_normal", "F1 of normal", decimals],
  ["balanced_accuracy", "balanced accuracy", decimals], ["mcc", "MCC", decimals],
];

function thresholdTable(thresholds) {
  const best = Math.max(...thresholds.filter((rule) => !rule.oracle && isNumber(rule.f1)).map((rule) => rule.f1));
  const head = make("tr", {}, make("th", { scope: "col" }, "No."), make("th", { scope: "col" }, "Rule"),
    RULE_COLUMNS.map(([, title]) => make("th", { scope: "col", class: "number" }, title)));
  const line = (rule, at) => make("tr", { class: rule.oracle ? "oracle" : rule.f1 === best ? "is-best" : "" },
    make("td", {}, String(at + 1)), make("th", { scope: "row" }, rule.name, rule.oracle && pill("uses test labels", "warn")),
    RULE_COLUMNS.map(([field, , show]) => make("td", { class: "number" }, show(rule[field]))));
  return make("section", {}, make("h4", {}, "Decisions"),
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Decisions" },
      make("table", { class: "plain" }, make("thead", {}, head), make("tbody", {}, thresholds.map(line)))),
    make("p", { class: "quiet" }, "The best F1 of a label-free rule is in bold; the oracle is chosen on the test labels and is no result."));
}

function imagesOf(rows) {
  const half = Math.ceil(rows.length / 2);
  const group = (title, shown) => make("div", {}, make("h5", {}, title), make("div", { class: "images" }, shown.map(imageOfRow)));
  return make("section", {}, make("h4", {}, "Test images"), make("p", { class: "quiet" }, "Each image, and what the detector makes of it where it reconstructs."),
    group("Least anomalous", rows.slice(0, half)), group("Most anomalous", rows.slice(half)));
}

function imageOfRow({ image, reconstruction, score, label, index }) {
  const words = label ? "anomaly" : "normal";
  const picture = (name, what) => { const src = name != null && imageOf(name); return src && make("img", { src, alt: `${what} of test row ${index}`, loading: "lazy" }); };
  return make("figure", { class: words }, make("div", {}, picture(image, "image"), picture(reconstruction, "reconstruction")),
    make("figcaption", {}, make("b", {}, words), ` ${brief(score)}`));
}

const curvesOf = (curve) => make("section", {}, make("h4", {}, "Training"),
  make("div", { class: "plots small" }, Object.entries(curve).map(([name, series]) => figureOf(name, curvePlot(name, series)))));

const logOf = ({ log, status }) => log && make("details", { open: status !== "ok" }, make("summary", {}, "What it printed last"), make("pre", { tabindex: "0" }, log));

const pairs = (mapping) => Object.entries(mapping ?? {}).map(([name, value]) => `${name} ${isPlain(value) || Array.isArray(value) ? JSON.stringify(value) : value}`).join(", ");

function provenanceOf(block) {
  const lines = [
    ["Trial", block.key], ["Repetition", block.repetition], ["Root seed", block.root], ["Finished", block.finished],
    ["Settings", pairs(block.settings)], ["Versions", pairs(block.versions)], ["Machine", block.machine],
  ].filter(([, value]) => value != null && value !== "");
  return make("details", { class: "provenance" }, make("summary", {}, "Where it comes from"),
    make("dl", {}, lines.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))])));
}
