// The sheet that a row opens into: a result with its trials, or a detector with its results.

const dialog = byId("dialog");

function openSheet(title, subtitle, body, { previous, next, close }) {
  const step = (words, sign, act) => make("button", { type: "button", "aria-label": words, title: words, disabled: !act, click: act ?? (() => {}) }, sign);
  dialog.replaceChildren(
    make("header", {},
      make("div", {}, make("h2", { id: "dialog-title", tabindex: "-1" }, title), subtitle),
      make("div", { class: "actions" }, step("Previous row", "↑", previous), step("Next row", "↓", next),
        make("button", { type: "button", id: "dialog-link", click: (event) => copy(location.href, event.target) }, "Copy link"),
        make("button", { type: "button", id: "dialog-close", "aria-label": "Close", title: "Close (Escape)", click: close }, "✕"))),
    make("div", { class: "body" }, body));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  byId("dialog-title").focus({ preventScroll: true });
  tidyCharts();
}

/** A result: what the table says of it, then a tab for each repetition. */
function resultSheet(row, detector, command, steps) {
  const subtitle = make("p", { class: "quiet" }, sentence([row.modality, row.test && `test set ${row.test}`, `score ${row.score}`, row.family]));
  const panel = make("div", { role: "tabpanel", id: "trial", tabindex: "-1", "aria-live": "off" });
  const trials = row.trials ?? [];
  const chosen = Math.min(Math.max(0, Number.parseInt(state.rep, 10) || 0), Math.max(0, trials.length - 1));
  const choose = (at) => { keep({ rep: String(at) }); showTrial(panel, trials[at], row); };
  const body = [
    make("div", { class: "marks" }, remarksCell(row)),
    make("div", { class: "facts" },
      fact("AUROC", withLimits(row.auroc, row.aurocLimits)), fact("Average precision", withLimits(row.ap, row.apLimits)), fact("Chance of it", decimals(row.chance)),
      fact("Rank", isNumber(row.rank) ? String(row.rank) : ""), fact("Precision at n", decimals(row.p_at_n)), fact("False alarms at 95 % found", decimals(row.fpr)),
      fact("Fit", row.fit != null && `${seconds(row.fit)} s`), fact("Score", row.score_s != null && `${seconds(row.score_s)} s`),
      fact("Memory", row.mb != null && `${megabytes(row.mb)} MB`), fact("Parameters", parameters(row.parameters))),
    detector.summary && make("p", {}, detector.summary, detector.source && make("span", { class: "quiet" }, ` ${detector.source}`)),
    trials.length === 0 ? make("p", { class: "notice" }, "No trial of this result is in the page.") : repetitionTabs(trials.length, chosen, choose),
    panel,
  ];
  openSheet(`${row.name} on ${row.task}`, subtitle, body, steps);
  if (trials.length) choose(chosen);
}

const withLimits = (value, limits) => (isNumber(value) ? decimals(value) + (limits ? ` [${limits.map((limit) => decimals(limit)).join(", ")}]` : "") : "");

function repetitionTabs(count, chosen, choose) {
  return tabList("Repetitions", Array.from({ length: count }, (_, at) => [String(at), `Repetition ${at}`]), String(chosen), (name) => choose(Number(name)), "trial");
}

/** Tabs as the keyboard expects them: one stop, arrows between. */
function tabList(label, entries, chosen, choose, controls) {
  const list = make("div", { class: "tabs", role: "tablist", "aria-label": label });
  const select = (name, focus) => {
    for (const tab of list.children) {
      const is = tab.dataset.name === name;
      tab.setAttribute("aria-selected", String(is));
      tab.tabIndex = is ? 0 : -1;
      if (is && focus) tab.focus();
    }
  };
  const pick = (name, focus = false) => { select(name, focus); choose(name); };
  list.append(...entries.map(([name, words]) =>
    make("button", { type: "button", role: "tab", "data-name": name, "aria-controls": controls, click: () => pick(name) }, words)));
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = entries.findIndex(([name]) => name === event.target.dataset.name);
    pick(entries[(at + step + entries.length) % entries.length][0], true);
  });
  select(chosen);
  list.select = select;
  return list;
}

async function showTrial(panel, name, row) {
  panel.dataset.wanted = name;
  panel.replaceChildren(make("p", { class: "quiet" }, "Reading …"));
  let parts;
  try {
    const block = name.startsWith("-") ? null : await blockOf(name);
    parts = block ? trialParts(block, row) : [leftOut(name)];
  } catch (error) {
    parts = [make("p", { class: "notice bad" }, `This trial cannot be read: ${error.message}`)];
  }
  if (panel.dataset.wanted !== name) return;
  panel.replaceChildren(...parts.flat().filter(Boolean));
  tidyCharts();
}

const leftOut = (name) => make("p", { class: "notice" }, "Left out of this page to keep it small; ",
  make("code", {}, `adbench show ${name.replace(/^-/, "")}`), " has it.");

/** A detector: what it is, and its results, each leading on to its own sheet. */
function detectorSheet(detector, rows, openResult, steps) {
  const subtitle = make("p", { class: "quiet" }, sentence([detector.family, detector.floor && "floor", detector.labels && "uses labels"]));
  const link = (row) => make("button", { type: "button", class: "link", click: () => openResult(row) }, row.task);
  const line = (row) => make("tr", { class: row.best ? "is-best" : "" }, make("td", {}, link(row)), make("td", {}, row.test), make("td", {}, row.score),
    make("td", { class: "number" }, isNumber(row.rank) ? String(row.rank) : ""), make("td", { class: "number" }, withLimits(row.auroc, row.aurocLimits)),
    make("td", { class: "number" }, withLimits(row.ap, row.apLimits)), make("td", {}, remarksCell(row)));
  const heads = [["Task"], ["Test"], ["Score"], ["Rank", "number"], ["AUROC", "number"], ["Average precision", "number"], ["Remarks"]];
  const body = [
    make("p", {}, detector.summary), detector.source && make("p", { class: "quiet" }, detector.source),
    make("div", { class: "facts" },
      fact("Mean rank", decimals(detector.rank, 1)), fact("Group", detector.group), fact("AUROC", decimals(detector.auroc)), fact("Average precision", decimals(detector.ap)),
      fact("Datasets", detector.datasets), fact("Failed trials", String(detector.failed ?? "")), fact("Fit", detector.fit != null && `${seconds(detector.fit)} s`),
      fact("Score", detector.score != null && `${seconds(detector.score)} s`), fact("Memory", detector.mb != null && `${megabytes(detector.mb)} MB`), fact("Parameters", parameters(detector.parameters))),
    make("h4", {}, "Results"),
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Results of this detector" }, make("table", { class: "plain" },
      make("thead", {}, make("tr", {}, heads.map(([title, kind]) => make("th", { scope: "col", class: kind }, title)))), make("tbody", {}, rows.map(line)))),
  ];
  openSheet(detector.name, subtitle, body, steps);
}
