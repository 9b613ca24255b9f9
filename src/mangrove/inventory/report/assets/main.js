// Begins: reads the data, draws the page, and lets every part know when the state changes.

class App {
  constructor(inventory) {
    this.inventory = inventory;
    this.state = readState(location.hash);
    const tags = countTags(inventory);
    const choose = (change) => this.choose(change);
    this.heatmap = new Heatmap(inventory, (region, service) => choose({ region, service }));
    this.detail = new Detail(inventory, () => this.grid.holder.focus({ preventScroll: true }));
    this.grid = new Grid(inventory, { onOpen: (...given) => this.open(...given), onSort: (column) => this.sort(column) });
    this.toolbar = new Toolbar(inventory, tags, { onChange: (change, isStep) => this.change(change, isStep), onExport: () => this.export() });
    drawCards(inventory);
    this.heatmap.draw();
    drawBreakdown(inventory, tags, choose);
    drawCauses(inventory);
    this.show();
    this.listen();
  }

  /** Filter by what was clicked in a picture, or no more if it already is; and show the table. */
  choose(change) {
    const isSet = Object.entries(change).every(([name, value]) => this.state[name] === value);
    this.change(isSet ? Object.fromEntries(Object.keys(change).map((name) => [name, ""])) : change, true);
    if (!isSet) jumpTo("resources");
  }

  change(change, isStep) {
    const state = { ...this.state, ...change };
    // A type is of one service: another service leaves nothing of it.
    if (state.service && state.type && !state.type.startsWith(`${state.service}.`)) {
      if ("type" in change) state.service = "";
      else state.type = "";
    }
    this.state = state;
    keepState(state, isStep);
    this.show();
  }

  sort(column) {
    const { sort, desc } = this.state;
    if (sort !== column) this.change({ sort: column, desc: false }, true);
    else this.change(desc ? { sort: "", desc: false } : { desc: true }, true);
  }

  show() {
    const { inventory, state } = this;
    this.rows = orderRows(inventory, findRows(inventory, state), state.sort, state.desc);
    this.grid.active = -1;
    this.grid.holder.scrollTop = 0;
    this.grid.show(this.rows, state);
    this.toolbar.show(state, this.rows.length);
    this.heatmap.mark(state);
  }

  open(at, takesFocus, onlyIfOpen = false) {
    if (onlyIfOpen && !this.detail.isOpen) return;
    this.detail.open(at, takesFocus);
  }

  export() {
    download(csvOf(this.inventory, this.rows), `inventory-${this.inventory.overview.taken.slice(0, 10)}.csv`);
    say(`${counted(this.rows.length, "row")} exported`);
  }

  listen() {
    addEventListener("popstate", () => this.goTo(location.hash));
    addEventListener("hashchange", () => this.goTo(location.hash));
    addEventListener("keydown", (event) => this.onKey(event));
    const page = document.documentElement;
    let theme = page.dataset.theme;
    addEventListener("beforeprint", () => {
      theme = page.dataset.theme;
      page.dataset.theme = "light";
      this.grid.print();
    });
    addEventListener("afterprint", () => {
      page.dataset.theme = theme;
      this.grid.show(this.rows, this.state);
    });
  }

  goTo(hash) {
    if (writeState(this.state) === (hash || "#")) return;
    this.state = readState(hash);
    this.show();
  }

  onKey(event) {
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      jumpTo("resources");
      this.toolbar.search.focus();
      this.toolbar.search.select();
    } else if (event.key === "Escape") this.escape(event);
    else if (event.key === "ArrowDown" && event.target === this.toolbar.search) {
      event.preventDefault();
      this.grid.holder.focus();
      this.grid.move(0);
    }
  }

  /** Undo one thing: what is open, then what is typed, then what is filtered. */
  escape(event) {
    if (this.detail.isOpen) this.detail.close();
    else if (event.target.matches("input")) {
      event.preventDefault();
      if (event.target.value) this.change(event.target === this.toolbar.search ? { q: "" } : { tag: "" }, true);
      else this.grid.holder.focus();
    } else if (["q", "tag", ...CODED].some((name) => this.state[name])) this.change({ ...EMPTY, sort: this.state.sort, desc: this.state.desc }, true);
  }
}

function jumpTo(id) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  byId(id).scrollIntoView({ behavior: still ? "auto" : "smooth", block: "start" });
}

function listenToThemes() {
  const button = byId("theme");
  const label = () => {
    button.textContent = document.documentElement.dataset.theme === "dark" ? "Light" : "Dark";
  };
  button.addEventListener("click", () => {
    const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("mangrove-theme", theme);
    } catch {
      // Then it holds until the page is closed.
    }
  });
  new MutationObserver(label).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  label();
}

/** Make what a search looks through while nobody waits for it. */
function prepareSearch(inventory, from = 0) {
  const until = performance.now() + 10;
  let at = from;
  while (at < inventory.size && performance.now() < until) {
    inventory.text(at);
    at += 1;
  }
  if (at < inventory.size) setTimeout(() => prepareSearch(inventory, at), 0);
}

async function begin() {
  listenToThemes();
  for (const button of document.querySelectorAll("[data-jump]")) button.addEventListener("click", () => jumpTo(button.dataset.jump));
  try {
    const [overview] = await Promise.all(blocks("overview").map(take));
    if (!overview) throw new Error("its end is missing");
    const inventory = new Inventory(overview);
    const details = blocks("details");
    const parts = await Promise.all(blocks("rows").map(take));
    parts.forEach((part, at) => inventory.add(part, details[at]));
    new App(inventory);
    document.documentElement.dataset.ready = "yes";
    setTimeout(() => prepareSearch(inventory), 50);
  } catch (error) {
    byId("fault").textContent = `This report can't be shown: ${error.message}. Its file may be damaged, or this browser too old (it takes Chrome 110, Firefox 113, Safari 16.4, or later).`;
    byId("fault").hidden = false;
    throw error;
  } finally {
    byId("main").removeAttribute("aria-busy");
  }
}

begin();
