// Keeps search, filters and order in the address, so that a view can be linked and the way back works.

function readState(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const state = { ...EMPTY };
  for (const name of ["q", "account", "region", "service", "type", "tag"]) state[name] = given.get(name) ?? "";
  const [column, order] = (given.get("sort") ?? "").split(":");
  if (COLUMNS.some((each) => each.name === column)) {
    state.sort = column;
    state.desc = order === "desc";
  }
  return state;
}

function writeState(state) {
  const said = new URLSearchParams();
  for (const name of ["q", "account", "region", "service", "type", "tag"]) if (state[name]) said.set(name, state[name]);
  if (state.sort) said.set("sort", state.desc ? `${state.sort}:desc` : state.sort);
  return `#${said}`;
}

/** Show the state in the address: a new step back for what was clicked, none for each letter typed. */
function keepState(state, isStep) {
  const hash = writeState(state);
  if (hash === (location.hash || "#")) return;
  history[isStep ? "pushState" : "replaceState"](null, "", hash);
}
