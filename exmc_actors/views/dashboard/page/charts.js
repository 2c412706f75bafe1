// Draw charts from what is known of a run; nothing here talks to the server.

/* global uPlot */

const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2], [10, 4], [1, 3], [6, 2, 1, 2]];
const CHAINS_APART = 8;

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colour = (chain) => style(`--chain-${chain % CHAINS_APART}`);
const font = "12px system-ui, 'DejaVu Sans', sans-serif";

export function swatch(chain) {
  const line = document.createElement("span");
  line.className = "swatch";
  line.style.borderTopColor = `var(--chain-${chain % CHAINS_APART})`;
  line.style.borderTopStyle = ["solid", "dashed", "dotted", "double"][chain % 4];
  return line;
}

export function redrawAll(charts) {
  for (const one of charts.values()) one.forget();
}

// --- the charts of one quantity ----------------------------------------------------------------------------

export class QuantityCharts {
  constructor(parent, name, close) {
    this.name = name;
    this.plots = {};
    this.element = document.createElement("section");
    this.element.className = "quantity";
    this.element.dataset.name = name;
    const title = Object.assign(document.createElement("h3"), { textContent: name });
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "hide" });
    button.setAttribute("aria-label", `Hide the charts of ${name}`);
    button.addEventListener("click", close);
    title.append(button);
    this.grid = Object.assign(document.createElement("div"), { className: "grid" });
    this.element.append(title, this.grid);
    this.trace = this.box("trace", "Trace by chain; × divergences");
    this.histogram = this.canvas("Histogram");
    this.running = this.box("running", "Running mean, ± 2 MCSE");
    this.lags = this.box("lags", "Autocorrelation by lag");
    this.ranks = this.canvas("Ranks by chain");
    this.isDue = true;
    parent.append(this.element);
  }

  box(kind, caption) {
    const figure = this.figure(caption, kind);
    const inside = document.createElement("div");
    inside.setAttribute("role", "img");
    inside.setAttribute("aria-label", `${caption} of ${this.name}`);
    figure.append(inside);
    return inside;
  }

  canvas(caption) {
    const made = document.createElement("canvas");
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", `${caption} of ${this.name}`);
    this.figure(caption, "").append(made);
    return made;
  }

  figure(caption, kind) {
    const figure = Object.assign(document.createElement("figure"), { className: `card ${kind}` });
    figure.append(Object.assign(document.createElement("figcaption"), { textContent: caption }));
    this.grid.append(figure);
    return figure;
  }

  remove() {
    this.forget();
    this.element.remove();
  }

  // Colours and widths are part of a chart, so that new ones need a new chart.
  forget() {
    for (const plot of Object.values(this.plots)) plot.destroy();
    this.plots = {};
    this.isDue = true;
  }

  draw(run, place, isNew) {
    this.isDue ||= isNew;
    const box = this.element.getBoundingClientRect();
    if (box.bottom < -200 || box.top > innerHeight + 200 || document.hidden) return;
    if (run.traces.length) this.drawTrace(run, place);
    if (!this.isDue) return;
    this.isDue = false;
    const known = run.estimates?.charts?.[place];
    if (!known) return;
    drawHistogram(this.histogram, known);
    this.drawRunning(known);
    this.drawLags(known);
    drawRanks(this.ranks, run.traces.map((trace) => trace.values[place]));
  }

  drawTrace(run, place) {
    const data = joined(run.traces.map((trace) => [trace.draws, trace.values[place]]));
    this.marks = run.divergences.flatMap((one) => one.draws.map((draw, at) => [draw, one.values[place][at]]));
    const series = run.traces.map((_, chain) => line(chain, 1));
    const scales = { x: { time: false }, y: { range: airy } };
    this.put("trace", this.trace, 190, series, data, { scales, hooks: { draw: [(plot) => drawMarks(plot, this.marks)] } });
  }

  drawRunning(known) {
    const { tables, series, bands } = { tables: [], series: [], bands: [] };
    known.running.forEach((one, chain) => {
      const edge = (sign) => one.mean.map((mean, at) => (mean === null || one.mcse[at] === null ? null : mean + sign * 2 * one.mcse[at]));
      tables.push([one.draws, one.mean, edge(1), edge(-1)]);
      bands.push({ series: [series.length + 2, series.length + 3], fill: `${colour(chain)}26` });
      series.push(line(chain, 2), { ...line(chain, 0), stroke: "transparent" }, { ...line(chain, 0), stroke: "transparent" });
    });
    this.put("running", this.running, 150, series, joined(tables), { bands, scales: { x: { time: false }, y: { range: airy } } });
  }

  drawLags(known) {
    const lags = known.autocorrelation[0]?.map((_, lag) => lag) ?? [];
    const series = known.autocorrelation.map((_, chain) => line(chain, 1.5));
    const scales = { x: { time: false }, y: { range: (_, low) => [Math.min(-0.1, low), 1] } };
    this.put("lags", this.lags, 150, series, [lags, ...known.autocorrelation], { scales });
  }

  put(kind, parent, height, series, data, more) {
    const width = Math.max(120, parent.clientWidth);
    const old = this.plots[kind];
    if (old && old.series.length === series.length + 1) {
      old.setData(data);
      return;
    }
    old?.destroy();
    const axis = { stroke: style("--faint"), font, grid: { stroke: style("--grid"), width: 1 }, ticks: { stroke: style("--line"), width: 1 } };
    const options = {
      width, height, series: [{}, ...series], legend: { show: false }, cursor: { show: false },
      axes: [{ ...axis, size: 30, space: 60 }, { ...axis, ...UPWARDS, space: 28 }], ...more,
    };
    this.plots[kind] = new uPlot(options, data, parent);
  }
}

