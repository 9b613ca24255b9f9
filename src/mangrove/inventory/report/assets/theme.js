// Chooses dark or light before anything is drawn, so that no dark page begins with a white flash.
const dark = matchMedia("(prefers-color-scheme: dark)");

function chosenTheme() {
  try {
    return localStorage.getItem("mangrove-theme");
  } catch {
    return null; // A browser may keep nothing for files.
  }
}

function showTheme() {
  document.documentElement.dataset.theme = chosenTheme() ?? (dark.matches ? "dark" : "light");
}

showTheme();
dark.addEventListener("change", showTheme);
