// A board's rows made ready for the tables, and how their cells look.

/** A section as the tables want it: rows as objects, with their detector, search words and marks. */
function boardOf(section) {
  const { fields, values } = section.rows;
  const rows = values.map((value) => Object.fromEntries(fields.map((field, at) => [field, value[at]])));
  const board = { ...section, rows: rows.map((row) => resultOf(row, section.detectors[row.d])) };
  const first = Math.min(...section.detectors.filter(({ floor }) => !floor).map(({ rank }) => rank).filter(isNumber));
  board.detectors = section.detectors.map((detector) =>
    ({ ...detector, key: detector.name, words: wordsOf(detector), best: detector.rank === first }));
  const lowest = Math.min(0.5, ...board.rows.map((row) => row.aurocLimits?.[0]).filter(isNumber));
  board.scale = [Math.max(0, Math.floor(lowest * 10) / 10), 1];
  markBest(board.rows);
  board.rows.sort((a, b) => collator.compare(a.task, b.task) || collator.compare(a.test, b.test) || (a.rank ?? Infinity) - (b.rank ?? Infinity) || 0);
  return board;
}

function resultOf(row, detector) {
  return {
    ...row,
    key: [detector.name, row.task, row.test, row.score].join("/"),
    name: detector.name, family: detector.family, floor: detector.floor, summary: detector.summary,
    auroc: row.auroc?.[0] ?? null, aurocLimits: row.auroc?.slice(1),
    ap: row.ap?.[0] ?? null, apLimits: row.ap?.slice(1),
    failed: row.status !== "ok",
    words: [detector.name, detector.family, detector.summary, row.task, row.test, row.score, row.modality, row.status, row.mark]
      .join(" ").toLowerCase(),
  };
}

const wordsOf = (detector) => [detector.name, detector.family, detector.summary, detector.source].join(" ").toLowerCase();

/** The best of a task is its lowest rank: bold, and said in words. */
function markBest(rows) {
  const lowest = new Map();
  const group = (row) => `${row.task}\n${row.test}`;
  for (const row of rows) {
    if (row.declared && isNumber(row.rank)) lowest.set(group(row), Math.min(row.rank, lowest.get(group(row)) ?? Infinity));
  }
  for (const row of rows) row.best = Boolean(row.declared && isNumber(row.rank) && row.rank === lowest.get(group(row)));
}

const pill = (words, kind = "", title = null) => make("span", { class: `pill ${kind}`, title }, words);

/** The detector's name; on a phone, what it was tried on stands below, so that the numbers come next. */
function nameCell(row) {
  return make("div", { class: `name ${row.floor ? "floor" : ""}` },
    make("button", { type: "button", class: "open", tabindex: "-1", title: row.summary }, row.name),
    row.floor && pill("floor", "", "a trivial detector: what any method must beat"),
    narrow() && row.task && make("small", { class: "quiet" }, row.task));
}

/** An estimate, its limits, and where both lie on the board's common scale; a tick marks chance. */
function estimateCell(value, limits, scale, chance) {
  if (!isNumber(value)) return make("span", { class: "quiet" }, "–");
  const at = (point) => `${(100 * Math.min(1, Math.max(0, (point - scale[0]) / (scale[1] - scale[0])))).toFixed(1)}%`;
  const bar = make("span", { class: "bar", "aria-hidden": "true" });
  const part = (kind, from, to) => {
    const piece = make("i", { class: kind });
    piece.style.left = at(from);
    if (to !== undefined) piece.style.right = `calc(100% - ${at(to)})`;
    bar.append(piece);
  };
  if (isNumber(chance)) part("chance", chance);
  if (limits) part("interval", ...limits);
  part("estimate", value);
  return make("div", { class: "estimate" },
    make("span", { class: "value" }, decimals(value)),
    limits && make("span", { class: "limits" }, `[${limits.map((limit) => decimals(limit)).join(", ")}]`),
    bar);
}

/** What a reader must know of a result before believing its number, in words. */
function remarksCell(row) {
  const failed = row.failed && pill(row.status, "bad", "not every trial is ok");
  return make("div", { class: "remarks" },
    failed,
    row.best && pill("best", "good", "the best rank of this task"),
    row.tie && !row.best && pill("tied", "", "not separated from the best of this task"),
    row.mark && pill(row.mark, "warn"),
    row.attack && pill("attack", "", "test rows moved against the detector"),
    !row.declared && pill("second score", "", "not the score that the detector declares; never ranked"));
}

function failedCell(detector) {
  return detector.failed ? pill(`${detector.failed} failed`, "bad") : make("span", { class: "quiet" }, "none");
}