const line = (chain, width) => ({
  stroke: colour(chain), width, dash: width > 1 ? DASHES[chain % CHAINS_APART] : [], spanGaps: true, points: { show: false } });

// uPlot takes what differs after the tenth digit only for constant.
function airy(_, low, high) {
  if (low === null) return [null, null];
  [low, high] = apart(low, high);
  const air = (high - low) * 0.1;
  return [low - air, high + air];
}

const UPWARDS = {
  size: (_, texts) => Math.max(56, 16 + 7.7 * Math.max(0, ...(texts ?? []).map((one) => one.length))),
  splits: (_plot, _axis, low, high, step) => multiples(low, high, step),
  values: (_, values) => labels(values),
};

function joined(tables) {
  return tables.length ? uPlot.join(tables) : [[]];
}

function drawMarks(plot, marks) {
  const { ctx } = plot;
  const size = (marks.length > 100 ? 2.5 : 4) * devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = style("--ink");
  ctx.lineWidth = (marks.length > 100 ? 1 : 1.6) * devicePixelRatio;
  ctx.beginPath();
  for (const [draw, value] of marks) {
    if (value === null) continue;
    const x = plot.valToPos(draw, "x", true);
    const y = plot.valToPos(value, "y", true);
    ctx.moveTo(x - size, y - size);
    ctx.lineTo(x + size, y + size);
    ctx.moveTo(x - size, y + size);
    ctx.lineTo(x + size, y - size);
  }
  ctx.stroke();
  ctx.restore();
}

// --- canvases ----------------------------------------------------------------------------------------------

function sheet(canvas, height) {
  const width = Math.max(120, canvas.parentElement.clientWidth - 20);
  const scale = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = font;
  pen.fillStyle = style("--faint");
  return { pen, width, height };
}

// Found by their number: a step that is added to a large value may leave it as it is.
function multiples(low, high, step) {
  const first = Math.ceil(low / step);
  const count = Math.min(20, Math.floor(high / step) - first + 1);
  return Number.isFinite(step) && count >= 1 ? [...new Set(Array.from({ length: count }, (_, at) => (first + at) * step))] : [];
}

function ticks(low, high, most) {
  const step = 10 ** Math.floor(Math.log10((high - low) / most || 1));
  return multiples(low, high, [1, 2, 5, 10].map((factor) => factor * step).find((one) => (high - low) / one <= most) ?? step * 10);
}

// With as many digits as tell them apart.
function labels(values) {
  const widest = (texts) => Math.max(0, ...texts.map((one) => one.length));
  const rounded = (digits) => values.map((value) => Number(value.toPrecision(digits)));
  let digits = 3;
  while (digits < 17 && new Set(rounded(digits)).size < values.length) digits++;
  const plain = rounded(digits).map(String);
  const short = rounded(digits).map((value) => (value === 0 ? "0" : value.toExponential()));
  return widest(short) + 1 < widest(plain) ? short : plain;
}

