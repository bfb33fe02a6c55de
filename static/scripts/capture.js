// Lines of a meeting written on a phone that may have no network. Every line is written down durably before
// the page says so, and sent in order by itself; what the server refuses is shown to a person. A line leaves
// the phone only when it was received or somebody throws it away. Without this script they are plain forms.
import { begin, fill, firstOf, formOf, held, isPhoto, read, valueOf } from './capture/fields.js';
import { all, find, keep, remove, settle } from './capture/store.js';

const root = document.querySelector('[data-capture]');
const event = root.dataset.capture;
const word = (name) => root.querySelector(`[data-w="${name}"]`).textContent;
const state = root.querySelector('[data-outbox-state]');
const tray = root.querySelector('[data-outbox-tray]');
const list = root.querySelector('[data-outbox-list]');
const KEEP = 'who-writes-here';
const AGAIN = '#riprendi-';
const FIRST_WAIT = 2000;
const LONGEST_WAIT = 60_000;
const PATIENCE = 30_000;
// Answers after which trying again as it is makes no sense: a person looks.
const REFUSED = new Set([403, 404, 409, 413, 415, 422]);

let wait = 0;
let timer = 0;
let trouble = '';

const make = (tag, values, ...inside) => {
  const made = Object.assign(document.createElement(tag), values);
  made.append(...inside);
  return made;
};

/** What a person recognises a record by. */
function said(record) {
  const photos = record.fields.filter(isPhoto).length;
  const words = valueOf(record, 'text') || valueOf(record, 'title') || valueOf(record, 'alt') || '';
  return [words, photos ? `${word('photo')}: ${photos}` : ''].filter(Boolean).join(' · ');
}

function line(record, words, tone) {
  const item = make('li', { className: 'capture-said capture-own' },
    make('p', { className: 'capture-words', textContent: said(record), dir: 'auto' }),
    make('p', { className: `capture-mark is-${tone}`, textContent: words }));
  item.dataset.own = record.key;
  return item;
}

const shown = (key) => list.querySelector(`[data-own="${key}"]`);

function show(record) {
  root.querySelector('[data-outbox-none]')?.remove();
  if (!shown(record.key)) list.prepend(line(record, word('kept'), 'kept'));
}

function received(record, answer) {
  const mark = shown(record.key)?.querySelector('.capture-mark');
  if (mark) {
    mark.className = 'capture-mark is-received';
    mark.textContent = word('received');
    if (answer.url && answer.code) mark.append(' ', make('a', { href: answer.url, textContent: answer.code }));
  }
  const form = valueOf(record, 'part_id') && formOf(root, record);
  if (form && answer.version) form.elements.version.value = answer.version;
}

function say(words) {
  state.hidden = false;
  state.textContent = words;
}

/** Takes what was refused back into its form; it stays in the tray until it is saved anew. */
function again(record) {
  const form = formOf(root, record);
  if (!form) {
    window.location.assign(`${window.location.pathname}?modo=${valueOf(record, 'way') ?? ''}${AGAIN}${record.id}`);
    return;
  }
  const first = firstOf(form);
  if (record.kind === 'line' && first.value.trim() && form.dataset.again !== String(record.id)) {
    say(word('busy'));
  } else {
    fill(form, record);
    form.dataset.again = record.id;
    form.closest('details')?.setAttribute('open', '');
  }
  first.focus();
}

function button(words, act) {
  const made = make('button', { type: 'button', className: 'btn btn-outline-primary', textContent: words });
  made.addEventListener('click', act);
  return made;
}

function refusedLine(record) {
  const item = line(record, record.refused, 'refused');
  item.append(
    button(word('again'), () => again(record)),
    button(word('drop'), () => { if (window.confirm(word('drop_sure'))) remove(record.id).then(draw); }),
  );
  return item;
}

async function draw() {
  const records = await all(event);
  const waiting = records.filter((record) => !record.refused);
  const stuck = records.filter((record) => record.refused);
  waiting.forEach(show);
  for (const one of stuck) shown(one.key)?.remove();
  tray.querySelector('ul').replaceChildren(...stuck.map(refusedLine));
  tray.hidden = !stuck.length;
  const words = trouble ? word(trouble) : '';
  state.hidden = !waiting.length && !words && state.dataset.used !== '1';
  if (waiting.length) state.dataset.used = '1';
  const none = words || word(stuck.length ? 'rest' : 'all');
  state.replaceChildren(waiting.length ? `${word('waiting')} ${waiting.length}. ${words}` : none);
  if (trouble === 'signed_out') state.append(' ', make('a', { href: root.dataset.signIn, textContent: word('sign_in') }));
}

class Halt extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

const isOurs = (answer) => Boolean(answer.headers.get('Content-Type')?.includes('json'));
/** Our site in trouble says so itself; what else answers (a hotel's welcome page) counts as no network. */
const troubleOf = (answer) => (answer.status === 429 || answer.status >= 500 ? 'later' : 'offline');

/** A fresh token, and who is signed in. */
async function permission() {
  const answer = await fetch(root.dataset.keyUrl, { headers: { Accept: 'application/json' }, redirect: 'manual', cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) });
  if (answer.type === 'opaqueredirect') throw new Halt('signed_out');
  if (answer.status === 404 || answer.status === 403) throw new Halt('gone');
  if (!answer.ok || !isOurs(answer)) throw new Halt(troubleOf(answer));
  const given = await answer.json();
  localStorage.setItem(KEEP, given.who);
  // The copy of the page that says there is no network has just reached the site.
  root.querySelector('.capture-copy')?.remove();
  return given;
}

