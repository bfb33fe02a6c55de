// The PIN of whoever welcomes people: checked here, also without network, and slower with every wrong try.
import { button, h, icon, unknown } from './dom.js';
import { pinFits } from './seal.js';
import * as store from './store.js';
import { t } from './texts.js';

const FREE = 5;
const FIRST = 30_000;
const LONGEST = 900_000;

const clock = (wait) => `${Math.floor(wait / 60_000)}:${String(Math.ceil((wait % 60_000) / 1000)).padStart(2, '0')}`;

// On a disk that takes nothing more the tries are counted here: the file must come out just then.
let unwritten = null;

const tries = async () => unwritten ?? (await store.get('pin')) ?? {};

const count = (now) => store.put('pin', now).then(() => { unwritten = null; }, () => { unwritten = now; });

/** Milliseconds until the next try. A clock that was set back cannot lock the corner for longer than the longest. */
async function waiting() {
  const { until = 0 } = await tries();
  return Math.min(LONGEST, Math.max(0, until - Date.now()));
}

async function miss() {
  const { fails = 0 } = await tries();
  const over = fails + 1 - FREE;
  const until = over >= 0 ? Date.now() + Math.min(LONGEST, FIRST * 2 ** over) : 0;
  await count({ fails: fails + 1, until });
}

/** Asks for the PIN by large keys or the keyboard; `opened(pin)` when it is right. Title and lead are keys of words. */
export function pin(app, { title = 'pin_title', lead, opened, back }) {
  let typed = '';
  let busy = false;
  const dots = h('output', { class: 'pin-dots', 'aria-live': 'off' });
  const trouble = h('p', { class: 'field-error', role: 'alert' });
  const tell = (words) => trouble.replaceChildren(...(words ? [icon('it-warning-circle'), words] : []));
  const show = () => {
    dots.textContent = '\u25cf'.repeat(typed.length) || '\u00a0';
    dots.setAttribute('aria-label', `${t('pin_label')}: ${typed.length}`);
  };
  const add = (digit) => {
    if (busy || typed.length >= 12) return;
    typed += digit;
    tell('');
    show();
  };
  const remove = () => {
    typed = typed.slice(0, -1);
    show();
  };
  const open = async () => {
    if (busy || !typed) return;
    busy = true;
    const tried = typed;
    typed = '';
    show();
    const wait = await waiting();
    if (wait) tell(t('pin_wait', { time: clock(wait) }));
    // Counted before it is checked: reloading the page in between gains nothing.
    else {
      await miss();
      if (await pinFits(tried, app.device.pin)) {
        await count({ fails: 0, until: 0 });
        return opened(tried);
      }
      const next = await waiting();
      tell(next ? t('pin_wait', { time: clock(next) }) : t('pin_wrong'));
    }
    busy = false;
  };
  const keys = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (/^\d$/.test(event.key)) add(event.key);
    else if (event.key === 'Backspace') remove();
    else if (event.key === 'Enter' && event.target.tagName !== 'BUTTON') open();
    else return;
    event.preventDefault();
  };
  document.addEventListener('keydown', keys);
  app.cleanup = () => document.removeEventListener('keydown', keys);
  show();
  const id = unknown();
  const key = (digit) => h('button', { type: 'button', class: 'pin-key', onclick: () => add(digit) }, digit);
  return [h('h1', { tabindex: '-1', id }, t(title)), lead && h('p', { class: 'totem-lead' }, t(lead)), dots, trouble,
    h('div', { class: 'pin-pad', role: 'group', 'aria-labelledby': id, dir: 'ltr' }, [...'123456789'].map(key),
      h('button', { type: 'button', class: 'pin-key', 'aria-label': t('pin_delete'), onclick: remove }, '\u232b'), key('0'),
      h('button', { type: 'button', class: 'pin-key pin-open', onclick: open }, t('pin_open'))),
    back && h('div', { class: 'totem-foot' }, button(t('back'), back, { css: 'go-plain', sign: 'it-arrow-left' }))];
}
