// Draws counts as bars that are buttons: of accounts, of types, and of the keys of tags.

const MOST_BARS = 8;
const ALL_BARS = 500;

/** Fill a panel. Each bar: what it says, its note, how many, the whole, what is written, and what it filters by. */
function drawBars(holder, bars, onChoose, empty) {
  const most = Math.max(1, ...bars.map((bar) => bar.count / (bar.whole || 1)));
  const list = make("ol", { class: "bars" });
  const draw = (count) => list.replaceChildren(...bars.slice(0, count).map((bar) => drawBar(bar, most, onChoose)));
  draw(MOST_BARS);
  const parts = [bars.length ? list : make("p", { class: "empty" }, empty)];
  if (bars.length > MOST_BARS) {
    const more = make("button", { type: "button", class: "quiet more", "aria-expanded": "false" });
    const label = () => {
      const open = more.getAttribute("aria-expanded") === "true";
      more.textContent = open ? "Show fewer" : `Show ${bars.length > ALL_BARS ? `${ALL_BARS} of ` : "all "}${numbers.format(bars.length)}`;
      draw(open ? ALL_BARS : MOST_BARS);
    };
    more.addEventListener("click", () => {
      more.setAttribute("aria-expanded", String(more.getAttribute("aria-expanded") !== "true"));
      label();
    });
    label();
    parts.push(more);
  }
  holder.replaceChildren(...parts);
}

function drawBar(bar, most, onChoose) {
  const fill = make("span", { class: "bar-fill", "aria-hidden": "true" });
  fill.style.width = `${(100 * bar.count) / (bar.whole || 1) / most}%`;
  const name = make("span", { class: "bar-name" }, make("bdi", {}, shown(bar.name, 120)));
  if (bar.note) name.append(" ", make("bdi", { class: "bar-note" }, shown(bar.note, 60)));
  const button = make(
    "button",
    { type: "button", class: bar.warn ? "bar warn" : "bar", title: bar.title ?? "" },
    name,
    make("span", { class: "bar-count" }, bar.text),
    make("span", { class: "bar-track" }, fill),
  );
  button.addEventListener("click", () => onChoose(bar.filter));
  return make("li", {}, button);
}

function barsOf(column, filter, label) {
  return column
    .counts()
    .map((count, code) => ({ count, text: numbers.format(count), filter: { [filter]: column.values[code] }, ...label(column.values[code]) }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}

function drawBreakdown(inventory, tags, onChoose) {
  const named = (id) => ({ name: inventory.accountName(id) ?? id, note: inventory.accountName(id) ? id : "" });
  drawBars(byId("accounts"), barsOf(inventory.account, "account", named), onChoose, "No resources in any account.");
  drawBars(byId("types"), barsOf(inventory.type, "type", (name) => ({ name })), onChoose, "No resources of any type.");
  drawTags(tags, onChoose);
}

function drawTags({ keys, taggable, bare, unknown }, onChoose) {
  const bars = [...keys]
    .sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
    .map(([name, count]) => ({
      name, count, whole: taggable, text: percent(count, taggable), filter: { tag: name },
      title: `${numbers.format(count)} of ${counted(taggable, "resource")} have it`,
    }));
  drawBars(byId("tags"), bars, onChoose, taggable ? "No resource has a tag." : "The tags of no resource are known.");
  const facts = make("p", { class: "facts" });
  const fact = (text, tag) => {
    const button = make("button", { type: "button", class: "quiet" }, text);
    button.addEventListener("click", () => onChoose({ tag }));
    facts.append(button);
  };
  if (taggable) fact(`${percent(bare, taggable)} have no tags (${numbers.format(bare)} of ${numbers.format(taggable)})`, "!*");
  if (unknown) fact(`Unknown for ${numbers.format(unknown)}`, "?");
  byId("tags").prepend(facts);
}
