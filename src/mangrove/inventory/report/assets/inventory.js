// Holds the rows by columns: a few numbers a row, as fifty thousand objects would be slow to look through.

class Column {
  constructor() {
    this.values = [];
    this.codes = [];
    this.known = new Map();
  }

  add(value) {
    let code = this.known.get(value);
    if (code === undefined) {
      code = this.values.length;
      this.known.set(value, code);
      this.values.push(value);
    }
    this.codes.push(code);
  }

  /** Return how often each value occurs, by code. */
  counts() {
    const counts = new Array(this.values.length).fill(0);
    for (const code of this.codes) counts[code] += 1;
    return counts;
  }
}

class Inventory {
  constructor(overview) {
    this.overview = overview;
    this.size = 0;
    this.account = new Column();
    this.region = new Column();
    this.service = new Column();
    this.type = new Column();
    this.partition = new Column();
    this.name = [];
    this.arn = [];
    this.tags = [];
    this.texts = [];
    this.parts = [];
    this.ranks = new Map();
  }

  /** Take a part of the rows; `details` is the block that has what AWS said of them. */
  add({ words, rows }, details) {
    this.parts.push({ first: this.size, details, unpacked: null });
    for (const [account, region, service, type, partition, name, arn, tags] of rows) {
      this.account.add(words[account]);
      this.region.add(words[region]);
      this.service.add(words[service]);
      this.type.add(words[type]);
      this.partition.add(words[partition]);
      this.name.push(words[name]);
      this.arn.push(arn < 0 ? null : words[arn]);
      this.tags.push(tags && tags.map((word) => words[word]));
    }
    this.size += rows.length;
  }

  accountName(id) {
    return Object.hasOwn(this.overview.accounts, id) ? this.overview.accounts[id] : null;
  }

  row(at) {
    const tags = this.tags[at];
    const pairs = [];
    for (let each = 0; tags && each < tags.length; each += 2) pairs.push([tags[each], tags[each + 1]]);
    const account = this.account.values[this.account.codes[at]];
    return {
      account,
      accountName: this.accountName(account),
      region: this.region.values[this.region.codes[at]],
      service: this.service.values[this.service.codes[at]],
      type: this.type.values[this.type.codes[at]],
      partition: this.partition.values[this.partition.codes[at]],
      name: this.name[at],
      arn: this.arn[at],
      tags: tags && pairs,
    };
  }

  /** Return what a search looks through, in lower case; made once a row. */
  text(at) {
    if (this.texts[at] !== undefined) return this.texts[at];
    const { account, region, type, service } = this;
    const id = account.values[account.codes[at]];
    let text = `${this.name[at]}\n${this.arn[at] ?? ""}\n${id}\n${this.accountName(id) ?? ""}`;
    text += `\n${region.values[region.codes[at]]}\n${type.values[type.codes[at]]}\n${service.values[service.codes[at]]}`;
    const tags = this.tags[at] ?? [];
    for (let each = 0; each < tags.length; each += 2) text += `\n${tags[each]}=${tags[each + 1]}`;
    this.texts[at] = text.toLowerCase();
    return this.texts[at];
  }

  /** Return what AWS said of a row, as JSON, or null if the report was made without. */
  async details(at) {
    const part = this.parts.findLast((each) => each.first <= at);
    part.unpacked ??= take(part.details);
    const found = await part.unpacked;
    return found && found[at - part.first];
  }
}

/** Count the keys of tags, and rows with and without them; rows whose tags are unknown are neither. */
function countTags(inventory) {
  const keys = new Map();
  let taggable = 0;
  let bare = 0;
  for (const tags of inventory.tags) {
    if (!tags) continue;
    taggable += 1;
    if (!tags.length) bare += 1;
    for (let at = 0; at < tags.length; at += 2) keys.set(tags[at], (keys.get(tags[at]) ?? 0) + 1);
  }
  return { keys, taggable, bare, unknown: inventory.size - taggable };
}

/** Count rows by region and service; both as codes. */
function countCells(inventory) {
  const cells = new Map();
  const { region, service } = inventory;
  const width = service.values.length;
  for (let at = 0; at < inventory.size; at += 1) {
    const cell = region.codes[at] * width + service.codes[at];
    cells.set(cell, (cells.get(cell) ?? 0) + 1);
  }
  return (regionName, serviceName) => {
    const [row, column] = [region.known.get(regionName), service.known.get(serviceName)];
    return row === undefined || column === undefined ? 0 : (cells.get(row * width + column) ?? 0);
  };
}
