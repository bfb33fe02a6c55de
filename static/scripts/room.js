// Keeps the wall, the phones in the hall and the remote control fresh. A stream says when something changed;
// where streams do not get through, the page asks by itself. What somebody is typing is never redrawn.
const box = document.querySelector('[data-live]');

let beat = box?.dataset.beat;
let wait = 0;
let drawing = false;
let asked;
// The neighbourhood's clock, whatever the laptop under the projector believes.
let ahead = 0;
let zone;
const away = document.querySelector('[data-away]');
const told = (isAway) => { if (away) away.hidden = !isAway; };

const busy = () => box.dataset.careful !== undefined && box.contains(document.activeElement)
  && document.activeElement.matches('input, textarea, select');

async function draw(next) {
  asked = next;
  if (drawing || next === beat || busy()) return;
  drawing = true;
  try {
    const answer = await fetch(box.dataset.live, { cache: 'no-store', credentials: 'same-origin' });
    if (!answer.ok || answer.redirected) return;
    const markup = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const fresh = markup.querySelector('[data-mark]');
    if (!fresh) return;
    // The same button keeps the finger or the keyboard that was on it.
    const held = document.activeElement?.closest('[id]')?.id;
    box.replaceChildren(fresh);
    beat = fresh.dataset.mark || next;
    heed(fresh);
    fit();
    invite(fresh.dataset.askAt);
    if (held && !document.activeElement?.closest(`#${CSS.escape(held)}`)) document.getElementById(held)?.focus?.({ preventScroll: true });
    tick();
  } finally {
    drawing = false;
  }
  // It changed again while this was fetched.
  if (asked !== next) await draw(asked);
}

/** Who waited for the room to open can ask as soon as it does; who is writing goes on when it closes. */
function invite(address) {
  const form = document.querySelector('.room-ask');
  if (form) form.hidden = !address && !form.querySelector('textarea').value;
  else if (address) location.replace(address);
}

async function ask() {
  try {
    const answer = await fetch(box.dataset.pulse, { cache: 'no-store', signal: AbortSignal.timeout(8000) });
    if (answer.status === 429 || answer.status === 503) throw new Error('later');
    if (answer.ok) await draw((await answer.json()).beat);
    told(false);
    wait = 0;
  } catch {
    told(true);
    wait = Math.min(wait * 2 || 4000, 30000);
  }
}

// Phones do not all ask in the same moment.
function poll(every) {
  const next = async () => {
    if (!document.hidden) await ask();
    setTimeout(next, (wait || every) * (0.8 + Math.random() * 0.4));
  };
  setTimeout(next, every);
}

function listen() {
  const stream = new EventSource(box.dataset.stream);
  let until = Date.now() + 10000;
  stream.onmessage = (message) => { until = Date.now() + 45000; told(false); draw(message.data); };
  stream.onerror = () => {
    // Closed for good (no room for one more): ask instead. Else it opens again.
    if (stream.readyState === EventSource.CLOSED) instead();
    else ask();
  };
  const instead = () => { clearInterval(watch); stream.close(); poll(3000); };
  // Every stream speaks as it opens, and none lasts half a minute: silence is something on the way that keeps it.
  const watch = setInterval(() => { if (Date.now() > until) instead(); }, 2000);
}

function heed(drawn) {
  if (!drawn?.dataset.now) return;
  ahead = new Date(drawn.dataset.now) - Date.now();
  zone = drawn.dataset.zone;
}

// What is on the wall is seen whole: large where there is little of it, smaller where there is much.
function fit() {
  const stage = box.querySelector('.room-stage');
  if (!stage) return;
  const most = stage.querySelector('.room-questions, .room-agenda, .poll-bars') ? 1.35 : 1;
  const questions = [...stage.querySelectorAll('.room-questions li')];
  const more = stage.querySelector('[data-more]');
  for (const one of questions) one.hidden = false;
  if (more) more.hidden = true;
  const fits = () => stage.scrollHeight <= stage.clientHeight + 1;
  for (let part = most; part >= (questions.length ? 0.8 : 0.5); part -= 0.05) {
    stage.style.setProperty('--fit', part.toFixed(2));
    if (fits()) return;
  }
  // Those with the fewest hands wait on the phones rather than be too small for the last row of chairs; who asked
  // reads that they are there.
  if (more) more.hidden = false;
  while (questions.length > 1 && !fits()) questions.pop().hidden = true;
}

function tick() {
  const now = new Date(Date.now() + ahead);
  for (const clock of document.querySelectorAll('[data-clock]')) {
    clock.textContent = now.toLocaleTimeString(document.documentElement.lang, { hour: 'numeric', minute: '2-digit', hourCycle: 'h23', timeZone: zone });
  }
  for (const left of document.querySelectorAll('[data-until]')) {
    const minutes = Math.ceil((new Date(left.dataset.until) - now) / 60000);
    left.textContent = minutes > 0 ? left.dataset.left.replace('{n}', minutes) : left.dataset.over;
    left.classList.toggle('is-late', minutes <= 0);
  }
}

// An answer to a poll or a raised hand brings the page anew: what is being typed elsewhere on it comes along.
const KEPT = 'sala';
const lines = (form) => [...document.querySelectorAll('form :is(textarea, input[type="text"])')].filter((one) => one.form !== form);

document.addEventListener('submit', ({ target }) => {
  const typed = lines(target).filter((one) => one.value !== one.defaultValue);
  if (typed.length) sessionStorage.setItem(KEPT, JSON.stringify(typed.map((one) => [one.form.getAttribute('action'), one.name, one.value])));
});

function goOn() {
  const typed = JSON.parse(sessionStorage.getItem(KEPT) ?? '[]');
  sessionStorage.removeItem(KEPT);
  for (const [action, name, value] of typed) {
    const field = lines(null).find((one) => one.name === name && one.form.getAttribute('action') === action);
    if (!field || field.value !== field.defaultValue) continue;
    field.value = value;
    field.closest('details')?.setAttribute('open', '');
  }
}

if (box) {
  heed(box.querySelector('[data-now]'));
  fit();
  document.fonts?.ready.then(fit);
  window.addEventListener('resize', fit);
  tick();
  setInterval(tick, 10000);
  if (box.dataset.stream && 'EventSource' in window) listen();
  else poll(4000);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) ask(); });
  goOn();
}
