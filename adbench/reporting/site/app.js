// The page: reads its data, follows its address, and joins the parts.

let boards = [];
let board;
let table;
let filtered;

const THEME = "adbench-theme";

function start() {
  const data = jsonOf("data");
  boards = data.sections;
  byId("made-by").textContent = data.made_by ?? "";
  byId("legend").append(make("ul", {}, (data.legend ?? []).map((line) => make("li", {}, line))));
  byId("legend").hidden = !data.legend?.length;
  listen();
  setTheme(storedTheme());
  if (boards.length) follow();
  else byId("panel").replaceChildren(make("p", { class: "notice" }, "There is no result yet: adbench run makes some."));
}

function listen() {
  byId("copy-link").addEventListener("click", (event) => copy(location.href, event.target));
  byId("theme").addEventListener("click", () => setTheme(isDark() ? "light" : "dark", true));
  byId("skip").addEventListener("click", (event) => { event.preventDefault(); document.querySelector(".tabulator-tableholder, #charts h3")?.focus(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(document.documentElement.dataset.theme));
  addEventListener("hashchange", follow);
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); closeSheet(); });
  dialog.addEventListener("click", (event) => event.target === dialog && closeSheet());
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || dialog.open || event.target.matches("input, textarea, select")) return;
    event.preventDefault();
    byId("search")?.focus();
  });
}

/** Show what the address says. */
async function follow() {
  const before = board && { id: board.id, ...state };
  readAddress();
  const section = boards.find((one) => one.id === state.section) ?? boards[0];
  if (!(state.view in VIEWS) && state.view !== "charts") state.view = "detectors";
  if (state.view === "charts" && !section.charts?.length) state.view = "detectors";
  const same = before && before.id === section.id && before.view === state.view && before.sort === state.sort && FILTERS.every((name) => before[name] === state[name]);
  if (!same) await show(section);
  showOpened();
}

async function show(section) {
  if (section.id !== board?.id) board = boardOf(section);
  drawBoards();
  drawAbout();
  drawViews();
  table?.destroy();
  table = null;
  byId("table").replaceChildren();
  byId("charts").replaceChildren();
  byId("filters").replaceChildren();
  byId("count").textContent = "";
  if (state.view === "charts") drawCharts();
  else await drawRows();
  tidyCharts();
}

async function drawRows() {
  const view = state.view;
  const passes = PASSES[view];
  drawFilters(byId("filters"), board, view, () => { clearTimeout(filtered); filtered = setTimeout(() => refilter(passes), 60); });
  const holder = make("div", { "aria-label": `${VIEWS[view].title} of ${board.title}` });
  byId("table").replaceChildren(holder);
  const made = await drawTable(holder, board, view, {
    filter: passes,
    onOpen: (row) => { keep({ open: row.key, rep: DEFAULTS.rep }, true); showOpened(); },
    onSort: (field, direction, usual) => keep({ sort: `${field}:${direction}` === usual ? "" : `${field}:${direction}` }),
  });
  if (!holder.isConnected) return; // the reader has turned elsewhere meanwhile
  table = made;
  count();
  performance.mark("table");
  document.documentElement.dataset.ready = view;
}

function refilter(passes) {
  table.setFilter(passes);
  count();
}

function count() {
  const [shown, all] = [table.getDataCount("active"), table.getDataCount()];
  const noun = VIEWS[state.view].title.toLowerCase();
  byId("count").textContent = shown === all ? `${grouped(all)} ${noun}` : `${grouped(shown)} of ${grouped(all)} ${noun}`;
}

function drawCharts() {
  byId("charts").replaceChildren(...board.charts.map(({ title, caption, spec }) => {
    const holder = make("div", {});
    drawChart(holder, () => spec);
    return make("figure", { class: "card" }, make("h3", { tabindex: "-1" }, title), holder, caption && make("figcaption", {}, caption));
  }));
  document.documentElement.dataset.ready = "charts";
}

