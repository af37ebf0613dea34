"use strict";

// Powers of the units that cells may have; a number without one counts as it is.
const UNITS = { "%": 0.01, "ns": 1e-9, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1, "min": 60,
  "h": 3600, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1024, "MiB": 1048576, "GiB": 1073741824 };

function quantity(text) {
  const found = /^([-+]?[\d,]*\.?\d+(?:e[-+]?\d+)?)(?:\s*(%|[a-zµ]+))?(?:\s|$)/i.exec(text);
  if (!found) return null;
  return Number(found[1].replaceAll(",", "")) * (UNITS[found[2]] ?? 1);
}

function compare(a, b) {
  const [x, y] = [quantity(a), quantity(b)];
  if (x !== null && y !== null) return x - y;
  return a.localeCompare(b, "en", { numeric: true });
}

function sort(rows, column, direction) {
  const missing = (text) => text === "-" || text === "";
  return [...rows].sort((first, second) => {
    const [a, b] = [first, second].map((row) => row.cells[column].textContent.trim());
    // Rows without a value come last in both directions.
    if (missing(a) || missing(b)) return missing(a) - missing(b);
    return direction * compare(a, b);
  });
}

// A click on a header sorts ascending, the next one descending, the third as measured.
const NEXT = { "null": "ascending", "ascending": "descending", "descending": "null" };

function makeSortable(table) {
  const headers = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => {
      const order = NEXT[header.getAttribute("aria-sort")];
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      if (order !== "null") header.setAttribute("aria-sort", order);
      const sorted = order === "null" ? rows : sort(rows, column, order === "ascending" ? 1 : -1);
      table.tBodies[0].append(...sorted);
    });
    header.append(button);
  });
}

function makeCopyable(section) {
  const command = section.querySelector("code");
  const status = section.querySelector("[role=status]");
  const button = section.querySelector("button");
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command.textContent);
      status.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(command);
      status.textContent = "The browser does not allow copying; the command is selected.";
    }
  });
}

// The part of the x axis in view becomes what change(start, stop) returns.
function zoomed(view, signal, change) {
  const [start, stop] = view.signal(signal) ?? view.scale("x").domain();
  view.signal(signal, change && change(Number(start), Number(stop))).runAsync();
}

const CHANGES = {
  "in": (start, stop) => [start + (stop - start) / 4, stop - (stop - start) / 4],
  "out": (start, stop) => [start - (stop - start) / 2, stop + (stop - start) / 2],
  "earlier": (start, stop) => [start - (stop - start) / 4, stop - (stop - start) / 4],
  "later": (start, stop) => [start + (stop - start) / 4, stop + (stop - start) / 4],
  "all": null,
};

function makeZoomable(figure, view) {
  // The selection called "zoom" holds the part of the x axis in view under the name of its field.
  const { zoom } = view.getState({ signals: (name) => name === "zoom" }).signals;
  if (!zoom) return;
  const signal = `zoom_${Object.keys(zoom)[0]}`;
  const controls = figure.querySelector(".controls");
  controls.hidden = false;
  controls.querySelectorAll("button").forEach((button) => {
    button.addEventListener("click", () => zoomed(view, signal, CHANGES[button.value]));
  });
}

// With "ast", Vega interprets expressions: the policy of this page forbids to make functions of them.
const OPTIONS = { actions: false, ast: true, defaultStyle: false, renderer: "svg",
  tooltip: { disableDefaultStyle: true } };

async function draw(figure) {
  const spec = JSON.parse(figure.querySelector("script").textContent);
  const place = figure.querySelector(".interactive");
  place.hidden = false;
  try {
    const { view } = await vegaEmbed(place, spec, OPTIONS);
    // The label of the chart stands for these roles, which have no names.
    place.querySelectorAll("[role^=graphics]").forEach((group) => {
      group.removeAttribute("role");
      group.removeAttribute("aria-roledescription");
    });
    figure.classList.add("running");
    makeZoomable(figure, view);
  } catch (error) {
    // The static chart stays.
    place.hidden = true;
    console.error(error);
  }
}

document.querySelectorAll("table").forEach(makeSortable);
document.querySelectorAll(".command").forEach(makeCopyable);
if (window.vegaEmbed) document.querySelectorAll("figure.chart").forEach(draw);
