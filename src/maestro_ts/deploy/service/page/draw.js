'use strict';
// What is drawn: canvases whose colours are the page's, so both schemes are one drawing.
const $ = id => document.getElementById(id);
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const SCALE = ['#00224e', '#35456c', '#666970', '#948e77', '#c8b866', '#fee838'];  // cividis

const surface = (canvas, height) => {
  const ratio = devicePixelRatio || 1, width = canvas.clientWidth;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext('2d');
  pen.scale(ratio, ratio);
  pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  pen.textBaseline = 'middle';
  return [pen, width];
};

const hatch = pen => {
  const tile = document.createElement('canvas');
  tile.width = tile.height = 8;
  const ink = tile.getContext('2d');
  ink.fillStyle = colour('void');
  ink.fillRect(0, 0, 8, 8);
  ink.strokeStyle = colour('hatch');
  ink.beginPath();
  for (const x of [-8, 0, 8]) { ink.moveTo(x, 8); ink.lineTo(x + 8, 0); }
  ink.stroke();
  return pen.createPattern(tile, 'repeat');
};

const symbolColour = share => {
  const at = Math.min(Math.max(share, 0), 1) * (SCALE.length - 1), low = Math.min(Math.floor(at), SCALE.length - 2);
  const parts = [SCALE[low], SCALE[low + 1]].map(c => [1, 3, 5].map(i => parseInt(c.slice(i, i + 2), 16)));
  return `rgb(${parts[0].map((v, i) => Math.round(v + (parts[1][i] - v) * (at - low))).join(',')})`;
};

const shortened = (pen, text, width) => {
  if (pen.measureText(text).width <= width) return text;
  let kept = text;
  while (kept && pen.measureText(`${kept}…`).width > width) kept = kept.slice(0, -1);
  return `${kept}…`;
};

const ticks = span => {
  const raw = span / 6, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(k => k * power).find(s => s >= raw);
  return Array.from({ length: Math.floor(span / step + 1e-9) + 1 }, (_, i) => +(i * step).toPrecision(6));
};

const ROW = 22, AXIS = 24;

// One row a class: the fuller the colour, the more probable. The true labels are outlines.
const drawTimeline = (canvas, { rows, cells, changed, labels, duration, moment }) => {
  const height = (rows.length + 1) * ROW + AXIS;
  const [pen, width] = surface(canvas, height);
  const left = Math.min(Math.max(...[...rows.map(r => r.name), 'changed'].map(n => pen.measureText(n).width)) + 12, width * .3);
  const x = t => left + t / duration * (width - left - 1), blank = hatch(pen);
  rows.forEach((row, k) => {
    const y = k * ROW;
    pen.fillStyle = colour('ink');
    pen.fillText(shortened(pen, row.name, left - 8), 0, y + ROW / 2);
    pen.fillStyle = colour('raised');
    pen.fillRect(left, y + 1, width - left, ROW - 2);
    for (const cell of cells) {
      const from = x(cell.start_s), wide = Math.max(x(cell.end_s) - from, .5);
      const known = cell.probabilities !== null;
      pen.globalAlpha = known ? cell.probabilities[row.index] : .6;
      pen.fillStyle = known ? colour('accent') : blank;
      pen.fillRect(from, y + 1, wide + .3, ROW - 2);
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = colour('c1');
    pen.lineWidth = 2;
    for (const label of labels.filter(l => l.label === row.name))
      pen.strokeRect(x(label.start_s) + 1, y + 2, x(label.end_s) - x(label.start_s) - 2, ROW - 4);
  });
  const foot = rows.length * ROW;
  pen.fillStyle = colour('muted');
  pen.fillText('changed', 0, foot + ROW / 2);
  pen.fillStyle = colour('c4');
  for (const [from, to] of changed) pen.fillRect(x(from), foot + 6, Math.max(x(to) - x(from), 2), ROW - 12);
  pen.fillStyle = colour('muted');
  for (const t of ticks(duration)) {
    const text = `${t} s`, wide = pen.measureText(text).width;
    pen.fillText(text, Math.min(Math.max(x(t) - wide / 2, left), width - wide), height - AXIS / 2);
  }
  drawMoment(pen, moment, x, 0, height - AXIS + 4);
  canvas.timeAt = at => (at - left) / (width - left - 1) * duration;
};

const drawMoment = (pen, moment, x, top, bottom) => {
  if (!moment) return;
  pen.strokeStyle = colour('ink');
  pen.lineWidth = 1.5;
  pen.strokeRect(x(moment[0]), top + .75, x(moment[1]) - x(moment[0]), bottom - top - 1.5);
};

// A signal, and below it bands of symbols: one a view, in each one row a channel.
const drawSensor = (canvas, { signal, bands, alphabet, span, off, moment }) => {
  const channels = signal ? signal.values.length : 1, row = Math.max(6, Math.round(14 / channels));
  const views = bands.length ? Object.keys(bands[0].views) : [];
  const high = 96, band = row * (bands.length ? bands[0].views[views[0]].length : 0) + 4;
  const [pen, width] = surface(canvas, high + views.length * (band + 14) + 4);
  const x = t => (t - span[0]) / (span[1] - span[0]) * (width - 2) + 1, blank = hatch(pen);
  pen.fillStyle = colour('page');
  pen.fillRect(0, 0, width, high);
  if (!signal) {
    pen.fillStyle = blank;
    pen.fillRect(0, 0, width, high);
    pen.fillStyle = colour('ink');
    pen.fillText('not in this recording', 8, high / 2);
  } else {
    let low = Infinity, top = -Infinity;
    for (const values of signal.values) for (const v of values) if (v !== null) { low = Math.min(low, v); top = Math.max(top, v); }
    const reach = top - low || 1;
    pen.globalAlpha = off ? .25 : 1;
    signal.values.forEach((values, c) => {
      pen.strokeStyle = colour(`c${c % 6}`);
      pen.lineWidth = 1.1;
      pen.beginPath();
      let down = false;  // a gap stays a gap: a line across it would invent the signal
      values.forEach((v, i) => {
        if (v === null) { down = false; return; }
        const at = [x(signal.times_s[i]), high - 6 - (v - low) / reach * (high - 12)];
        if (down) pen.lineTo(...at); else pen.moveTo(...at);
        if (values.length === 1) pen.lineTo(x(span[1]), at[1]);
        down = true;
      });
      pen.stroke();
    });
    pen.globalAlpha = 1;
    if (off) { pen.fillStyle = colour('muted'); pen.fillText('switched off', 8, 12); }
  }
  views.forEach((view, v) => {
    const y = high + v * (band + 14) + 14;
    pen.fillStyle = colour('muted');
    pen.fillText(view, 1, y - 7);
    for (const window of bands)
      window.views[view].forEach((symbols, c) => symbols.forEach((s, i) => {
        const each = window.duration_s / symbols.length, from = x(window.start_s + i * each);
        pen.fillStyle = s === 0 ? blank : symbolColour((s - 1) / (alphabet - 1));
        pen.fillRect(from, y + c * row, x(window.start_s + (i + 1) * each) - from + .3, row - 1);
      }));
  });
  if (x(moment?.[0] ?? 0) > 1 || x(moment?.[1] ?? 0) < width - 2) drawMoment(pen, moment, x, 0, high);
};
