// The filters above the table, and which rows pass them.

const CHOICES = [
  { name: "kind", label: "Kind", views: ["detectors", "results"], options: () => [["method", "methods"], ["floor", "floors"], ["second", "second scores"]] },
  { name: "family", label: "Family", views: ["detectors", "results"], options: (board) => distinct(board.detectors, "family") },
  { name: "dataset", label: "Dataset", views: ["results"], options: (board) => distinct(board.rows, "dataset") },
  { name: "modality", label: "Modality", views: ["results"], options: (board) => distinct(board.rows, "modality") },
  { name: "detector", label: "Detector", views: ["results"], options: (board) => distinct(board.detectors, "name") },
  { name: "tests", label: "Tests", views: ["results"], options: (board) => (board.rows.some((row) => row.attack) ? [["plain", "as given"], ["attack", "under attack"]] : []) },
  { name: "status", label: "Status", views: ["detectors", "results"], options: () => [["ok", "all ok"], ["failed", "not all ok"]] },
];

const distinct = (rows, field) =>
  [...new Set(rows.map((row) => row[field]).filter(Boolean))].sort(collator.compare).map((value) => [value, value]);

/** The rows that the state asks for. */
const PASSES = {
  detectors: (row) => shared(row) && (!state.status || (state.status === "failed") === row.failed > 0),
  results: (row) =>
    shared(row) &&
    (row.declared ? state.kind !== "second" : state.kind === "second" || state.second === "1") &&
    (!state.dataset || row.dataset === state.dataset) &&
    (!state.modality || row.modality === state.modality) &&
    (!state.detector || row.name === state.detector) &&
    (!state.tests || (state.tests === "attack") === Boolean(row.attack)) &&
    (!state.status || (state.status === "failed") === row.failed),
};

const shared = (row) =>
  (!state.family || row.family === state.family) &&
  (state.kind !== "method" || !row.floor) &&
  (state.kind !== "floor" || row.floor) &&
  state.q.toLowerCase().split(/\s+/).every((part) => row.words.includes(part));

/** Draw the filters of a view; `changed` is called when one of them is moved. */
function drawFilters(holder, board, view, changed) {
  const set = (name, value) => { keep({ [name]: value }); label(); changed(); };
  const search = make("input", {
    type: "search", id: "search", placeholder: "Search", "aria-label": "Search", autocomplete: "off", spellcheck: "false",
    input: (event) => set("q", event.target.value),
  });
  search.value = state.q;
  const clear = make("button", { type: "button", class: "clear", click: () => {
    keep(Object.fromEntries(FILTERS.map((name) => [name, ""])));
    drawFilters(holder, board, view, changed);
    byId("search").focus();
    changed();
  } }, "Clear");
  const summary = make("summary", {});
  const label = () => {
    const active = FILTERS.filter((name) => name !== "q" && state[name]).length;
    summary.textContent = active ? `Filters (${active})` : "Filters";
    clear.hidden = !active && !state.q;
  };
  label();
  const choices = CHOICES.filter((choice) => choice.views.includes(view)).map((choice) => drawChoice(choice, board, view, set));
  holder.replaceChildren(make("div", { class: "filters" }, search,
    make("details", { open: !narrow() }, summary, make("div", { class: "choices" }, choices, view === "results" && drawSwitch(board, set))),
    clear));
}

function drawChoice({ name, label, options }, board, view, set) {
  const offered = options(board).filter(([value]) => value !== "second" || (view === "results" && hasSecond(board)));
  if (offered.length < 2) return null;
  const select = make("select", { id: `filter-${name}`, change: (event) => set(name, event.target.value) },
    [["", "all"], ...offered].map(([value, words]) => make("option", { value }, words)));
  select.value = state[name];
  if (select.selectedIndex < 0) keep({ [name]: (select.value = "") });
  return make("label", {}, make("span", {}, label), select);
}

const hasSecond = (board) => board.rows.some((row) => !row.declared);

function drawSwitch(board, set) {
  if (!hasSecond(board)) return null;
  const box = make("input", { type: "checkbox", id: "filter-second", change: (event) => set("second", event.target.checked ? "1" : "") });
  box.checked = state.second === "1";
  return make("label", { class: "switch" }, box, make("span", {}, "Second scores"));
}
