"""The text of the web page of ``producer watch``: markup, script and style."""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>poolrace watch</title>
<link rel="stylesheet" href="watch.css">
<main>
<h1>poolrace watch</h1>
<p id="problem" role="alert" hidden></p>
<p id="head"></p>
<h2>Workers</h2>
<div class="wide" tabindex="0" role="region" aria-label="Workers"><table>
<thead><tr><th scope="col">worker<th scope="col">busy<th scope="col">slots
<th scope="col">chunks/s<th scope="col">state</thead><tbody id="workers"></tbody></table></div>
<h2>Jobs</h2><ul id="jobs"></ul>
<h2>Slots, up to now</h2><div id="slots"></div>
<h2>Events</h2><ol id="events" aria-live="polite"></ol>
</main>
<script src="watch.js"></script>
</html>
"""

SCRIPT = """"use strict";
const byId = (id) => document.getElementById(id);
function element(tag, text, parent) {
  const made = document.createElement(tag);
  made.textContent = text;
  parent?.append(made);
  return made;
}
// A strip of cells on a canvas: the height of a cell is its fraction, null is an unknown one.
function strip(values, cells, label, parent) {
  const canvas = element("canvas", "", parent);
  canvas.width = 600;
  canvas.height = 16;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const brush = canvas.getContext("2d"), style = getComputedStyle(document.body);
  const width = canvas.width / cells, offset = cells - values.length;
  values.forEach((value, number) => {
    brush.fillStyle = style.getPropertyValue(value === null ? "--unknown" : "--busy");
    const height = value === null ? 3 : 16 * value;
    brush.fillRect((offset + number) * width, 16 - height, Math.ceil(width), height);
  });
}
function percent(value) { return (100 * value).toFixed(1) + " %"; }
function rate(value) {
  return value === null ? "-" : Number(value.toPrecision(3)).toLocaleString("en");
}
function total(list, key) { return list.reduce((sum, each) => sum + (each[key] ?? 0), 0); }
function show(data) {
  const workers = data.workers, hosts = new Set(workers.map((each) => each.host)).size;
  const known = workers.filter((each) => each.chunks_per_s !== null);
  byId("problem").hidden = !data.error;
  byId("problem").textContent = data.error && "Redis does not answer: " + data.error;
  const queues = Object.entries(data.queues).map(([pool, length]) => pool + " " + length);
  byId("head").textContent = [data.broker, "hosts " + hosts,
    "slots " + total(workers, "busy") + " of " + total(workers, "slots") + " busy",
    "chunks/s " + rate(known.length ? total(known, "chunks_per_s") : null),
    "Redis " + (data.memory_bytes / 2 ** 20).toFixed(1) + " MiB",
    "queued: " + (queues.join(", ") || "-")].join(" \\u00b7 ");
  byId("workers").replaceChildren(...workers.map((each) => {
    const row = document.createElement("tr");
    const long = {
      incompatible: `gets no chunks: protocol ${each.protocol}, poolrace ${each.version}`,
      silent: `silent for ${each.silent_s.toFixed(0)} s`,
    };
    const state = (long[each.state] ?? each.state) +
      (each.waiting ? `, ${each.waiting} waiting` : "");
    element("th", each.name, row).scope = "row";
    for (const text of [each.busy, each.slots, rate(each.chunks_per_s), state])
      element("td", text, row);
    return row;
  }));
  byId("jobs").replaceChildren(...data.jobs.map((job) => {
    const text = `${job.job} ${job.workload} on ${job.pool}: ${job.state}, ${percent(job.done)}`;
    const item = element("li", text);
    strip(job.coverage, job.coverage.length || 1, "done parts of job " + job.job, item);
    return item;
  }));
  byId("slots").replaceChildren(...data.rows.map((row) => {
    const line = document.createElement("div");
    const name = row.worker + (row.slot ? " " + row.slot : "");
    element("span", name + (row.now ? ": " + row.now : ""), line);
    strip(row.utilisation, 120, name + (row.now ? " busy" : " idle"), line);
    return line;
  }));
  const events = data.events.map((each) => each.at + " " + each.text);
  if (events.join() !== byId("events").dataset.shown) {
    byId("events").dataset.shown = events.join();
    byId("events").replaceChildren(...events.reverse().map((text) => element("li", text)));
  }
}
const source = new EventSource("events");
source.onmessage = (event) => show(JSON.parse(event.data));
source.onerror = () => {
  byId("problem").hidden = false;
  byId("problem").textContent = "The command producer watch does not answer.";
};
"""

STYLE = """:root { color-scheme: light dark; --busy: #0072b2; --unknown: #888; --line: #ccc; }
@media (prefers-color-scheme: dark) { :root { --busy: #56b4e9; --line: #444; } }
body { font: 14px/1.5 system-ui, sans-serif; margin: 1rem; }
main { max-width: 70rem; margin: auto; overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin: 1rem 0 .3rem; }
#problem { border: 2px solid #d55e00; padding: .5rem; }
.wide { overflow-x: auto; overflow-wrap: normal; } .wide :is(th, td) { white-space: nowrap; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .1rem .8rem .1rem 0; }
:is(th, td):nth-child(n+2):nth-child(-n+4) { text-align: right; }
canvas { display: block; width: 100%; height: 16px; border: 1px solid var(--line); }
ul, ol { padding-left: 0; list-style: none; }
"""
