// Draws the table: only the rows that are seen exist, so that fifty thousand cost what fifty do.

const COLUMNS = [
  { name: "name", title: "Name", text: (row) => row.name },
  { name: "type", title: "Type", text: (row) => row.type },
  { name: "account", title: "Account", text: (row) => row.accountName ?? row.account },
  { name: "region", title: "Region", text: (row) => row.region },
  { name: "tags", title: "Tags", text: null },
  { name: "arn", title: "ARN", text: (row) => row.arn ?? "" },
];
const ROW = 36;
// Browsers draw nothing beyond some height (the least: 17.9 million pixels); then a pixel stands for several.
const TALLEST = 15_000_000;
const MOST_PRINTED = 500;

class Grid {
  constructor(inventory, { onOpen, onSort }) {
    this.inventory = inventory;
    this.onOpen = onOpen;
    this.rows = new Uint32Array(0);
    this.active = -1;
    this.printing = false;
    this.drawn = new Map();
    this.spare = [];
    this.holder = byId("grid");
    this.body = byId("grid-body");
    this.holder.setAttribute("aria-colcount", String(COLUMNS.length + 1));
    this.holder.addEventListener("scroll", () => this.draw(), { passive: true });
    this.holder.addEventListener("keydown", (event) => this.onKey(event));
    this.body.addEventListener("click", (event) => this.onClick(event));
    new ResizeObserver(() => this.draw()).observe(this.holder);
    this.drawTitles(onSort);
  }

  drawTitles(onSort) {
    this.titles = COLUMNS.map((column, at) => {
      const button = make("button", { type: "button" }, column.title);
      button.addEventListener("click", () => onSort(column.name));
      return make("div", { role: "columnheader", class: `cell ${column.name}`, "aria-sort": "none", "aria-colindex": String(at + 1) }, button);
    });
    const links = make("div", { role: "columnheader", class: "cell link", "aria-colindex": String(COLUMNS.length + 1) }, make("span", { class: "spoken" }, "Console"));
    byId("grid-titles").replaceChildren(...this.titles, links);
  }

  show(rows, state) {
    this.printing = false;
    this.rows = rows;
    this.active = rows.length ? Math.min(Math.max(this.active, -1), rows.length - 1) : -1;
    this.holder.setAttribute("aria-rowcount", String(rows.length + 1));
    this.titles.forEach((title, at) => {
      const sorted = COLUMNS[at].name === state.sort ? (state.desc ? "descending" : "ascending") : "none";
      title.setAttribute("aria-sort", sorted);
    });
    this.body.style.height = `${this.height}px`;
    this.forget();
    this.drawEmpty();
    this.draw();
  }

  drawEmpty() {
    const empty = byId("grid-empty");
    empty.hidden = this.rows.length > 0;
    empty.textContent = this.inventory.size ? "Nothing matches. Press Esc or Clear to see all resources." : "No resources were found.";
  }

  get height() {
    return Math.min(this.rows.length * ROW, TALLEST);
  }

  get page() {
    return Math.max(1, Math.floor((this.holder.clientHeight - ROW) / ROW));
  }

  /** Return the first row that is seen, with its fraction. */
  get first() {
    const real = this.rows.length * ROW;
    const seen = this.holder.clientHeight - ROW;
    if (real <= TALLEST) return this.holder.scrollTop / ROW;
    return (this.holder.scrollTop / (TALLEST - seen)) * (this.rows.length - seen / ROW);
  }

  forget() {
    for (const element of this.drawn.values()) this.spare.push(element);
    this.drawn.clear();
  }

  draw() {
    if (this.printing) return;
    const first = this.first;
    const from = Math.max(0, Math.floor(first) - 4);
    const to = Math.min(this.rows.length, Math.ceil(first + this.page) + 5);
    for (const [place, element] of this.drawn) {
      if (place >= from && place < to) continue;
      this.spare.push(element);
      this.drawn.delete(place);
    }
    const before = this.drawn.size;
    const ordered = [];
    for (let place = from; place < to; place += 1) {
      let element = this.drawn.get(place);
      if (!element) {
        element = this.spare.pop() ?? this.makeRow();
        this.fill(element, place);
        this.drawn.set(place, element);
      }
      ordered.push(element);
      element.style.transform = `translateY(${this.holder.scrollTop + (place - first) * ROW}px)`;
    }
    this.hideSpare();
    // In the order in which they are seen, as a screen reader reads them.
    if (this.drawn.size !== before) this.body.append(...ordered);
    this.mark();
  }

