// The page: a recording, its switches, and the answer that follows them.
const SHOWN = 12;  // rows of classes
const SPOKEN = 5;  // sensors whose budgets fit a line
const PAUSE = 120;  // milliseconds from the last switch to the question
const state = { card: null, source: null, labels: [], off: new Set(), whole: null, now: null, signals: null, which: 0, moment: 0, zoom: false };
let question = null, later = 0;

const tell = text => { $('problem').textContent = text; $('problem').hidden = !text; };
const recording = answer => answer.recordings[state.which];
const percent = p => `${Math.round(100 * p)}\u00a0%`;
const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

const open = async (source, labels = []) => {
  Object.assign(state, { source, labels, off: new Set(), whole: null, signals: null, which: 0, moment: 0 });
  await update();
};

const update = async () => {
  question?.abort();
  const own = question = new AbortController();
  document.body.classList.add('busy');
  try {
    const answer = await predict(state.source, state.off, { signals: !state.signals, signal: own.signal });
    if (own !== question) return;
    state.now = answer;
    state.signals ??= answer.recordings.map(r => r.signals);
    if (!state.off.size) state.whole = answer;
    tell('');
    show();
  } catch (error) {
    if (error.name === 'AbortError' || own !== question) return;
    if (error.status === 401) $('login').hidden = false;
    tell(error.message);
  }
  document.body.classList.remove('busy');
};

const show = () => {
  const answer = state.now;
  $('several').hidden = answer.recordings.length < 2;
  if ($('which').options.length !== answer.recordings.length)
    $('which').replaceChildren(...answer.recordings.map((r, i) => new Option(r.name || `${i + 1}`, i)));
  $('which').value = state.which;
  $('results').hidden = false;
  const windows = recording(answer).windows;
  $('moment').max = Math.max(windows.length - 1, 0);
  state.moment = Math.min(state.moment, windows.length - 1);
  $('moment').value = state.moment;
  headline(windows);
  list(windows);
  draw();
};

const changes = () => {
  if (!state.whole || !state.off.size) return null;
  const before = recording(state.whole).windows;
  return recording(state.now).windows.filter((w, i) => w.class !== before[i]?.class);
};

