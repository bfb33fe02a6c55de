// Lines of a meeting written on a phone that may have no network. Every line is written down durably before
// the page says so, and sent in order by itself; what the server refuses is shown to a person. A line leaves
// the phone only when it was received or somebody throws it away. Without this script they are plain forms.
import { openDB } from 'idb';

const root = document.querySelector('[data-capture]');
const event = root.dataset.capture;
const word = (name) => root.querySelector(`[data-w="${name}"]`).textContent;
const state = root.querySelector('[data-outbox-state]');
const tray = root.querySelector('[data-outbox-tray]');
const list = root.querySelector('[data-outbox-list]');
const KEEP = 'who-writes-here';
const PHOTO = 1600;
const FIRST_WAIT = 2000;
const LONGEST_WAIT = 60_000;
const PATIENCE = 30_000;
// Answers after which trying again as it is makes no sense: a person looks.
const REFUSED = new Set([403, 404, 409, 413, 415, 422]);

let database;
let wait = 0;
let timer = 0;
let trouble = '';

const open = () => openDB('raccolta', 1, {
  upgrade: (db) => db.createObjectStore('out', { keyPath: 'id', autoIncrement: true }).createIndex('event', 'event'),
  terminated: () => { database = undefined; },
});

/** Works on the store; reopens a connection that the system has closed meanwhile. */
async function store(work) {
  try {
    database ??= await open();
    return await work(database);
  } catch (error) {
    if (error.name !== 'InvalidStateError') throw error;
    database = await open();
    return work(database);
  }
}

const all = () => store((db) => db.getAllFromIndex('out', 'event', event));
const remove = (id) => store((db) => db.delete('out', id));
const keep = (record) => store(async (db) => {
  const act = db.transaction('out', 'readwrite', { durability: 'strict' });
  const id = await act.store.put(record);
  await act.done;
  return id;
});

/** A photograph as large as pages need it: a hall's network carries no more. */
async function smaller(file) {
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, PHOTO / Math.max(picture.width, picture.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => { canvas.toBlob(done, 'image/jpeg', 0.85); });
    return blob ?? file;
  } catch {
    return file;
  }
}

async function recordOf(form) {
  const fields = [];
  for (const [name, value] of new FormData(form)) {
    if (name === 'csrf_token' || name === 'idempotency_key') continue;
    if (typeof value === 'string') fields.push([name, name === 'said_at' ? new Date().toISOString() : value]);
    else if (value.size) fields.push([name, await smaller(value), value.name]);
  }
  return {
    event, fields, key: crypto.randomUUID(), url: form.getAttribute('action'), kind: form.dataset.outbox,
    who: localStorage.getItem(KEEP) ?? '',
  };
}

/** What a person recognises a record by. */
const said = (record) => {
  const field = (name) => record.fields.find(([one]) => one === name)?.[1];
  return field('text') || field('title') || field('alt') || word('photo');
};

function line(record, words, tone) {
  const item = document.createElement('li');
  item.className = 'capture-said capture-own';
  item.dataset.own = record.key;
  const text = Object.assign(document.createElement('p'), { className: 'capture-words', textContent: said(record) });
  text.dir = 'auto';
  const mark = Object.assign(document.createElement('p'), { className: `capture-mark is-${tone}`, textContent: words });
  item.append(text, mark);
  return item;
}

function show(record) {
  root.querySelector('[data-outbox-none]')?.remove();
  const known = list.querySelector(`[data-own="${record.key}"]`);
  if (!known) list.prepend(line(record, word('kept'), 'kept'));
}

function received(record, answer) {
  const mark = list.querySelector(`[data-own="${record.key}"] .capture-mark`);
  if (!mark) return;
  mark.className = 'capture-mark is-received';
  mark.textContent = word('received');
  if (answer.url && answer.code) {
    mark.append(' ', Object.assign(document.createElement('a'), { href: answer.url, textContent: answer.code }));
  }
}

function button(words, act) {
  const made = Object.assign(document.createElement('button'), { type: 'button', className: 'btn btn-outline-primary', textContent: words });
  made.addEventListener('click', act);
  return made;
}

function again(record) {
  const form = root.querySelector(`form[data-outbox="${record.kind}"]`);
  for (const [name, value] of record.fields) {
    const input = form.elements[name];
    if (input && typeof value === 'string' && name !== 'said_at') input.value = value;
  }
  remove(record.id).then(draw);
  (form.elements.text ?? form.elements.title ?? form.elements.alt)?.focus();
}

function refusedLine(record) {
  const item = line(record, `${word('tray')}: ${record.refused || word('refused')}`, 'refused');
  item.append(
    button(word('again'), () => again(record)),
    button(word('drop'), () => { if (window.confirm(word('drop_sure'))) remove(record.id).then(draw); }),
  );
  return item;
}

