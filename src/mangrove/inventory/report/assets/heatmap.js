// Draws the counts of each service in each region as colours, with the numbers in them, and what could not be counted.

const LEVELS = 7;
// So many fit with their names written from left to right.
const FEW_REGIONS = 9;

/** Return the level of a count, from 1 to 7, on a logarithmic scale; 0 for none. */
function levelOf(count, most) {
  if (!count) return 0;
  return most <= 1 ? LEVELS : 1 + Math.min(LEVELS - 1, Math.floor((Math.log(count) / Math.log(most)) * LEVELS));
}

class Heatmap {
  constructor(inventory, onChoose) {
    this.inventory = inventory;
    this.onChoose = onChoose;
    this.count = countCells(inventory);
    this.gaps = new Map(inventory.overview.gaps.map(([region, service, failed]) => [`${region}\n${service}`, failed]));
    this.regions = [...new Set([...inventory.region.values, ...inventory.overview.regions])].sort();
    const totals = inventory.service.counts();
    const failing = inventory.overview.gaps.map(([, service]) => service).filter(Boolean);
    this.services = [...new Set([...inventory.service.values, ...failing])]
      .map((name) => [name, totals[inventory.service.known.get(name)] ?? 0])
      .sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
    this.cells = [];
    this.at = [0, 0];
  }

  draw() {
    const holder = byId("heat");
    if (!this.services.length) {
      holder.replaceChildren(make("p", { class: "empty" }, "No resources were found."));
      return;
    }
    this.most = Math.max(1, ...this.services.flatMap(([service]) => this.regions.map((region) => this.count(region, service))));
    const head = make("tr", { role: "row" }, make("th", { role: "columnheader", scope: "col", class: "corner" }, "Service"));
    for (const region of this.regions) {
      head.append(make("th", { role: "columnheader", scope: "col", title: shown(region) }, make("span", {}, shown(region, 40))));
    }
    head.append(make("th", { role: "columnheader", scope: "col", class: "total" }, "Total"));
    const body = this.services.map(([service, total], row) => this.drawRow(service, total, row));
    const table = make("table", { role: "grid", "aria-labelledby": "map-title" }, make("thead", {}, head), make("tbody", {}, ...body));
    table.className = this.regions.length <= FEW_REGIONS ? "wide" : "";
    table.addEventListener("click", (event) => this.choose(event.target.closest("td[data-row]")));
    table.addEventListener("keydown", (event) => this.onKey(event));
    holder.replaceChildren(table);
    this.cells[0]?.[0]?.setAttribute("tabindex", "0");
    this.drawLegend();
  }

  drawRow(service, total, row) {
    const line = make("tr", { role: "row" }, make("th", { role: "rowheader", scope: "row", title: shown(service) }, shown(service, 40)));
    this.cells[row] = this.regions.map((region, column) => {
      const count = this.count(region, service);
      const failed = this.gaps.get(`${region}\n${service}`) ?? 0;
      const missing = failed ? `; incomplete: ${counted(failed, "target")} failed` : "";
      const text = `${shown(service, 40)} in ${shown(region, 40)}: ${counted(count, "resource")}${missing}`;
      const cell = make(
        "td",
        {
          role: "gridcell", tabIndex: -1, title: text, "aria-label": text, "aria-selected": "false",
          class: `level-${levelOf(count, this.most)}${failed ? " gap" : ""}`,
          "data-row": String(row), "data-column": String(column),
        },
        count ? compact.format(count) : failed ? "!" : "·",
      );
      line.append(cell);
      return cell;
    });
    line.append(make("td", { role: "gridcell", class: "total" }, numbers.format(total)));
    return line;
  }

  drawLegend() {
    const levels = [];
    for (let level = 1, from = 1; level <= LEVELS && from <= this.most; level += 1) {
      let to = from;
      if (levelOf(from, this.most) > level) continue;
      // The last count of a level: the next power on the scale, less one.
      to = level === LEVELS ? this.most : Math.max(from, Math.ceil(this.most ** (level / LEVELS)) - 1);
      const text = from === to ? compact.format(from) : `${compact.format(from)}–${compact.format(to)}`;
      levels.push(make("span", { class: `level-${level}` }, text));
      from = to + 1;
    }
    const gap = this.gaps.size ? [make("span", { class: "level-0 gap" }, "! not all")] : [];
    byId("legend").replaceChildren(make("span", { class: "legend-title" }, "Resources (log scale)"), ...levels, ...gap);
  }

  /** Mark the cell that the table is filtered by. */
  mark(state) {
    this.cells.forEach((line, row) =>
      line.forEach((cell, column) => {
        const chosen = this.regions[column] === state.region && this.services[row][0] === state.service;
        if ((cell.getAttribute("aria-selected") === "true") !== chosen) cell.setAttribute("aria-selected", String(chosen));
      }),
    );
  }

  choose(cell) {
    if (!cell) return;
    this.move(Number(cell.dataset.row), Number(cell.dataset.column));
    this.onChoose(this.regions[this.at[1]], this.services[this.at[0]][0]);
  }

  move(row, column) {
    const [before, after] = [this.cells[this.at[0]][this.at[1]], this.cells[row]?.[column]];
    if (!after) return;
    before.tabIndex = -1;
    after.tabIndex = 0;
    this.at = [row, column];
    after.focus({ preventScroll: false });
  }

  onKey(event) {
    const [row, column] = this.at;
    const steps = {
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      Home: [row, 0], End: [row, this.regions.length - 1],
    };
    if (event.key === "Enter" || event.key === " ") this.choose(event.target.closest("td[data-row]"));
    else if (Object.hasOwn(steps, event.key)) this.move(...steps[event.key]);
    else return;
    event.preventDefault();
  }
}