async function post(record, token) {
  const body = new FormData();
  for (const [name, value, file] of record.fields) {
    if (typeof value === 'string') body.append(name, value);
    else body.append(name, value, file ?? 'foto.jpg');
  }
  body.append('idempotency_key', record.key);
  body.append('csrf_token', token);
  return fetch(record.url, { method: 'POST', body, headers: { Accept: 'application/json' }, redirect: 'manual', signal: AbortSignal.timeout(PATIENCE * 2) });
}

async function send(record, token) {
  const answer = await post(record, token);
  if (answer.type === 'opaqueredirect') throw new Halt('signed_out');
  if (answer.ok && isOurs(answer)) {
    const told = await answer.json();
    await settle(record, told.version);
    received(record, told);
  } else if (REFUSED.has(answer.status)) {
    const told = isOurs(answer) ? await answer.json() : {};
    await settle(record, told.version, [told.error || word('refused'), told.meanwhile].filter(Boolean).join(' '));
  } else {
    throw new Halt(troubleOf(answer));
  }
}

async function sendAll() {
  const records = (await all(event)).filter((record) => !record.refused);
  if (!records.length) return;
  const given = await permission();
  let others = false;
  for (const record of records) {
    // Somebody else's line is theirs: under another name it could be received twice.
    if (record.who && record.who !== given.who) {
      others = true;
    } else {
      await send(record, given.token);
      trouble = '';
      await draw();
    }
  }
  if (others) throw new Halt('other_person');
}

/** One page at a time sends; what fails is tried again after a while, longer each time. */
async function work() {
  clearTimeout(timer);
  try {
    await navigator.locks.request('raccolta', sendAll);
    trouble = '';
    wait = 0;
  } catch (error) {
    trouble = error instanceof Halt ? error.reason : 'offline';
    wait = Math.min(Math.max(wait * 2, FIRST_WAIT), LONGEST_WAIT);
    timer = setTimeout(work, wait * (0.75 + Math.random() / 2));
  }
  await draw();
}

const later = () => { wait = 0; work(); };

async function recordOf(form) {
  const record = {
    event, fields: await read(form), key: crypto.randomUUID(), url: form.getAttribute('action'),
    kind: form.dataset.outbox, who: localStorage.getItem(KEEP) ?? '',
  };
  const old = form.dataset.again && await find(Number(form.dataset.again));
  if (old) {
    record.id = old.id;
    if (!record.fields.some(isPhoto)) record.fields.push(...old.fields.filter(isPhoto));
    shown(old.key)?.remove();
  }
  return record;
}

async function save(form) {
  const first = firstOf(form);
  if (!first.value.trim() && !(first.type === 'file' && form.dataset.again)) {
    say(word(first.type === 'file' ? 'no_photo' : 'empty'));
    first.focus();
    return;
  }
  const said = held(form);
  const record = await recordOf(form);
  record.id = await keep(record);
  show(record);
  state.dataset.used = '1';
  // A report goes on being written: what waits of it is replaced by what is saved next.
  if (valueOf(record, 'part_id')) form.dataset.again = record.id;
  else begin(form, said);
  work();
}

for (const form of root.querySelectorAll('form[data-outbox]')) {
  form.addEventListener('submit', (submit) => {
    submit.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = '1';
    save(form).catch(() => {
      // No room or no store on this phone: the form goes its plain way, and stays filled if it cannot.
      if (navigator.onLine) form.submit();
      else say(word('full'));
    }).finally(() => { delete form.dataset.busy; });
  });
  form.addEventListener('keydown', (key) => {
    const text = key.target.name === 'text' && key.target.tagName === 'TEXTAREA';
    if (text && key.key === 'Enter' && !key.shiftKey && !key.ctrlKey && !key.metaKey && !key.isComposing) {
      key.preventDefault();
      form.requestSubmit();
    }
  });
}

window.addEventListener('online', () => {
  if ('isCopy' in root.dataset) permission().catch(() => {});
  later();
});
document.addEventListener('visibilitychange', () => { if (!document.hidden) later(); });

/** After one visit with network the page opens without, for every way of writing: copies with nothing
 * personal, and all they need. */
async function keepCopy() {
  if (!('serviceWorker' in navigator) || 'isCopy' in root.dataset) return;
  const page = location.pathname;
  await navigator.serviceWorker.register(root.dataset.worker, { scope: page, updateViaCache: 'none' });
  const files = [...document.querySelectorAll('link[rel="stylesheet"], link[rel="icon"], script[src]')].map((one) => one.href || one.src);
  const symbols = document.querySelector('use')?.getAttribute('href').split('#')[0];
  const fonts = performance.getEntriesByType('resource').map((one) => one.name).filter((name) => name.includes('/fonts/'));
  const cache = await caches.open(`raccolta-${page}`);
  await cache.addAll([...new Set([...files, ...fonts, ...(symbols ? [symbols] : [])])]);
  const ways = [...root.querySelectorAll('.capture-ways a')].map((one) => new URL(one.href));
  for (const [number, way] of ways.entries()) {
    const copy = await fetch(`${way.pathname}${way.search}&copia=1`, { redirect: 'error' });
    if (!copy.ok) continue;
    if (!number) await cache.put(page, copy.clone());
    await cache.put(`${way.pathname}${way.search}`, copy);
  }
}

/** A line that was taken up again on another tab of this page. */
async function takeUp() {
  const id = window.location.hash.startsWith(AGAIN) && Number(window.location.hash.slice(AGAIN.length));
  const record = id ? await find(id) : undefined;
  if (record?.refused && record.event === event && formOf(root, record)) again(record);
}

navigator.storage?.persist?.();
draw().then(takeUp).then(permission).catch(() => {}).then(later);
keepCopy().catch(() => {});