function axis(pen, low, high, left, right, bottom) {
  pen.fillStyle = style("--faint");
  pen.strokeStyle = style("--line");
  pen.lineWidth = 1;
  pen.textAlign = "center";
  pen.textBaseline = "top";
  pen.beginPath();
  pen.moveTo(left, bottom + 0.5);
  pen.lineTo(right, bottom + 0.5);
  const values = ticks(low, high, Math.max(2, (right - left) / 70));
  let free = left - 8;
  labels(values).forEach((label, at) => {
    const x = left + ((values[at] - low) / (high - low)) * (right - left);
    pen.moveTo(x, bottom);
    pen.lineTo(x, bottom + 4);
    const half = pen.measureText(label).width / 2;
    if (x - half < free || x + half > right + 8) return;
    pen.fillText(label, x, bottom + 6);
    free = x + half + 6;
  });
  pen.stroke();
}

function steps(pen, counts, most, left, right, top, bottom) {
  const width = (right - left) / counts.length;
  pen.beginPath();
  pen.moveTo(left, bottom);
  counts.forEach((count, bin) => {
    const y = bottom - (count / most) * (bottom - top);
    pen.lineTo(left + bin * width, y);
    pen.lineTo(left + (bin + 1) * width, y);
  });
  pen.lineTo(right, bottom);
}

function drawHistogram(canvas, known) {
  const { pen, width, height } = sheet(canvas, 150);
  if (known.edges.length < 2) return;
  const density = known.counts.map((counts) => {
    const total = counts.reduce((sum, count) => sum + count, 0) || 1;
    return counts.map((count) => count / total);
  });
  const pooled = density[0].map((_, bin) => density.reduce((sum, one) => sum + one[bin], 0) / density.length);
  const most = Math.max(...density.flat(), 1e-12);
  const [left, right, top, bottom] = [4, width - 4, 6, height - 24];
  steps(pen, pooled, most, left, right, top, bottom);
  pen.fillStyle = style("--fill");
  pen.fill();
  density.forEach((one, chain) => {
    steps(pen, one, most, left, right, top, bottom);
    pen.strokeStyle = colour(chain);
    pen.lineWidth = 1.3;
    pen.setLineDash(DASHES[chain % CHAINS_APART]);
    pen.stroke();
  });
  pen.setLineDash([]);
  axis(pen, known.edges[0], known.edges.at(-1), left, right, bottom);
}

const RANK_BINS = 20;

// How many draws of each chain lie in each twentieth of all draws, sorted. Draws of one value have no order:
// each of them lies evenly over the ranks that they have together.
export function rankCounts(chains) {
  const pooled = chains.flatMap((values, chain) => values.map((value) => [value, chain])).filter(([value]) => value !== null);
  pooled.sort((a, b) => a[0] - b[0]);
  const counts = chains.map(() => new Array(RANK_BINS).fill(0));
  const wide = pooled.length / RANK_BINS;
  for (let first = 0, end = 0; first < pooled.length; first = end) {
    while (end < pooled.length && pooled[end][0] === pooled[first][0]) end++;
    for (let bin = Math.floor(first / wide); bin * wide < end && bin < RANK_BINS; bin++) {
      const share = (Math.min(end, (bin + 1) * wide) - Math.max(first, bin * wide)) / (end - first);
      for (let at = first; at < end; at++) counts[pooled[at][1]][bin] += share;
    }
  }
  return counts;
}

// Chains that agree have as many of their draws in each.
function drawRanks(canvas, chains) {
  const { pen, width, height } = sheet(canvas, 150);
  if (chains.flat().filter((value) => value !== null).length < RANK_BINS) return;
  const counts = rankCounts(chains);
  const rows = Math.min(chains.length, CHAINS_APART);
  const each = (height - 6) / rows;
  for (let chain = 0; chain < rows; chain++) {
    const total = counts[chain].reduce((sum, count) => sum + count, 0) || 1;
    const bottom = (chain + 1) * each;
    const most = Math.max(2 / RANK_BINS, ...counts[chain].map((count) => count / total));
    const tall = each - 5;
    steps(pen, counts[chain].map((count) => count / total), most, 4, width - 4, bottom - tall, bottom);
    pen.fillStyle = `${colour(chain)}99`;
    pen.fill();
    const even = bottom - (tall / RANK_BINS) / most;
    pen.strokeStyle = style("--ink");
    pen.lineWidth = 1;
    pen.setLineDash([4, 3]);
    pen.beginPath();
    pen.moveTo(4, even);
    pen.lineTo(width - 4, even);
    pen.stroke();
    pen.setLineDash([]);
  }
}

