// Show a run: read frames from the server, keep what they add up to, and fill the page with it.
// Whatever comes from a model is put into the page as text, never as markup.

import { drawEnergy, drawForest, drawPairs, QuantityCharts, redrawAll, swatch } from "./charts.js";

const $ = (id) => document.getElementById(id);
const SILENCE = 15000; // milliseconds: the server says something every five seconds
const MEANINGLESS = [400, 431]; // statuses of a wish that the server cannot take

const token = takeToken();
const wish = { show: null, search: "", order: "declared", page: 0, size: 20 };
const run = { frame: null, shown: [], traces: [], divergences: [], events: [], estimates: null, lastId: "" };
const charts = new Map();
let connection = null;
let isAsked = false; // whether the stream was broken off for another one
let granted = null; // the last wish that the server took
let complaint = ""; // why it did not take the one after it
let canControl = false;

// --- what the server says --------------------------------------------------------------------------------

function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  try {
    if (given) sessionStorage.setItem("exmc-token", given);
    if (given) history.replaceState(null, "", location.pathname);
    return given || sessionStorage.getItem("exmc-token") || "";
  } catch { return given || ""; } // storage may be forbidden
}

function headers(more = {}) {
  return token ? { Authorization: `Bearer ${token}`, ...more } : more;
}

function query() {
  const fields = new URLSearchParams();
  if (wish.show !== null) for (const name of wish.show.length ? wish.show : [""]) fields.append("show", name);
  for (const name of ["search", "order", "page", "size"]) fields.set(name, wish[name]);
  return fields.toString();
}

// Another selection begins a stream of its own; a stream that broke goes on where it was.
function select(change) {
  Object.assign(wish, change);
  run.lastId = "";
  isAsked = true;
  connection?.abort();
}

function goBack(sentence) {
  Object.assign(wish, granted);
  granted = null;
  complaint = sentence;
  $("search").value = wish.search;
  $("order").value = wish.order;
}

async function follow() {
  for (let wait = 500; ;) {
    connection = new AbortController();
    isAsked = false;
    const before = run.lastId;
    const wanted = { ...wish };
    try {
      const last = before ? { "Last-Event-ID": before } : {};
      const answer = await fetch(`events?${query()}`, { headers: headers(last), signal: connection.signal, cache: "no-store" });
      if (!answer.ok) {
        const sentence = (await answer.text()).slice(0, 300);
        if (granted && MEANINGLESS.includes(answer.status)) { goBack(sentence); continue; }
        if ([401, 403, 421, ...MEANINGLESS].includes(answer.status)) return alarm(sentence);
        throw new Error(sentence);
      }
      granted = wanted;
      $("link").textContent = complaint;
      complaint = "";
      await read(answer.body.getReader(), connection);
    } catch { /* it broke, or was broken off */ }
    if (isAsked) { wait = 500; continue; }
    if (run.lastId !== before) wait = 500;
    $("link").textContent = run.frame?.over ? "the server is gone" : "connection lost, trying again";
    await new Promise((go) => setTimeout(go, wait));
    wait = Math.min(5000, 2 * wait);
  }
}

async function read(reader, mine) {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const watchdog = setTimeout(() => mine.abort(), SILENCE);
    const { done, value } = await reader.read().finally(() => clearTimeout(watchdog));
    if (done) return;
    const parts = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = parts.pop();
    for (const part of parts) take(part);
  }
}

function take(text) {
  const fields = {};
  for (const line of text.split("\n")) {
    const at = line.indexOf(": ");
    if (at > 0) fields[line.slice(0, at)] = line.slice(at + 2);
  }
  if (!fields.data) return;
  const data = JSON.parse(fields.data);
  if (fields.event === "hello") {
    canControl = data.control;
    return;
  }
  if (fields.id) run.lastId = fields.id;
  accept(data);
}

// A fresh frame holds all there is; any other adds to what is known.
function accept(frame) {
  run.frame = frame;
  if (frame.fresh) Object.assign(run, { traces: [], divergences: [], events: [] });
  run.shown = frame.shown;
  frame.traces.forEach((news, chain) => extend(run.traces, chain, news, "draws", ["energy", "jump"]));
  frame.divergences.forEach((news, chain) => extend(run.divergences, chain, news, "numbers", ["draws"]));
  for (const event of frame.events) run.events.push(event);
  if (run.events.length > 500) run.events.splice(0, run.events.length - 500);
  if (frame.estimates !== undefined) run.estimates = frame.estimates;
  if (frame.fresh || frame.events.length) isStale.events = true;
  if (frame.fresh || frame.estimates !== undefined) isStale.estimates = true;
  if (frame.tree !== undefined) showTree(frame.tree);
  schedule();
}

