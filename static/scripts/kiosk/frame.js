// Around every screen: the sign that opens the corner, the meeting's name, and the languages.
import { button, emblem, h } from './dom.js';
import { speak, speech, t } from './texts.js';

const PRESS = 1500;

/** The sign: a long press, or a key, leads to the corner of whoever welcomes people. */
function sign(app) {
  let timer;
  const cancel = () => clearTimeout(timer);
  return h('button', { type: 'button', class: 'totem-sign', 'aria-label': t('corner'), id: 'totem-sign',
    onpointerdown: () => { timer = setTimeout(app.corner, PRESS); },
    onpointerup: cancel, onpointerleave: cancel, onpointercancel: cancel,
    oncontextmenu: (event) => event.preventDefault(),
    // A click without a pointer comes from the keyboard or a screen reader, where there is no long press.
    onclick: ({ detail }) => { if (detail === 0) app.corner(); },
  }, emblem());
}

function languages(app) {
  const { locales } = app.bundle;
  if (locales.length < 2) return null;
  return h('div', { class: 'totem-languages', role: 'group', 'aria-label': t('language') },
    locales.map(({ code, name, dir }) => h('button', { type: 'button', lang: code, dir, class: 'totem-language',
      'aria-pressed': String(code === speech.locale), onclick: () => { app.locale = code; app.again('language'); } }, name)));
}

/** Draws a screen: `screen(app, data)` answers its elements. What is read first: the heading or a field that asks
 * for it ('first'), the language that was just chosen ('language'), or what was read before ('none'). */
export function draw(app, focus = 'first') {
  speak(app.bundle, app.locale);
  app.cleanup?.();
  app.cleanup = null;
  const top = document.getElementById('totem-top');
  const main = document.getElementById('totem');
  // The first screen says the meeting's name itself, in larger letters.
  const title = app.name === 'attract' ? '' : app.bundle.event.title;
  top.replaceChildren(...[sign(app), h('p', { class: 'totem-event' }, title && h('bdi', {}, title)), languages(app)].filter(Boolean));
  main.replaceChildren(...app.screen(app, app.data).flat().filter(Boolean));
  main.className = `totem-main is-${app.name}`;
  document.title = `${main.querySelector('h1')?.textContent ?? t('app')} | ${app.bundle.event.title}`;
  if (focus === 'none') return;
  scrollTo(0, 0);
  const first = focus === 'language'
    ? top.querySelector('[aria-pressed="true"]')
    : main.querySelector('[aria-invalid="true"], .is-wrong input') ?? main.querySelector('[autofocus]') ?? main.querySelector('h1');
  first?.focus({ preventScroll: true });
}

/** The foot of a step: its buttons, and the way back. */
export const foot = (app, buttons, back) => h('div', { class: 'totem-foot' }, buttons,
  button(t('back'), back, { css: 'go-plain', sign: 'it-arrow-left' }));

/** The line of steps on which one walks: the thread, without words on the way. */
export function way(at, of) {
  if (of < 3) return null;
  return h('ol', { class: 'filo filo-card totem-way', 'aria-hidden': 'true' },
    Array.from({ length: of }, (_, stop) => h('li', { class: `filo-stop is-${stop < at ? 'done' : stop === at ? 'here' : 'next'}` },
      h('span', { class: 'filo-knot' }))));
}
