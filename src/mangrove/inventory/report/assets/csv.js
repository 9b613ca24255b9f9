// Writes rows as CSV that no spreadsheet takes for formulas.

const CSV_COLUMNS = ["account", "account_name", "region", "service", "type", "name", "arn", "partition", "tags"];

/** Return a value as a cell. A formula begins with one of these signs, and a quote before it makes it a text. */
function csvCell(value) {
  // Many who read CSV refuse the whole of it for one NUL.
  const text = value.replaceAll("\0", "\ufffd");
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function csvOf(inventory, rows) {
  const lines = [CSV_COLUMNS.join(",")];
  for (const at of rows) {
    const row = inventory.row(at);
    const tags = row.tags ? JSON.stringify(Object.fromEntries(row.tags)) : "";
    const cells = [row.account, row.accountName ?? "", row.region, row.service, row.type, row.name, row.arn ?? "", row.partition, tags];
    lines.push(cells.map(csvCell).join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}

function download(text, name) {
  // With the mark of UTF-8: Excel takes it for something else without.
  const url = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