async function draw() {
  const records = await all();
  const waiting = records.filter((record) => !record.refused);
  const stuck = records.filter((record) => record.refused);
  waiting.forEach(show);
  for (const one of stuck) list.querySelector(`[data-own="${one.key}"]`)?.remove();
  tray.querySelector('ul').replaceChildren(...stuck.map(refusedLine));
  tray.hidden = !stuck.length;
  const words = trouble ? word(trouble) : '';
  state.hidden = !waiting.length && !words && state.dataset.used !== '1';
  if (waiting.length) state.dataset.used = '1';
  state.replaceChildren(waiting.length ? `${word('waiting')} ${waiting.length}. ${words}` : words || word('all'));
  if (trouble === 'signed_out') {
    state.append(' ', Object.assign(document.createElement('a'), { href: root.dataset.signIn, textContent: word('sign_in') }));
  }
}

class Halt extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/** A fresh token, and who is signed in; what is not ours (a hotel's welcome page) counts as no network. */
async function permission() {
  const answer = await fetch(root.dataset.keyUrl, { headers: { Accept: 'application/json' }, redirect: 'manual', cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) });
  if (answer.type === 'opaqueredirect') throw new Halt('signed_out');
  if (answer.status === 404 || answer.status === 403) throw new Halt('gone');
  if (!answer.ok || !answer.headers.get('Content-Type')?.includes('json')) throw new Halt('offline');
  const given = await answer.json();
  localStorage.setItem(KEEP, given.who);
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

async function send(record, given) {
  // Somebody else's line is theirs: under another name it could be received twice.
  if (record.who && record.who !== given.who) throw new Halt('other_person');
  const answer = await post(record, given.token);
  if (answer.type === 'opaqueredirect') throw new Halt('signed_out');
  const isOurs = answer.headers.get('Content-Type')?.includes('json');
  if (answer.ok && isOurs) {
    const told = await answer.json();
    await remove(record.id);
    received(record, told);
  } else if (REFUSED.has(answer.status)) {
    const told = isOurs ? await answer.json() : {};
    await keep({ ...record, refused: told.error || word('refused') });
  } else {
    throw new Halt('offline');
  }
}

async function sendAll() {
  const records = (await all()).filter((record) => !record.refused);
  if (!records.length) return;
  const given = await permission();
  for (const record of records) {
    await send(record, given);
    trouble = '';
    await draw();
  }
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

/** Empties what is said once; the table, the place and the theme stay for the next line. */
function begin(form) {
  for (const input of form.elements) {
    if (!input.name || input.type === 'hidden' || 'sticky' in input.dataset) continue;
    if (input.type === 'checkbox') input.checked = false;
    else if (input.type === 'radio') input.checked = input.defaultChecked;
    else if (input.tagName === 'SELECT') continue;
    else input.value = input.name === 'count' ? input.defaultValue : '';
  }
  form.elements.text?.focus();
}

function say(words) {
  state.hidden = false;
  state.textContent = words;
}

async function save(form) {
  const first = form.elements.text ?? form.elements.title;
  if (first && !first.value.trim()) {
    say(word('empty'));
    first.focus();
    return;
  }
  const record = await recordOf(form);
  record.id = await keep(record);
  show(record);
  if (form.dataset.outbox !== 'part') begin(form);
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

window.addEventListener('online', later);
document.addEventListener('visibilitychange', () => { if (!document.hidden) later(); });

/** After one visit with network the page opens without: a copy with nothing personal, and all it needs. */
async function keepCopy() {
  if (!('serviceWorker' in navigator) || 'isCopy' in root.dataset) return;
  const page = location.pathname;
  await navigator.serviceWorker.register(root.dataset.worker, { scope: page, updateViaCache: 'none' });
  const files = [...document.querySelectorAll('link[rel="stylesheet"], link[rel="icon"], script[src]')].map((one) => one.href || one.src);
  const symbols = document.querySelector('use')?.getAttribute('href').split('#')[0];
  const fonts = performance.getEntriesByType('resource').map((one) => one.name).filter((name) => name.includes('/fonts/'));
  const cache = await caches.open(`raccolta-${page}`);
  await cache.addAll([...new Set([...files, ...fonts, ...(symbols ? [symbols] : [])])]);
  const copy = await fetch(root.dataset.copy, { redirect: 'error' });
  if (copy.ok) await cache.put(page, copy);
}

navigator.storage?.persist?.();
draw().then(permission).catch(() => {}).then(later);
keepCopy().catch(() => {});
