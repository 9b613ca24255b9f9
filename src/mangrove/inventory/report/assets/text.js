// Makes elements and texts: everything from AWS passes here, and becomes a text node or nothing.

const numbers = new Intl.NumberFormat("en-US");
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

// Characters that are not seen, or that turn the order of their neighbours round, as in a name made to look like another.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** Return a text as it can be shown: no longer than `longest`, and with what hides in it made visible. */
function shown(text, longest = 300) {
  const cut = text.length > longest ? `${text.slice(0, longest)}… (${numbers.format(text.length)} characters)` : text;
  return cut.replace(HIDDEN, (found) => `⟨U+${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** Make an element: properties and data, then children, where a string becomes a text node. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") element.className = value;
    else if (name.includes("-") || name === "role" || name === "scope") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

function byId(id) {
  return document.getElementById(id);
}

function counted(number, what) {
  return `${numbers.format(number)} ${what}${number === 1 ? "" : "s"}`;
}

function percent(part, whole) {
  if (!whole) return "–";
  const share = (100 * part) / whole;
  // Neither "100 %" where some are missing nor "0 %" where there are some.
  if (part < whole && share > 99.9) return "99.9 %";
  if (part > 0 && share < 0.1) return "0.1 %";
  return `${share.toFixed(share === 100 || share === 0 ? 0 : 1)} %`;
}

function lasted(seconds) {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Tell a screen reader, and nobody else. */
function say(text) {
  byId("said").textContent = text;
}

async function copyText(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without the permission, the way that always was.
    const area = make("textarea", { value: text, class: "spoken", readOnly: true });
    const before = document.activeElement;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    before?.focus();
  }
  say(`${what} copied`);
}