// The server keeps one row of so many; when its stride doubles, so does ours, and the rows stay the same.
function extend(all, chain, news, key, columns) {
  const mine = (all[chain] ??= { stride: 1, [key]: [], values: news.values.map(() => []), ...Object.fromEntries(columns.map((c) => [c, []])) });
  if (news.stride > mine.stride) {
    const keep = mine[key].map((number) => number % news.stride === 0);
    const thin = (list) => list.filter((_, place) => keep[place]);
    for (const column of columns) mine[column] = thin(mine[column]);
    mine.values = mine.values.map(thin);
    mine[key] = thin(mine[key]);
    mine.stride = news.stride;
  }
  for (const column of [key, ...columns]) mine[column].push(...news[column]);
  news.values.forEach((values, place) => mine.values[place].push(...values));
}

// --- drawing, at most five times a second, and only while somebody looks -----------------------------------

const isStale = { events: false, estimates: false };
let isScheduled = false;
let lastDrawn = 0;

function schedule() {
  if (isScheduled) return;
  isScheduled = true;
  setTimeout(() => requestAnimationFrame(() => {
    isScheduled = false;
    lastDrawn = performance.now();
    show();
  }), Math.max(0, 200 - (performance.now() - lastDrawn)));
}

function show() {
  if (!run.frame) return;
  showHead();
  showChains();
  if (isStale.events) showEvents();
  if (isStale.estimates) showTable();
  showCharts(isStale.estimates);
  isStale.events = isStale.estimates = false;
}

function showHead() {
  const { frame } = run;
  const { draws, tune, chains } = frame.run;
  const done = frame.chains.reduce((sum, one) => sum + one.done + (one.phase === "sample" ? tune : 0), 0);
  const share = done / (chains * (draws + tune));
  const failed = frame.chains.filter((one) => one.state === "failed").length;
  const finished = frame.chains.filter((one) => ["finished", "stopped"].includes(one.state)).length;
  let state = "▶ running";
  if (finished + failed === chains) state = failed ? `✖ ended, ${failed} gave up` : "✔ finished";
  else if (frame.over) state = "■ stopped";
  else if (frame.paused) state = `⏸ paused: ${frame.paused}`;
  else if (!frame.live) state = "● stored";
  else if (!done) state = "… starting";
  if ($("state").textContent !== state) $("state").textContent = state;
  const missed = run.estimates?.missed ? `, ${run.estimates.missed} draws not seen` : "";
  $("progress").textContent = `${percent(share)}, ${chains} × ${draws} draws${frame.live ? `, ${seconds(frame.elapsed)}` : ""}${missed}`;
  document.title = `${state.split(" ")[0]} ${percent(share)} exmc`;
  $("controls").hidden = !canControl || finished + failed === chains || frame.over;
  $("pause").disabled = Boolean(frame.paused);
  $("resume").disabled = !frame.paused;
}

function showChains() {
  const { frame } = run;
  const body = $("chains").tBodies[0];
  while (body.rows.length > frame.chains.length) body.lastChild.remove();
  while (body.rows.length < frame.chains.length) body.append(chainRow(body.rows.length));
  document.querySelectorAll("#chains .kill").forEach((cell) => { cell.hidden = !canControl; });
  document.querySelectorAll("#chains .live").forEach((cell) => { cell.hidden = !frame.live; });
  const length = frame.run.tune + frame.run.draws;
  frame.chains.forEach((one, chain) => {
    const row = body.rows[chain];
    const at = one.done + (one.phase === "sample" ? frame.run.tune : 0);
    put(row, "state", `${GLYPH[one.state] ?? ""} ${one.state}`);
    put(row, "draws", `${one.done} / ${one.phase === "sample" ? frame.run.draws : frame.run.tune}`);
    put(row, "divergences", one.divergences);
    put(row, "restarts", one.restarts);
    put(row, "step", short(one.step_size));
    put(row, "depth", fixed(one.depth, 1));
    put(row, "acceptance", fixed(one.acceptance));
    put(row, "steps", fixed(one.steps_per_draw, 1));
    put(row, "speed", one.speed === null ? "–" : Math.round(one.speed));
    const bfmi = run.estimates?.e_bfmi[chain] ?? null;
    put(row, "bfmi", `${bfmi !== null && bfmi < 0.3 ? "■ " : ""}${fixed(bfmi)}`);
    row.querySelector(".done").style.width = `${(100 * at) / length}%`;
    row.querySelector(".warm").style.width = `${(100 * frame.run.tune) / length}%`;
    row.querySelector(".lane").setAttribute("aria-label", `${percent(at / length)} done, ${one.restarts} restarts`);
    row.title = one.note;
    row.querySelector("button").disabled = ["finished", "failed", "stopped"].includes(one.state) || frame.over;
  });
}

