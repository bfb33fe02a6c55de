// Whoever walks away leaves nothing behind: after a quiet while the page asks, counts down, and begins anew.
import { button, h } from './dom.js';
import { t } from './texts.js';

const COUNT = 10;

let limit = 0;
let touched = performance.now();
let leave = () => {};
let dialog = null;
let tick = null;
let touch = null;
let unhurried = false;

function note({ type, key }) {
  if (type === 'keydown' && (key === 'Tab' || key === 'Enter')) unhurried = true;
  if (dialog) {
    // Whoever goes on writing is still here, and the letter goes where they were writing.
    if (type === 'keydown' && key.length === 1 && document.activeElement !== dialog.lastChild) stay();
    return;
  }
  touched = performance.now();
  if (!touch) return;
  const first = touch;
  touch = null;
  first();
}

/** Whether this person uses keys, or a reader that presses for them: they get more time. */
export const needsTime = () => unhurried;

/** Counts from now: `seconds` of quiet, the last ten of them counted down in sight. 0 stops.
 * With `ontouch` nothing is counted in sight; a first touch calls it. */
export function watch(seconds, onleave, ontouch = null) {
  touch = ontouch;
  limit = seconds * 1000;
  leave = onleave;
  touched = performance.now();
  close();
}

export const stay = () => {
  touched = performance.now();
  close();
};

function close() {
  // Closed first: that gives the focus back.
  dialog?.close();
  dialog?.remove();
  dialog = null;
}

function ask() {
  const number = h('p', { class: 'idle-count', 'aria-hidden': 'true' });
  dialog = h('dialog', { class: 'idle', 'aria-labelledby': 'idle-title', 'aria-describedby': 'idle-text' },
    h('h2', { id: 'idle-title' }, t('idle_title')), h('p', { id: 'idle-text' }, t('idle_text')), number,
    button(t('idle_stay'), stay, { css: 'go-main', autofocus: true }), button(t('idle_leave'), () => leave(), { css: 'go-plain' }));
  dialog.addEventListener('cancel', (event) => { event.preventDefault(); stay(); });
  dialog.addEventListener('click', (event) => { if (event.target === dialog) stay(); });
  document.body.append(dialog);
  dialog.showModal();
}

function look() {
  if (!limit) return;
  const left = limit - (performance.now() - touched);
  if (left <= 0) {
    limit = 0;
    leave();
  } else if (left <= COUNT * 1000 && !touch) {
    if (!dialog) ask();
    dialog.querySelector('.idle-count').textContent = String(Math.ceil(left / 1000));
  }
}

export function start() {
  for (const kind of ['pointerdown', 'keydown', 'input', 'wheel', 'touchmove']) {
    addEventListener(kind, note, { passive: true, capture: true });
  }
  addEventListener('click', ({ detail }) => { if (detail === 0) unhurried = true; }, { capture: true });
  tick ??= setInterval(look, 250);
}
