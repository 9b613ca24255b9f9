// Shows one resource beside the table: all its members, its tags, and what AWS said of it.

const LONGEST_JSON = 200_000;

/** Return JSON in lines; numbers that JavaScript would round stay as AWS wrote them, where the browser can. */
function pretty(json) {
  const exact = (_, value, context) =>
    typeof value === "number" && context && JSON.rawJSON && !Number.isSafeInteger(value) ? JSON.rawJSON(context.source) : value;
  return JSON.stringify(JSON.parse(json, exact), null, 2);
}

class Detail {
  constructor(inventory, onClose) {
    this.inventory = inventory;
    this.onClose = onClose;
    this.at = null;
    this.panel = byId("detail");
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  async open(at, takesFocus) {
    this.at = at;
    const row = this.inventory.row(at);
    const close = make("button", { type: "button", class: "quiet", "aria-label": "Close" }, "✕");
    close.addEventListener("click", () => this.close());
    const json = make("pre", { tabIndex: 0, "aria-label": "What AWS said" }, "…");
    this.panel.replaceChildren(
      make("header", {}, make("div", {}, make("h2", { id: "detail-title" }, make("bdi", {}, shown(row.name || "no name"))), make("p", { class: "note" }, shown(row.type))), close),
      this.actions(row),
      this.members(row),
      this.tags(row),
      make("h3", {}, "What AWS said"),
      json,
    );
    this.panel.hidden = false;
    this.panel.scrollTop = 0;
    if (takesFocus) close.focus();
    await this.fill(json, at);
  }

  async fill(holder, at) {
    const json = await this.inventory.details(at);
    if (this.at !== at) return;
    if (json === null || json === "{}") {
      holder.replaceWith(make("p", { class: "empty" }, json ? "Nothing beyond the above." : "This report was made without it."));
      return;
    }
    const text = pretty(json);
    holder.textContent = shown(text, LONGEST_JSON).replaceAll("⟨U+000A⟩", "\n");
    const copy = make("button", { type: "button", class: "quiet" }, "Copy JSON");
    copy.addEventListener("click", () => copyText(text, "JSON"));
    holder.previousElementSibling.append(copy);
  }

  actions(row) {
    const actions = make("p", { class: "actions" });
    if (row.arn) {
      const copy = make("button", { type: "button" }, "Copy ARN");
      copy.addEventListener("click", () => copyText(row.arn, "ARN"));
      actions.append(copy);
    }
    const link = consoleLink(row, "Open in the AWS console ↗", { class: "button" });
    if (link) actions.append(link);
    return actions;
  }

  members(row) {
    const account = row.accountName ? `${row.accountName} (${row.account})` : row.account;
    const entries = { ARN: row.arn ?? "unknown", Account: account, Region: row.region, Partition: row.partition };
    const list = make("dl", { class: "members" });
    for (const [name, value] of Object.entries(entries)) {
      list.append(make("dt", {}, name), make("dd", {}, make("bdi", {}, shown(value, 2_048))));
    }
    return list;
  }

  tags(row) {
    const holder = make("div", {}, make("h3", {}, "Tags"));
    if (!row.tags?.length) {
      holder.append(make("p", { class: "empty" }, row.tags ? "It has no tags." : "Unknown: they could not be read, or its API names none."));
      return holder;
    }
    const line = ([key, value]) => make("tr", {}, make("th", { scope: "row" }, make("bdi", {}, shown(key))), make("td", {}, make("bdi", {}, shown(value, 1_000))));
    holder.append(make("table", { class: "tags" }, make("tbody", {}, ...row.tags.slice(0, 200).map(line))));
    return holder;
  }

  close() {
    if (!this.isOpen) return;
    this.panel.hidden = true;
    this.at = null;
    this.panel.replaceChildren();
    this.onClose();
  }
}
