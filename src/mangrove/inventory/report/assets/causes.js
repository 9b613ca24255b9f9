// Lists why targets failed, grouped by cause, and which targets they are.

const MOST_TARGETS = 200;

function drawCauses(inventory) {
  const { causes, skipped, failed } = inventory.overview;
  const holder = byId("causes-list");
  holder.replaceChildren();
  if (failed) holder.append(...causes.map((cause) => drawCause(cause, inventory)));
  else holder.append(make("p", { class: "empty" }, "Nothing failed: all targets answered."));
  const total = skipped.reduce((sum, each) => sum + each.targets.length, 0);
  if (!total) return;
  holder.append(
    make(
      "details",
      { class: "skipped" },
      make("summary", {}, `${counted(total, "target")} had nothing to ask: the region is not enabled, or the service is not there`),
      ...skipped.map((cause) => drawCause(cause, inventory)),
    ),
  );
}

function drawCause(cause, inventory) {
  const count = cause.targets.length;
  const partly = cause.rows ? ` · after ${counted(cause.rows, "resource")}` : "";
  const summary = make(
    "summary",
    {},
    make("span", { class: "cause-count" }, numbers.format(count)),
    make("span", { class: "kind" }, cause.kind),
    make("span", { class: "cause-code" }, make("bdi", {}, shown(cause.code || "no code", 120))),
    make("span", { class: "cause-message" }, make("bdi", {}, shown(cause.message, 600))),
  );
  const listed = cause.targets.slice(0, MOST_TARGETS).map(([account, region, type]) => {
    const name = inventory.accountName(account);
    const cells = [name ? `${name} (${account})` : account, region, type];
    return make("tr", {}, ...cells.map((text) => make("td", {}, make("bdi", {}, shown(text, 120)))));
  });
  const head = make("tr", {}, ...["Account", "Region", "Type"].map((text) => make("th", { scope: "col" }, text)));
  const rest = count > MOST_TARGETS ? `The first ${MOST_TARGETS} of ${numbers.format(count)} targets` : counted(count, "target");
  const where = make("div", { class: "where" }, make("p", { class: "note" }, rest + partly), make("table", {}, make("thead", {}, head), make("tbody", {}, ...listed)));
  return make("details", { class: "cause" }, summary, where);
}
