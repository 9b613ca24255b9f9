// Finds and orders the rows that a search, filters and a column ask for: pure, by numbers wherever it can.

const EMPTY = { q: "", account: "", region: "", service: "", type: "", tag: "", sort: "", desc: false };
const CODED = ["account", "region", "service", "type"];

/** Return a test for the tags of a row: key=value, key, !key (lacks it), !* (has none), * (has some), ? (unknown). */
function tagTest(wanted) {
  if (!wanted) return null;
  if (wanted === "?") return (tags) => tags === null;
  if (wanted === "*") return (tags) => tags !== null && tags.length > 0;
  if (wanted === "!*") return (tags) => tags !== null && tags.length === 0;
  const has = (tags, key) => {
    for (let at = 0; at < tags.length; at += 2) if (tags[at] === key) return true;
    return false;
  };
  const split = wanted.indexOf("=");
  if (split > 0) {
    const [key, value] = [wanted.slice(0, split), wanted.slice(split + 1)];
    return (tags) => {
      for (let at = 0; tags && at < tags.length; at += 2) if (tags[at] === key && tags[at + 1] === value) return true;
      // A key may itself have an equals sign in it.
      return tags !== null && has(tags, wanted);
    };
  }
  // A key may begin with "!" or be "?": then it is meant where it is there.
  if (wanted.startsWith("!")) {
    return (tags) => tags !== null && (!has(tags, wanted.slice(1)) || has(tags, wanted));
  }
  return (tags) => tags !== null && has(tags, wanted);
}

/** Return the numbers of the rows that match, in the order of the rows. */
function findRows(inventory, state) {
  const codes = [];
  for (const name of CODED) {
    if (!state[name]) continue;
    const code = inventory[name].known.get(state[name]);
    if (code === undefined) return new Uint32Array(0);
    codes.push([inventory[name].codes, code]);
  }
  const test = tagTest(state.tag);
  const terms = state.q.toLowerCase().split(/\s+/).filter(Boolean);
  const found = new Uint32Array(inventory.size);
  let count = 0;
  for (let at = 0; at < inventory.size; at += 1) {
    if (codes.some(([column, code]) => column[at] !== code)) continue;
    if (test && !test(inventory.tags[at])) continue;
    if (terms.length) {
      const text = inventory.text(at);
      if (!terms.every((term) => text.includes(term))) continue;
    }
    found[count] = at;
    count += 1;
  }
  return found.subarray(0, count);
}

function tagsAsText(tags) {
  if (!tags) return "";
  const pairs = [];
  for (let at = 0; at < tags.length; at += 2) pairs.push(`${tags[at]}=${tags[at + 1]}`);
  return pairs.join(", ");
}

/** Return the position of each row in the order of a column; made once a column. */
function ranksOf(inventory, column) {
  const known = inventory.ranks.get(column);
  if (known) return known;
  const ranks = new Float64Array(inventory.size);
  if (CODED.includes(column)) {
    const { values, codes } = inventory[column];
    const keys = values.map((value) => (column === "account" ? `${inventory.accountName(value) ?? ""}\n${value}` : value));
    const places = placesOf(keys);
    for (let at = 0; at < inventory.size; at += 1) ranks[at] = places[codes[at]];
  } else {
    const key = { name: (at) => inventory.name[at], arn: (at) => inventory.arn[at] ?? "", tags: (at) => tagsAsText(inventory.tags[at]) };
    ranks.set(placesOf(Array.from({ length: inventory.size }, (_, at) => key[column](at).toLowerCase())));
  }
  inventory.ranks.set(column, ranks);
  return ranks;
}

/** Return the place of each key among them; equal keys have equal places, and what is empty comes last. */
function placesOf(keys) {
  const order = [...keys.keys()];
  order.sort((a, b) => (keys[a] === keys[b] ? 0 : !keys[a] ? 1 : !keys[b] ? -1 : keys[a] < keys[b] ? -1 : 1));
  const places = new Array(keys.length);
  let place = 0;
  order.forEach((each, at) => {
    if (at && keys[each] !== keys[order[at - 1]]) place += 1;
    places[each] = place;
  });
  return places;
}

/** Return rows in the order of a column; those that are equal in it keep theirs. */
function orderRows(inventory, rows, column, desc) {
  if (!column) return rows;
  const ranks = ranksOf(inventory, column);
  const sign = desc ? -1 : 1;
  // One number says both place and row: typed arrays of numbers are sorted at once, without a function.
  const keys = Float64Array.from(rows, (at) => sign * ranks[at] * inventory.size + at).sort();
  return Uint32Array.from(keys, (key) => ((key % inventory.size) + inventory.size) % inventory.size);
}