const GLYPH = { waiting: "…", warmup: "◔", sampling: "▶", finished: "✔", failed: "✖", stopped: "■" };

function chainRow(chain) {
  const row = document.createElement("tr");
  row.dataset.chain = chain;
  const head = cell(row, "name", "th", `${chain}`);
  head.scope = "row";
  head.prepend(swatch(chain));
  cell(row, "state");
  const lane = document.createElement("div");
  lane.className = "lane";
  lane.setAttribute("role", "img");
  for (const part of ["done", "warm"]) lane.append(Object.assign(document.createElement("div"), { className: part }));
  lane.firstChild.style.background = `var(--chain-${chain % 8})`;
  cell(row, "lane-cell").append(lane);
  for (const name of ["draws", "divergences", "restarts", "step", "depth wide", "acceptance wide", "steps", "speed live", "bfmi"])
    cell(row, `${name} n`);
  const kill = Object.assign(document.createElement("button"), { type: "button", textContent: "Kill" });
  kill.setAttribute("aria-label", `Kill chain ${chain}; its supervisor starts it again`);
  kill.addEventListener("click", () => act(`kill/${chain}`));
  cell(row, "kill").append(kill);
  return row;
}

function showEvents() {
  const list = $("events");
  list.replaceChildren(...run.events.slice(-200).reverse().map((event) => {
    const item = document.createElement("li");
    item.className = `event ${event.kind}`;
    if (run.frame.live) item.append(Object.assign(document.createElement("span"), { className: "when", textContent: seconds(event.seconds) }));
    const whom = event.chain === null ? "" : `chain ${event.chain} `;
    const where = event.kind === "restart" || event.kind === "failure" ? `, at transition ${event.draw}` : "";
    item.append(`${MARK[event.kind] ?? ""} ${whom}${event.text}${where}`);
    return item;
  }));
  const length = run.frame.run.tune + run.frame.run.draws;
  for (const row of $("chains").tBodies[0].rows) {
    const lane = row.querySelector(".lane");
    lane.querySelectorAll(".mark").forEach((mark) => mark.remove());
    for (const event of run.events) {
      if (String(event.chain) !== row.dataset.chain || !["restart", "failure"].includes(event.kind)) continue;
      const mark = Object.assign(document.createElement("span"), { className: "mark", textContent: MARK[event.kind], title: event.text });
      mark.style.left = `${(100 * event.draw) / length}%`;
      lane.append(mark);
    }
  }
}

const MARK = { restart: "▲", failure: "✖", finish: "✔", pause: "⏸", resume: "▶", end: "■", stop: "■", add: "✚" };

function showTree(lines) {
  $("tree-box").hidden = !lines;
  $("tree").replaceChildren(...(lines ?? []).map(([depth, id, kind, status, restarts, handled]) => {
    const item = document.createElement("li");
    const words = [kind, status === "running" ? "" : status, restarts ? `▲ ${restarts} restart${restarts > 1 ? "s" : ""}` : "",
      !kind && handled ? `${handled} handled` : ""].filter(Boolean);
    item.textContent = `${"   ".repeat(depth)}${depth ? "└ " : ""}${id}  ${words.join(", ") || "running"}`;
    if (restarts) item.className = "fair";
    return item;
  }));
}

// --- the table of quantities -------------------------------------------------------------------------------

const VERDICT = {
  good: "● good", fair: "◆ fair", poor: "■ poor", undefined: "✖ not finite", constant: "– constant", early: "○ too early",
};

function showTable() {
  const table = run.estimates?.table;
  $("empty").hidden = Boolean(table);
  if (!table) return;
  const body = $("table").tBodies[0];
  while (body.rows.length > table.names.length) body.lastChild.remove();
  while (body.rows.length < table.names.length) body.append(quantityRow());
  table.names.forEach((name, place) => {
    const row = body.rows[place];
    const verdict = table.verdicts[place];
    row.dataset.name = name;
    put(row, "name", name);
    row.querySelector(".name").title = name;
    put(row, "verdict", VERDICT[verdict]);
    row.querySelector(".verdict").className = `verdict ${verdict}`;
    put(row, "rhat", table.r_hat[place] === null ? "–" : table.r_hat[place].toFixed(3));
    put(row, "ess", table.ess[place] === null ? "–" : Math.round(table.ess[place]));
    for (const column of ["mean", "mcse_mean", "sd", "q5", "q50", "q95"]) put(row, column, short(table[column][place]));
    const button = row.querySelector("button");
    const isShown = run.shown.includes(name);
    button.setAttribute("aria-pressed", isShown);
    button.setAttribute("aria-label", `Show charts of ${name}`);
    button.textContent = isShown ? "✓" : "+";
  });
  $("page").textContent = `page ${table.page + 1} of ${table.pages}`;
  $("previous").disabled = table.page === 0;
  $("next").disabled = table.page + 1 >= table.pages;
  $("counts").replaceChildren(...Object.keys(VERDICT).filter((level) => table.counts[level]).map((level) =>
    Object.assign(document.createElement("span"), { className: level, textContent: `${VERDICT[level]}: ${table.counts[level]}` })));
  if (table.matching !== table.total) $("counts").append(`${table.matching} of ${table.total} found`);
}

