// What is asked of the service this page came from, and of nobody else.
let token = '';

class Refused extends Error {
  constructor(status, { what = 'no answer.', where = '', fix = '' }) {
    super([where && `${where}: `, what, fix && ` ${fix}`].join(''));
    this.status = status;
  }
}

const wait = ms => new Promise(done => setTimeout(done, ms));

// A service that is full or being started again is asked again: nothing was accepted yet.
const ask = async (path, options = {}, tries = 8) => {
  const headers = { ...options.headers, ...(token && { Authorization: `Bearer ${token}` }) };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    answer = null;
  }
  if (answer?.ok) return answer.json();
  if ((answer === null || answer.status === 503) && tries > 1) {
    tell('The service does not answer; asking again …');
    await wait(1000);
    return ask(path, options, tries - 1);
  }
  throw new Refused(answer?.status ?? 0, answer ? await answer.json().catch(() => ({})) : {});
};

const TYPES = {
  csv: 'text/csv', json: 'application/json', parquet: 'application/vnd.apache.parquet',
  pq: 'application/vnd.apache.parquet', arrow: 'application/vnd.apache.arrow.file',
  arrows: 'application/vnd.apache.arrow.stream',
};

const typeOf = name => {
  const type = TYPES[name.toLowerCase().split('.').pop()];
  if (!type) throw new Refused(0, { what: `“${name}” is no table that is read here.`, fix: `Endings: ${Object.keys(TYPES).join(', ')}.` });
  return type;
};

const predict = (source, off, { signals, signal }) => {
  const query = new URLSearchParams([['show', 'timeline'], ['show', 'symbols']]);
  if (signals) query.append('show', 'signals');
  for (const name of off) query.append('off', name);
  return ask(`/v1/predict?${query}`, { method: 'POST', body: source.body, headers: { 'Content-Type': source.type }, signal });
};