/** One group of buttons for each thing that boards differ in; what no board has together with the rest leads to the nearest. */
function drawBoards() {
  const facets = [
    ["Profile", (one) => one.profile], ["Lane", (one) => one.lane], ["Labels", (one) => (one.labels ? "used" : "not used")],
  ].map(([label, of]) => ({ label, of, values: [...new Set(boards.map(of))] }));
  const likeness = (one, except) => facets.filter(({ label, of }) => label !== except && of(one) === of(board)).length;
  const nearest = (facet, value) => boards.filter((one) => facet.of(one) === value).sort((a, b) => likeness(b, facet.label) - likeness(a, facet.label))[0];
  const button = (facet, value) => make("button", { type: "button", "aria-pressed": String(facet.of(board) === value), "data-value": value,
    click: () => turnTo({ section: nearest(facet, value).id, open: "" }) }, value);
  byId("boards").replaceChildren(...facets.filter(({ values }) => values.length > 1).map((facet) =>
    make("div", { class: "facet", role: "group", "aria-label": facet.label }, make("span", { class: "quiet" }, facet.label), facet.values.map((value) => button(facet, value)))));
}

function drawAbout() {
  byId("about").replaceChildren(
    make("h2", {}, board.title),
    board.verdict ? make("p", { class: "verdict" }, board.verdict) : "",
    make("p", { class: "quiet" }, board.provenance ?? ""),
    board.command ? make("details", {}, make("summary", {}, "How to make it again"), make("div", { class: "command" },
      make("pre", {}, board.command), make("button", { type: "button", click: (event) => copy(board.command, event.target) }, "Copy"))) : "");
}

function drawViews() {
  const entries = Object.entries(VIEWS).map(([name, { title }]) => [name, title]);
  if (board.charts?.length) entries.push(["charts", "Charts"]);
  const list = tabList("Views", entries, state.view, (view) => view !== state.view && turnTo({ view, sort: "", open: "" }), "panel");
  const focused = byId("views").contains(document.activeElement);
  byId("views").replaceChildren(list);
  if (focused) list.querySelector("[aria-selected=true]").focus();
}

async function turnTo(changes) {
  keep(changes, true);
  await show(boards.find((one) => one.id === state.section) ?? boards[0]);
}

/** Open what the address names, or close. */
function showOpened() {
  const row = state.open && openable().find((one) => one.key === state.open);
  if (!row) return dialog.open && dialog.close();
  const rows = table ? table.getData("active") : [];
  const at = rows.findIndex((one) => one.key === row.key);
  const beside = (step) => at >= 0 && rows[at + step] && (() => { keep({ open: rows[at + step].key, rep: DEFAULTS.rep }); showOpened(); });
  const steps = { previous: beside(-1), next: beside(1), close: closeSheet };
  if (state.view === "results") return resultSheet(row, board.detectors[row.d], board.command, steps);
  const rest = board.rows.filter((one) => one.name === row.name);
  return detectorSheet(row, rest, async (result) => { await turnTo({ view: "results", sort: "", open: result.key, rep: DEFAULTS.rep }); showOpened(); }, steps);
}

const openable = () => (state.view === "results" ? board.rows : state.view === "detectors" ? board.detectors : []);

function closeSheet() {
  const opened = state.open;
  dialog.close();
  keep({ open: "", rep: DEFAULTS.rep }, true);
  tidyCharts();
  const row = table?.getRows("active").find((one) => one.getData().key === opened);
  if (row) focusRow(table, row);
}

function storedTheme() {
  try { return localStorage.getItem(THEME); } catch { return null; } // a browser may forbid it
}

function setTheme(theme, remember = false) {
  if (theme) document.documentElement.dataset.theme = theme;
  byId("theme").textContent = isDark() ? "Light" : "Dark";
  if (remember) try { localStorage.setItem(THEME, theme); } catch { /* the choice lasts as long as the page */ }
  tidyCharts(true);
}

try {
  start();
} catch (error) {
  byId("trouble").hidden = false;
  byId("trouble").textContent = `This page cannot be shown here (${error.message}); README.md beside it has the same tables.`;
}