function quantityRow() {
  const row = document.createElement("tr");
  const button = Object.assign(document.createElement("button"), { type: "button" });
  button.addEventListener("click", () => toggle(row.dataset.name));
  cell(row, "toggle").append(button);
  cell(row, "name", "th").scope = "row";
  cell(row, "verdict");
  for (const name of ["rhat", "ess", "mean", "mcse_mean", "sd", "q5", "q50", "q95"]) cell(row, `${name} n`);
  return row;
}

function toggle(name) {
  const shown = run.shown.includes(name) ? run.shown.filter((other) => other !== name) : [...run.shown, name].slice(-8);
  select({ show: shown });
}

// --- charts ------------------------------------------------------------------------------------------------

function showCharts(isNew) {
  for (const [name, one] of charts) if (!run.shown.includes(name)) { one.remove(); charts.delete(name); }
  run.shown.forEach((name, place) => {
    if (!charts.has(name)) charts.set(name, new QuantityCharts($("charts"), name, () => toggle(name)));
    const one = charts.get(name);
    if ($("charts").children[place] !== one.element) $("charts").insertBefore(one.element, $("charts").children[place] ?? null);
    one.draw(run, place, isNew);
  });
  if (!isNew) return;
  drawForest($("forest"), run.estimates?.table);
  drawPairs($("pairs"), run);
  drawEnergy($("energy"), run);
}

// --- controls ----------------------------------------------------------------------------------------------

async function act(path) {
  try {
    const answer = await fetch(`control/${path}`, { method: "POST", headers: headers() });
    if (!answer.ok) $("link").textContent = (await answer.text()).slice(0, 300);
  } catch { $("link").textContent = "the server cannot be reached"; }
}

$("pause").addEventListener("click", () => act("pause"));
$("resume").addEventListener("click", () => act("resume"));
$("abort").addEventListener("click", () => { if (confirm("End the run, and keep the draws there are?")) act("abort"); });
$("previous").addEventListener("click", () => select({ page: Math.max(0, wish.page - 1) }));
$("next").addEventListener("click", () => select({ page: wish.page + 1 }));
$("order").addEventListener("change", (event) => select({ order: event.target.value, page: 0 }));
$("filter").addEventListener("submit", (event) => event.preventDefault());
let typing = 0;
$("search").addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(() => select({ search: event.target.value, page: 0 }), 250);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/INPUT|SELECT/.test(event.target.tagName)) { event.preventDefault(); $("search").focus(); }
});

const THEMES = ["auto", "light", "dark"];
function setTheme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  $("theme").textContent = `Colours: ${name}`;
  $("theme").dataset.now = name;
  try { localStorage.setItem("exmc-theme", name); } catch { /* storage may be forbidden */ }
  redraw();
}
function redraw() {
  redrawAll(charts);
  isStale.estimates = isStale.events = true;
  schedule();
}
$("theme").addEventListener("click", () => setTheme(THEMES[(THEMES.indexOf($("theme").dataset.now) + 1) % 3]));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
addEventListener("resize", redraw);
addEventListener("scroll", schedule, { passive: true });
let theme = "auto";
try { theme = localStorage.getItem("exmc-theme") ?? "auto"; } catch { /* storage may be forbidden */ }
setTheme(THEMES.includes(theme) ? theme : "auto");

// --- words -------------------------------------------------------------------------------------------------

function cell(row, name, tag = "td", text = "") {
  const made = Object.assign(document.createElement(tag), { className: name, textContent: text });
  row.append(made);
  return made;
}
function put(row, name, value) {
  const target = row.querySelector(`.${name}`);
  const text = String(value);
  if (target.textContent !== text) target.textContent = text;
}
function short(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(digits - 1);
  return size >= 1000 ? value.toFixed(0) : value.toPrecision(digits);
}
const fixed = (value, digits = 2) => (value === null ? "–" : value.toFixed(digits));
const percent = (share) => `${Math.floor(100 * Math.min(1, share || 0))} %`;
const seconds = (value) => (value < 60 ? `${value.toFixed(1)} s` : `${Math.floor(value / 60)} min ${Math.floor(value % 60)} s`);
function alarm(sentence) {
  $("state").textContent = "✖ refused";
  $("alert").textContent = sentence;
  $("alert").hidden = false;
}

follow();