const shares = windows => {
  const counts = new Map();
  for (const w of windows) counts.set(w.class, (counts.get(w.class) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([name, n]) => [name, n / windows.length]);
};

const best = window => Object.entries(window.probabilities).sort((a, b) => b[1] - a[1]).slice(0, 3).map(([n, p]) => `${n} ${percent(p)}`);

const headline = windows => {
  const known = windows.filter(w => !w.nothing_present), found = shares(known), changed = changes();
  $('headline').textContent = !windows.length ? 'Too short for a window.'
    : !known.length ? 'Nothing is known: no sensor is there.'
    : windows.length === 1 ? best(windows[0]).join(' · ')
    : found.slice(0, 3).map(([name, share]) => `${name} ${percent(share)}`).join(' · ') + (found.length > 3 ? ` · ${found.length - 3} more` : '');
  const missing = windows.length - known.length;
  $('change').textContent = [
    changed && `${changed.length} of ${windows.length} windows have another answer than with every sensor on.`,
    right(known),
    missing && known.length ? `${missing} windows have no sensor at all.` : '',
  ].filter(Boolean).join(' ');
};

// Of windows within one true label.
const right = windows => {
  if (!state.labels.length) return '';
  const within = windows.map(w => [w, state.labels.find(l => l.start_s <= w.start_s && l.end_s >= w.start_s + w.duration_s)]).filter(([, l]) => l);
  if (!within.length) return '';
  const hits = within.filter(([w, l]) => w.class === l.label).length;
  return `Right in ${hits} of the ${within.length} windows with one true class (outlined).`;
};

const meanBudget = (windows, name) => {
  const found = windows.map(w => w.budgets[name]).filter(b => b !== undefined);
  return found.length ? found.reduce((a, b) => a + b, 0) / found.length : null;
};

const facts = ({ name, static: still, rate_hz: rate, channels, unit, device }) => [
  still ? 'static' : rate ? `${number.format(rate)} Hz` : 'irregular',
  channels > 1 && `${channels} channels`, unit, device !== name && device,
].filter(Boolean);

const made = (tag, attributes, ...inside) => {
  const found = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  found.append(...inside);
  return found;
};

const item = modality => {
  const name = modality.name, told = facts(modality);
  const text = made('div', {}, made('b', {}, name), made('span', {}, modality.device === name ? told[0] : modality.device));
  const button = made('button', { type: 'button', class: 'switch', role: 'switch', 'aria-label': `${name}, ${told.join(', ')}` }, text);
  button.addEventListener('click', () => {
    if (!state.off.delete(name)) state.off.add(name);
    switches();
    clearTimeout(later);
    later = setTimeout(update, PAUSE);
  });
  const meter = made('meter', { 'aria-label': `Budget of ${name}` }), value = made('output', {});
  const li = made('li', {}, button, made('div', { class: 'budget' }, meter, value));
  li.parts = { name, button, meter, value };
  return li;
};

const picture = modality => {
  const canvas = made('canvas', { role: 'img' });
  const found = made('figure', {}, made('figcaption', {}, `${modality.name} `, made('span', {}, facts(modality).join(' · '))), canvas);
  found.parts = { name: modality.name, canvas };
  return found;
};

const switches = () => {
  for (const { parts } of $('list').children) parts.button.setAttribute('aria-checked', String(!state.off.has(parts.name)));
  $('all').disabled = !state.off.size;
};

const list = windows => {
  if (!$('list').children.length) {
    $('list').append(...state.card.modalities.map(item));
    $('figures').append(...state.card.modalities.map(picture));
  }
  switches();
  const means = [...$('list').children].map(({ parts }) => meanBudget(windows, parts.name));
  const most = Math.max(state.card.budget_max ?? 0, ...means, 1e-9);
  [...$('list').children].forEach(({ parts }, i) => {
    Object.assign(parts.meter, { min: 0, max: most, value: means[i] ?? 0 });
    parts.value.textContent = means[i] === null ? 'absent' : number.format(means[i]);
  });
};

const draw = () => {
  if (!state.now) return;
  const found = recording(state.now), windows = found.windows, duration = found.duration_s || 1;
  const here = windows[state.moment], moment = here && [here.start_s, here.start_s + here.duration_s];
  const total = state.card.classes.map((_, k) => found.timeline.reduce((sum, c) => sum + (c.probabilities?.[k] ?? 0) * (c.end_s - c.start_s), 0));
  const kept = new Set(total.map((t, k) => [t, k]).sort((a, b) => b[0] - a[0]).slice(0, SHOWN).map(([, k]) => k));
  const rows = state.card.classes.map((name, index) => ({ name, index })).filter(r => kept.has(r.index));
  const changed = changes()?.map(w => [w.start_s, w.start_s + w.duration_s]) ?? [];
  drawTimeline($('timeline'), { rows, cells: found.timeline, changed, labels: state.labels, duration, moment });
  const said = shares(windows.filter(w => !w.nothing_present)).map(([name, share]) => `${name} in ${percent(share)} of the windows`);
  $('timeline').setAttribute('aria-label', `Probability of each class over ${number.format(duration)} s: ${said.join(', ') || 'nothing is known'}.`);
  const near = state.zoom && here && (found.symbols?.find(w => w.start_s <= here.start_s && here.start_s < w.start_s + w.duration_s) ?? here);
  const span = near ? [near.start_s, near.start_s + near.duration_s] : [0, duration];
  $('zoom').textContent = near ? `${number.format(span[0])}–${number.format(span[1])} s: show all` : 'Zoom to the window above';
  $('zoom').setAttribute('aria-pressed', String(Boolean(near)));
  for (const { parts } of $('figures').children) {
    const name = parts.name, off = state.off.has(name);
    const bands = (found.symbols ?? []).map(w => ({ ...w, views: w.views[name] ?? {} }));
    drawSensor(parts.canvas, { signal: state.signals[state.which]?.[name], bands, alphabet: state.card.alphabet, span, off, moment });
    const gone = bands.flatMap(w => Object.values(w.views).flat(2)), share = gone.filter(s => s === 0).length / (gone.length || 1);
    parts.canvas.setAttribute('aria-label', `Signal of ${name} over time with its symbols, ${percent(share)} of them missing.`);
  }
  if (!here) { $('at').textContent = ''; return; }
  const given = state.card.modalities.length > SPOKEN ? [] : Object.entries(here.budgets).map(([n, b]) => `${n} ${number.format(b)}`);
  $('at').textContent = `${number.format(here.start_s)}–${number.format(here.start_s + here.duration_s)} s: `
    + (here.nothing_present ? 'no sensor is there; the learned prior says ' : '') + best(here).join(', ') + (given.length ? `; budgets ${given.join(', ')}` : '');
};

const openFile = async file => {
  try {
    await open({ body: file, type: typeOf(file.name) });
  } catch (error) { tell(error.message); }
};

const start = async () => {
  try {
    const card = state.card = await ask('/v1/model');
    tell('');
    $('login').hidden = true;
    document.title = `${card.title} – MAESTRO live`;
    $('title').textContent = card.title;
    const cut = card.windows.duration_s ? `windows of ${card.windows.duration_s} s` : 'one window a recording';
    $('about').textContent = `Run “${card.run}”: ${card.modalities.length} sensors, ${card.classes.length} classes, ${cut}. Any sensor may be missing.`;
    $('foot').textContent = `maestro-ts ${card.version}. What is dropped here goes to this service and to nobody else.`;
    $('demo').hidden = !card.example;
  } catch (error) {
    if (error.status === 401) { $('title').textContent = 'MAESTRO live'; $('login').hidden = false; }
    tell(error.message);
  }
};

$('demo').addEventListener('click', async () => {
  try {
    const example = await ask('/v1/example');
    await open({ body: JSON.stringify(example.body), type: 'application/json' }, example.labels);
  } catch (error) { tell(error.message); }
});
$('file').addEventListener('change', () => { if ($('file').files.length) openFile($('file').files[0]); $('file').value = ''; });
$('which').addEventListener('change', () => { state.which = +$('which').value; state.moment = 0; show(); });
$('all').addEventListener('click', () => { state.off.clear(); switches(); update(); });
$('moment').addEventListener('input', () => { state.moment = +$('moment').value; draw(); });
$('zoom').addEventListener('click', () => { state.zoom = !state.zoom; draw(); });
$('timeline').addEventListener('click', event => {
  const at = $('timeline').timeAt(event.offsetX), windows = recording(state.now).windows;
  const found = windows.findLastIndex(w => w.start_s <= at);
  if (found >= 0) { state.moment = found; $('moment').value = found; draw(); }
});
$('login').addEventListener('submit', event => { event.preventDefault(); token = $('token').value; start(); });
for (const kind of ['dragover', 'dragleave', 'drop'])
  addEventListener(kind, event => {
    event.preventDefault();
    $('drop').classList.toggle('over', kind === 'dragover');
    if (kind === 'drop' && event.dataTransfer.files.length) openFile(event.dataTransfer.files[0]);
  });
addEventListener('resize', draw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
start();