  /** Hide the rows that wait to be used again; what is named twice would be told to a screen reader wrongly. */
  hideSpare() {
    for (const element of this.spare) {
      element.hidden = true;
      element.removeAttribute("id");
    }
  }

  makeRow() {
    const cells = [...COLUMNS, { name: "link" }].map(({ name }, at) => make("div", { role: "gridcell", class: `cell ${name}`, "aria-colindex": String(at + 1) }));
    const element = make("div", { class: "grid-row", role: "row" }, ...cells);
    this.body.append(element);
    return element;
  }

  fill(element, place) {
    const row = this.inventory.row(this.rows[place]);
    element.hidden = false;
    element.id = `row-${place}`;
    element.dataset.place = String(place);
    element.setAttribute("aria-rowindex", String(place + 2));
    COLUMNS.forEach((column, at) => {
      const cell = element.children[at];
      if (column.name === "tags") this.fillTags(cell, row);
      else cell.textContent = shown(column.text(row));
      cell.title = column.name === "account" && row.accountName ? row.account : shown(cell.textContent);
    });
    const link = consoleLink(row, "↗", { tabIndex: -1, title: "Open in the AWS console", "aria-label": "Open in the AWS console" });
    element.lastChild.replaceChildren(...(link ? [link] : []));
  }

  fillTags(cell, { name, tags: all }) {
    // A tag that says the name again is only in the details.
    const tags = all?.filter(([key, value]) => key !== "Name" || value !== name);
    if (!tags) {
      cell.replaceChildren(make("span", { class: "note" }, "unknown"));
      return;
    }
    // More are not seen in a cell; the details have them all.
    const chips = tags.slice(0, 8).map(([key, value]) => make("bdi", { class: "chip" }, `${shown(key, 40)}=${shown(value, 60)}`));
    cell.replaceChildren(...chips, ...(tags.length > 8 ? [`+${tags.length - 8}`] : []));
  }

  mark() {
    for (const [place, element] of this.drawn) {
      element.setAttribute("aria-selected", String(place === this.active));
    }
    if (this.drawn.has(this.active)) this.holder.setAttribute("aria-activedescendant", `row-${this.active}`);
    else this.holder.removeAttribute("aria-activedescendant");
  }

  move(place) {
    if (!this.rows.length) return;
    this.active = Math.max(0, Math.min(this.rows.length - 1, place));
    const [first, last] = [this.first, this.first + this.page - 1];
    const target = this.active < first ? this.active : this.active > last ? this.active - this.page + 1 : null;
    if (target !== null) {
      const scale = this.rows.length * ROW <= TALLEST ? ROW : (TALLEST - this.page * ROW) / (this.rows.length - this.page);
      this.holder.scrollTop = Math.ceil(target * scale);
    }
    this.draw();
  }

  onKey(event) {
    if (event.target !== this.holder || event.ctrlKey || event.metaKey || event.altKey) return;
    const places = {
      ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + this.page, PageUp: this.active - this.page,
      Home: 0, End: this.rows.length - 1,
    };
    if (event.key === "Enter" && this.active >= 0) this.onOpen(this.rows[this.active], true);
    else if (Object.hasOwn(places, event.key)) {
      this.move(places[event.key]);
      this.onOpen(this.rows[this.active], false, true);
    } else return;
    event.preventDefault();
  }

  onClick(event) {
    const element = event.target.closest(".grid-row");
    if (!element || event.target.closest("a") || !getSelection().isCollapsed) return;
    this.move(Number(element.dataset.place));
    this.onOpen(this.rows[this.active], false);
  }

  /** Draw the first rows one below the other, as paper does not scroll. */
  print() {
    this.printing = true;
    const count = Math.min(this.rows.length, MOST_PRINTED);
    this.forget();
    for (let place = 0; place < count; place += 1) {
      const element = this.spare.pop() ?? this.makeRow();
      this.fill(element, place);
      element.style.transform = "none";
      this.drawn.set(place, element);
      this.body.append(element);
    }
    this.hideSpare();
    this.body.style.height = "auto";
    byId("printed").textContent = count < this.rows.length ? `The first ${count} of ${counted(this.rows.length, "resource")}.` : "";
  }
}