export function drawForest(canvas, table) {
  const names = table?.names ?? [];
  const { pen, width, height } = sheet(canvas, Math.max(120, 30 + 22 * names.length));
  const known = names.map((_, at) => at).filter((at) => table.q5[at] !== null && table.q95[at] !== null);
  if (!known.length) return;
  const [low, high] = apart(Math.min(...known.map((at) => table.q5[at])), Math.max(...known.map((at) => table.q95[at])));
  const margin = Math.min(130, width * 0.4);
  const [left, right, bottom] = [margin + 6, width - 8, height - 26];
  const x = (value) => left + ((value - low) / (high - low)) * (right - left);
  if (low < 0 && high > 0) {
    pen.strokeStyle = style("--line");
    pen.setLineDash([3, 3]);
    pen.beginPath();
    pen.moveTo(x(0), 4);
    pen.lineTo(x(0), bottom);
    pen.stroke();
    pen.setLineDash([]);
  }
  pen.textBaseline = "middle";
  for (const at of known) {
    const y = 14 + ((bottom - 14) * at) / names.length;
    pen.fillStyle = style("--ink");
    pen.textAlign = "right";
    pen.fillText(fitting(pen, names[at], margin), margin, y);
    pen.strokeStyle = colour(0);
    pen.lineWidth = 2;
    pen.beginPath();
    pen.moveTo(x(table.q5[at]), y);
    pen.lineTo(x(table.q95[at]), y);
    pen.stroke();
    pen.fillStyle = style("--card");
    pen.beginPath();
    pen.arc(x(table.q50[at]), y, 4, 0, 7);
    pen.fill();
    pen.stroke();
  }
  axis(pen, low, high, left, right, bottom);
  canvas.setAttribute("aria-label", `Intervals of ${names.length} quantities, from 5 % to 95 %, on one axis`);
}

function fitting(pen, name, width) {
  let shown = name;
  while (shown.length > 3 && pen.measureText(shown).width > width) shown = `${shown.slice(0, -2)}…`;
  return shown;
}

const MOST_PAIRED = 4;
const MOST_POINTS = 600;

export function drawPairs(canvas, run) {
  const shown = run.shown.slice(0, MOST_PAIRED);
  const cells = Math.max(1, shown.length - 1);
  const { pen, width, height } = sheet(canvas, Math.min(560, 40 + 170 * cells));
  canvas.setAttribute("aria-label", `Draws of ${shown.join(", ")}, two by two, with divergences`);
  if (shown.length < 2 || !run.traces.length) {
    pen.textBaseline = "top";
    pen.fillText("Show two quantities or more.", 4, 6);
    return;
  }
  const columns = shown.map((_, place) => run.traces.flatMap((trace) => trace.values[place]));
  const divergent = shown.map((_, place) => run.divergences.flatMap((one) => one.values[place]));
  const spans = columns.map((values, place) => span([...values, ...divergent[place]]));
  const [left, bottom] = [22, height - 22];
  const [wide, tall] = [(width - left - 4) / cells, (bottom - 4) / cells];
  for (let row = 1; row < shown.length; row++) {
    for (let column = 0; column < row; column++) {
      const corner = [left + column * wide, 4 + (row - 1) * tall];
      const at = (values, place, size, base, flip) => (value) => {
        const part = (value - spans[place][0]) / (spans[place][1] - spans[place][0]);
        return base + 4 + (flip ? 1 - part : part) * (size - 8);
      };
      const x = at(columns, column, wide - 6, corner[0], false);
      const y = at(columns, row, tall - 6, corner[1], true);
      pen.strokeStyle = style("--line");
      pen.lineWidth = 1;
      pen.strokeRect(corner[0] + 0.5, corner[1] + 0.5, wide - 6, tall - 6);
      const every = Math.max(1, Math.ceil(columns[column].length / MOST_POINTS));
      pen.fillStyle = `${colour(0)}80`;
      for (let draw = 0; draw < columns[column].length; draw += every) {
        const [a, b] = [columns[column][draw], columns[row][draw]];
        if (a !== null && b !== null) pen.fillRect(x(a) - 1.2, y(b) - 1.2, 2.4, 2.4);
      }
      divergent[column].forEach((a, number) => {
        const b = divergent[row][number];
        if (a !== null && b !== null) triangle(pen, x(a), y(b));
      });
    }
  }
  pen.fillStyle = style("--ink");
  pen.textBaseline = "alphabetic";
  pen.textAlign = "center";
  for (let column = 0; column + 1 < shown.length; column++)
    pen.fillText(fitting(pen, shown[column], wide - 8), left + (column + 0.5) * wide, height - 6);
  for (let row = 1; row < shown.length; row++) {
    pen.save();
    pen.translate(14, 4 + (row - 0.5) * tall);
    pen.rotate(-Math.PI / 2);
    pen.fillText(fitting(pen, shown[row], tall - 8), 0, 0);
    pen.restore();
  }
}

