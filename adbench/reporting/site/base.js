// Elements, numbers and packed texts. Nothing of the data ever becomes HTML: every text is set as text.

const byId = (id) => document.getElementById(id);

/** Make an element: attributes (functions are listeners), then children (texts or elements; null and false are left out). */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "class") element.className = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false && child !== ""));
  return element;
}

const collator = new Intl.Collator("en", { numeric: true });
const narrow = () => matchMedia("(max-width: 640px)").matches;
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const decimals = (value, digits = 3) => (isNumber(value) ? value.toFixed(digits) : "");
const grouped = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 0 });
const percent = (value) => (isNumber(value) ? `${(100 * value).toFixed(1)} %` : "");
const sentence = (words) => words.filter(Boolean).join(" · ");

/** Three digits or so of any number, such as a threshold. */
const brief = (value) => (isNumber(value) ? String(Number(value.toPrecision(4))) : "");

const seconds = (value) =>
  !isNumber(value) ? "" : value < 1 ? value.toFixed(3) : value < 100 ? value.toFixed(1) : grouped(value);
const megabytes = (value) => (!isNumber(value) ? "" : value < 10 ? value.toFixed(1) : grouped(value));

function parameters(value) {
  if (!isNumber(value)) return "";
  if (value < 1e4) return grouped(value);
  return value < 1e6 ? `${(value / 1e3).toFixed(0)} k` : `${(value / 1e6).toFixed(1)} M`;
}

/** The text of base64 of gzip. */
async function inflate(packed) {
  const bytes = Uint8Array.from(atob(packed), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

const jsonOf = (id) => JSON.parse(byId(id).textContent);

/** A trial's block, or null where the page was kept small without it. */
async function blockOf(name) {
  const element = byId(`block-${name}`);
  return element ? JSON.parse(await inflate(element.textContent)) : null;
}

let images;

/** The address of an image: only pictures that this page carries. */
function imageOf(name) {
  images ??= jsonOf("images");
  const address = Object.hasOwn(images, name) ? String(images[name]) : "";
  return address.startsWith("data:image/") ? address : null;
}

const say = (words) => (byId("said").textContent = words);

async function copy(words, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(words);
    button.textContent = "Copied";
  } catch {
    button.textContent = copyOldWay(words) ? "Copied" : "Press Ctrl+C";
  }
  say(button.textContent);
  setTimeout(() => (button.textContent = before), 1500);
}

function copyOldWay(words) {
  const field = make("textarea", { class: "unseen" });
  field.value = words;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
