// Draws the head of the page: what this inventory is of, and whether all of it is here.

function drawCards(inventory) {
  const { overview } = inventory;
  const regions = new Set([...overview.regions, ...inventory.region.values]);
  const accounts = new Set([...Object.keys(overview.accounts), ...inventory.account.values]);
  const types = new Set([...overview.types, ...inventory.type.values]);
  const taken = overview.taken.replace("T", " ").replace("Z", "");
  const entries = [
    ["Resources", numbers.format(inventory.size), ""],
    ["Accounts", numbers.format(accounts.size), ""],
    ["Regions", numbers.format(regions.size), ""],
    ["Types", numbers.format(types.size), `${numbers.format(inventory.type.values.length)} found`],
    ["Failures", numbers.format(overview.failed), `of ${counted(overview.targets, "target")}`],
    ["Taken", taken.slice(0, 10), `${taken.slice(11, 16)} UTC`],
    ["Duration", lasted(overview.seconds), counted(overview.calls, "call")],
  ];
  byId("cards").replaceChildren(
    ...entries.map(([name, value, note]) =>
      make(
        "div",
        { class: name === "Failures" && overview.failed ? "card warn" : "card" },
        make("dt", {}, name),
        make("dd", {}, value),
        make("dd", { class: "note" }, note),
      ),
    ),
  );
  drawStatus(overview);
  byId("made").textContent = `mangrove ${overview.version} · this file loads nothing and sends nothing`;
  document.title = `AWS inventory, ${taken.slice(0, 16)} UTC`;
}

function drawStatus(overview) {
  const status = byId("status");
  status.className = overview.complete ? "status" : "status warn";
  status.replaceChildren(overview.complete ? "✓ Complete" : "⚠ Incomplete");
  if (!overview.complete) {
    status.append(make("span", { class: "status-more" }, `: ${numbers.format(overview.failed)} of ${counted(overview.targets, "target")} failed`));
  }
  status.hidden = false;
  byId("jump-causes").textContent = overview.failed ? `Errors (${numbers.format(overview.failed)})` : "Errors";
}
