// Ties the search and the filters to the state, both ways.

class Toolbar {
  constructor(inventory, tags, { onChange, onExport }) {
    this.inventory = inventory;
    this.onChange = onChange;
    this.search = byId("search");
    this.tag = byId("filter-tag");
    this.selects = CODED.map((name) => [name, byId(`filter-${name}`)]);
    for (const [name, select] of this.selects) select.addEventListener("change", () => onChange({ [name]: select.value }, true));
    this.search.addEventListener("input", () => onChange({ q: this.search.value }, false));
    this.tag.addEventListener("input", () => onChange({ tag: this.tag.value }, false));
    byId("toolbar").addEventListener("submit", (event) => event.preventDefault());
    byId("clear").addEventListener("click", () => onChange({ ...EMPTY }, true));
    byId("export").addEventListener("click", onExport);
    const keys = [...tags.keys].sort(([, many], [, more]) => more - many).slice(0, 200);
    byId("tag-keys").replaceChildren(...keys.map(([key]) => make("option", { value: shown(key, 128) })));
    this.fill();
  }

  fill() {
    const all = { account: "All accounts", region: "All regions", service: "All services", type: "All types" };
    for (const [name, select] of this.selects) {
      if (name === "type") continue;
      this.fillSelect(select, all[name], this.inventory[name].values, (value) => {
        const named = name === "account" ? this.inventory.accountName(value) : null;
        return named ? `${named} (${value})` : value;
      });
    }
    this.fillTypes("");
  }

  fillTypes(service) {
    this.service = service;
    const types = this.inventory.type.values.filter((type) => !service || type.startsWith(`${service}.`));
    this.fillSelect(byId("filter-type"), "All types", types, (value) => value);
  }

  fillSelect(select, all, values, label) {
    const options = values.map((value) => [shown(label(value), 80), value]).sort(([a], [b]) => (a < b ? -1 : 1));
    select.replaceChildren(...[[all, ""], ...options].map(([text, value]) => make("option", { value }, text)));
  }

  show(state, found) {
    if (state.service !== this.service) this.fillTypes(state.service);
    for (const [name, select] of this.selects) {
      this.offer(select, state[name]);
      select.value = state[name];
      select.classList.toggle("chosen", Boolean(state[name]));
    }
    // Not while it is typed in: the cursor would jump.
    if (this.search.value !== state.q) this.search.value = state.q;
    if (this.tag.value !== state.tag) this.tag.value = state.tag;
    byId("found").textContent =
      found === this.inventory.size ? counted(found, "resource") : `${numbers.format(found)} of ${numbers.format(this.inventory.size)}`;
    byId("clear").hidden = !["q", "tag", ...CODED].some((name) => state[name]);
  }

  /** Offer what a link asks for and this inventory lacks, so that it is seen why nothing matches. */
  offer(select, value) {
    if (value && ![...select.options].some((option) => option.value === value)) {
      select.append(make("option", { value }, shown(value, 80)));
    }
  }
}