function triangle(pen, x, y) {
  pen.beginPath();
  pen.moveTo(x, y - 5);
  pen.lineTo(x + 4.5, y + 3.5);
  pen.lineTo(x - 4.5, y + 3.5);
  pen.closePath();
  pen.fillStyle = style("--poor");
  pen.fill();
  pen.strokeStyle = style("--card");
  pen.lineWidth = 1;
  pen.stroke();
}

// What does not vary lies in the middle of an axis.
function apart(low, high) {
  const air = low === high ? Math.max(1, Math.abs(low) * 1e-9) : 0;
  return [low - air, high + air];
}

// All but the outermost draws: one of a heavy tail would squeeze all others together.
function span(values) {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  const [low, high] = apart(known[Math.floor(known.length * 0.002)] ?? 0, known[Math.ceil(known.length * 0.998) - 1] ?? 1);
  const air = (high - low) * 0.05;
  return [low - air, high + air];
}

const ENERGY_BINS = 30;

export function drawEnergy(canvas, run) {
  const { pen, width, height } = sheet(canvas, 240);
  const energies = run.traces.flatMap((trace) => trace.energy).filter((value) => value !== null);
  const jumps = run.traces.flatMap((trace) => trace.jump).filter((value) => value !== null);
  if (energies.length < 10) return;
  const mean = energies.reduce((sum, value) => sum + value, 0) / energies.length;
  const centred = energies.map((value) => value - mean);
  const [low, high] = span([...centred, ...jumps]);
  const binned = (values) => {
    const counts = new Array(ENERGY_BINS).fill(0);
    for (const value of values) {
      const bin = Math.floor(((value - low) / (high - low)) * ENERGY_BINS);
      if (bin >= 0 && bin < ENERGY_BINS) counts[bin] += 1 / values.length;
    }
    return counts;
  };
  const [all, change] = [binned(centred), binned(jumps)];
  const most = Math.max(...all, ...change);
  const [left, right, top, bottom] = [4, width - 4, 26, height - 24];
  steps(pen, all, most, left, right, top, bottom);
  pen.fillStyle = `${colour(0)}66`;
  pen.fill();
  steps(pen, change, most, left, right, top, bottom);
  pen.strokeStyle = colour(1);
  pen.lineWidth = 2;
  pen.stroke();
  axis(pen, low, high, left, right, bottom);
  pen.textAlign = "left";
  pen.textBaseline = "top";
  pen.fillStyle = `${colour(0)}66`;
  pen.fillRect(6, 7, 18, 9);
  pen.strokeStyle = colour(1);
  pen.beginPath();
  pen.moveTo(110, 11);
  pen.lineTo(130, 11);
  pen.stroke();
  pen.fillStyle = style("--ink");
  pen.fillText("energy", 30, 5);
  pen.fillText("its change", 136, 5);
  const bfmi = run.estimates?.e_bfmi?.filter((value) => value !== null) ?? [];
  if (bfmi.length) {
    const least = Math.min(...bfmi);
    pen.textAlign = "right";
    pen.fillText(`E-BFMI ≥ ${least.toFixed(2)} ${least < 0.3 ? "■ poor" : "● good"}`, right, 5);
  }
}
