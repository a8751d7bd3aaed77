// The two tables of a board: its detectors, and its results (a detector on a task).

tables.Tabulator.registerModule([
  tables.ExportModule, tables.FilterModule, tables.FormatModule, tables.FrozenColumnsModule,
  tables.PrintModule, tables.ResizeTableModule, tables.SortModule,
]);

/** Compare numbers or words; what is missing stays last in both directions. */
function compare(a, b, _first, _second, _column, direction) {
  const last = direction === "asc" ? 1 : -1; // the table swaps the two for "desc"
  const missing = (value) => value == null || value === "";
  if (missing(a) || missing(b)) return missing(a) && missing(b) ? 0 : missing(a) ? last : -last;
  return isNumber(a) && isNumber(b) ? a - b : collator.compare(a, b);
}

function column(title, field, about, show, options = {}) {
  return {
    title, field, sorter: compare,
    formatter: (cell) => { const shown = show(cell.getRow().getData()); return shown instanceof Node ? shown : document.createTextNode(shown ?? ""); },
    titleFormatter: () => make("span", { title: about }, title),
    ...options,
  };
}

const figure = (title, field, about, show, width, first = "asc") =>
  column(title, field, about, (row) => show(row[field]), { width, hozAlign: "right", headerHozAlign: "right", headerSortStartingDir: first });
const word = (title, field, about, options) => column(title, field, about, (row) => make("span", { class: "clip", title: row[field] }, row[field]), options);
const estimate = (title, field, about, board, chance, width) =>
  column(title, field, about,
    (row) => estimateCell(row[field], row[`${field}Limits`], field === "auroc" ? board.scale : [0, 1], chance(row)),
    { width, headerSortStartingDir: "desc" });

const leading = (most) => [
  figure(narrow() ? "#" : "Rank", "rank", "mean rank; 1 is best, failures rank last", (rank) => decimals(rank, Number.isInteger(rank) ? 0 : 1), narrow() ? 52 : 72),
  column("Detector", "name", "the detector; floors are in italics", nameCell,
    { minWidth: 180, widthGrow: most, ...(narrow() && { width: 150 }) }),
].map((lead) => ({ ...lead, frozen: true }));

const costs = (score, over = "") => [
  figure("Fit s", "fit", `seconds to fit${over}`, seconds, 74),
  figure("Score s", score, `seconds to score${over}`, seconds, 86),
  figure("MB", "mb", "peak memory above the process's base, in megabytes", megabytes, 70),
  figure("Parameters", "parameters", "trained parameters", parameters, 110),
];

const detectorColumns = (board) => [
  ...leading(2),
  estimate("AUROC", "auroc", "mean area under the ROC curve; the tick is chance", board, () => 0.5, 130),
  estimate("AP", "ap", "mean average precision", board, () => null, 130),
  word("Group", "group", "detectors that share a letter are not separated by the tests", { width: 80 }),
  word("Family", "family", "kind of method", { minWidth: 110, widthGrow: 1 }),
  word("Datasets", "datasets", "datasets with a result", { width: 96 }),
  column("Failed", "failed", "trials that are not ok", failedCell, { width: 96, headerSortStartingDir: "desc" }),
  ...costs("score", ", over all tasks"),
];

const resultColumns = (board) => [
  ...leading(1),
  word("Task", "task", "dataset, its variant and the task", { minWidth: 220, widthGrow: 2, visible: !narrow() }),
  estimate("AUROC", "auroc", "area under the ROC curve with its 95 % interval; the tick is chance", board, () => 0.5, 200),
  estimate("Average precision", "ap", "average precision with its 95 % interval; the tick is chance, the share of anomalies",
    board, (row) => row.chance, 200),
  column("Remarks", "mark", "what to know before believing the number", remarksCell, { width: 172 }),
  word("Test", "test", "test set", { width: 100 }),
  word("Score", "score", "which of the detector's scores", { width: 96 }),
  figure("P@n", "p_at_n", "precision at n, the number of anomalies", (value) => decimals(value), 74, "desc"),
  figure("FPR@95", "fpr", "false-alarm rate where 95 % of the anomalies are found", (value) => decimals(value), 90),
  ...costs("score_s"),
];

const VIEWS = {
  detectors: { title: "Detectors", columns: detectorColumns, rows: (board) => board.detectors, sort: "rank:asc", height: () => false },
  results: { title: "Results", columns: resultColumns, rows: (board) => board.rows, sort: "task:asc", height: () => "min(76vh, 900px)" },
};

function rowLook(row) {
  const { floor, best, failed, key, name } = row.getData();
  const element = row.getElement();
  element.tabIndex = -1;
  element.dataset.key = key;
  element.setAttribute("aria-label", `${name}: Enter opens`);
  element.classList.toggle("is-floor", Boolean(floor));
  element.classList.toggle("is-best", Boolean(best));
  element.classList.toggle("is-failed", failed === true);
}

/** Draw a view's table; resolves when its rows stand. */
function drawTable(holder, board, view, { filter, onOpen, onSort }) {
  const { columns, rows, sort, height } = VIEWS[view];
  const [field, direction] = (state.sort || sort).split(":");
  const known = columns(board).some((one) => one.field === field);
  const [first, way] = known ? [field, direction === "desc" ? "desc" : "asc"] : sort.split(":");
  const table = new tables.Tabulator(holder, {
    data: rows(board), index: "key", layout: "fitColumns", columns: columns(board), height: height(),
    initialSort: [{ column: first, dir: way }], initialFilter: [{ field: filter }],
    rowFormatter: rowLook, rowHeight: 46, placeholder: make("p", { class: "quiet" }, "Nothing fits these filters."),
    printAsHtml: true, printStyled: false, printRowRange: "active", columnHeaderSortMulti: false,
    headerSortElement: "<i class='arrow'></i>",
  });
  return new Promise((built) => {
    table.on("tableBuilt", () => {
      listenToRows(table, holder, onOpen);
      listenToHeads(holder);
      table.on("dataSorted", ([sorter]) => sorter && onSort(sorter.field, sorter.dir, sort));
      built(table);
    });
  });
}

/** Rows open by click, Enter or Space; arrows, Page, Home and End move between them. */
function listenToRows(table, holder, onOpen) {
  const body = holder.querySelector(".tabulator-tableholder");
  body.setAttribute("aria-label", "Rows: the arrow keys move, Enter opens");
  const rowOf = (event) => { const element = event.target.closest?.(".tabulator-row"); return element && table.getRow(element); };
  body.addEventListener("click", (event) => { const row = rowOf(event); if (row) onOpen(row.getData()); });
  body.addEventListener("keydown", (event) => {
    const row = rowOf(event);
    if (row && (event.key === "Enter" || event.key === " ")) onOpen(row.getData());
    else if (!move(table, row, event.key)) return;
    event.preventDefault();
  });
}

function move(table, row, key) {
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
  if (!(key in steps)) return false;
  const rows = table.getRows("active");
  const at = row ? rows.indexOf(row) + steps[key] : 0;
  const next = rows[Math.min(rows.length - 1, Math.max(0, at))];
  if (next) focusRow(table, next);
  return true;
}

async function focusRow(table, row) {
  await table.scrollToRow(row, "nearest", false).catch(() => {});
  row.getElement().focus({ preventScroll: false });
}

/** Column heads are buttons for the keyboard too. */
function listenToHeads(holder) {
  for (const head of holder.querySelectorAll(".tabulator-col.tabulator-sortable")) {
    head.tabIndex = 0;
    head.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      head.click();
    });
  }
}
