// What the page shows, kept in the address, so that a link restores it.

const DEFAULTS = {
  section: "", view: "detectors", q: "", kind: "", family: "", dataset: "", modality: "", status: "", detector: "",
  tests: "", second: "", sort: "", open: "", rep: "0",
};
const FILTERS = ["q", "kind", "family", "dataset", "modality", "status", "detector", "tests", "second"];

let state = { ...DEFAULTS };

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  state = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS)) if (given.has(name)) state[name] = given.get(name);
}

function address() {
  const changed = Object.entries(state).filter(([name, value]) => value !== DEFAULTS[name]);
  return `#${new URLSearchParams(changed)}`;
}

/** Keep the state in the address; with `step`, as a page that the back button returns from. */
function keep(changes, step = false) {
  Object.assign(state, changes);
  if (address() === (location.hash || "#")) return;
  history[step ? "pushState" : "replaceState"](null, "", address());
}
