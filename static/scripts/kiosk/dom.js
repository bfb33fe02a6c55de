// Makes elements. Words become text and nothing else: there is no way from here into HTML.
import { t } from './texts.js';

const SVG = 'http://www.w3.org/2000/svg';

/** `h('button', { class: 'big', onclick }, 'Go', icon('check'))`; false, null and undefined are left out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked') element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child || child === 0));
  return element;
}

export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const asset = (name) => document.body.dataset[name];

export const icon = (name, css = '') =>
  svg('svg', { class: `icon ${name.includes('arrow') ? 'is-turning ' : ''}${css}`, 'aria-hidden': 'true' }, svg('use', { href: `${asset('icons')}#${name}` }));

export const emblem = () =>
  svg('svg', { class: 'emblem', viewBox: '0 0 48 48', 'aria-hidden': 'true' },
    svg('use', { href: `${asset('icons')}#lab-emblem` }));

export const plan = () =>
  svg('svg', { class: 'totem-plan', viewBox: '0 0 1000 1000', 'aria-hidden': 'true' },
    svg('use', { href: `${asset('plan')}#plan` }));

/** No browser may recognise a field and offer what the person before wrote. */
export const unknown = () => `f${crypto.randomUUID().slice(0, 8)}`;

const GUARDED = { autocomplete: 'off', autocorrect: 'off', spellcheck: 'false', 'data-lpignore': 'true',
  'data-1p-ignore': true, 'data-form-type': 'other' };

/** What is wrong with a field: the key of its words, so that they follow the language. */
const wrong = (id, error) => error && h('p', { class: 'field-error', id: `${id}-e` }, icon('it-warning-circle'), t(error));

/** A labelled text field; `draft[key]` follows what is typed. Errors and hints are read with it. */
export function field(draft, key, { label, hint, error, rows, heading, ...attributes }) {
  const id = unknown();
  const described = [hint && `${id}-h`, error && `${id}-e`].filter(Boolean).join(' ');
  const input = h(rows ? 'textarea' : 'input', {
    ...GUARDED, id, name: unknown(), class: 'field-input', autocapitalize: 'sentences', dir: 'auto',
    type: rows ? null : 'text', rows, value: draft[key] ?? '',
    'aria-describedby': described || null, 'aria-invalid': error ? 'true' : null, ...attributes,
    oninput: () => { draft[key] = input.value; },
  });
  const words = h('label', { for: id, class: heading ? null : 'field-label' }, label);
  return h('div', { class: `field${error ? ' is-wrong' : ''}` },
    heading ? h('h1', { tabindex: '-1' }, words) : words,
    hint && h('p', { class: 'field-hint', id: `${id}-h` }, hint), input, wrong(id, error));
}

/** Large answers to touch; one or several. `options` are `[value, label]`. */
export function choices(draft, key, { legend, options, many, error, heading = true, hint }) {
  const id = unknown();
  const name = unknown();
  const chosen = () => (many ? draft[key] ?? [] : [draft[key]]);
  const rows = options.map(([value, label]) => h('label', { class: 'choice' },
    h('input', { type: many ? 'checkbox' : 'radio', name, autocomplete: 'off', checked: chosen().includes(value),
      onchange: ({ target }) => {
        const others = chosen().filter((one) => one !== value);
        draft[key] = many ? (target.checked ? [...others, value] : others) : value;
      } }), h('bdi', {}, label)));
  return h('fieldset', { class: `choices${error ? ' is-wrong' : ''}`, 'aria-describedby': error ? `${id}-e` : null },
    h('legend', {}, heading ? h('h1', { tabindex: '-1' }, legend) : legend),
    hint && h('p', { class: 'field-hint' }, hint),
    h('div', { class: 'choice-list' }, rows), wrong(id, error));
}

/** A number between one and `most`, by two large buttons; with `all`, that word stands below one and says null. */
export function stepper(draft, key, { label, less, more, most, all }) {
  const id = unknown();
  const least = all ? 0 : 1;
  const said = () => draft[key] ?? least;
  const words = () => (said() ? String(said()) : all);
  const shown = h('output', { class: 'stepper-value', 'aria-live': 'polite' }, words());
  const by = (step) => () => {
    draft[key] = Math.min(most, Math.max(least, said() + step)) || null;
    shown.textContent = words();
  };
  return h('div', { class: 'stepper', role: 'group', 'aria-labelledby': id },
    h('p', { class: 'field-label', id }, label),
    h('div', { class: 'stepper-row' },
      h('button', { type: 'button', class: 'round', 'aria-label': less, onclick: by(-1) }, '\u2212'), shown,
      h('button', { type: 'button', class: 'round', 'aria-label': more, onclick: by(1) }, '+')));
}

export const button = (label, onclick, { css = '', sign, ...more } = {}) =>
  h('button', { type: 'button', class: `go ${css}`, onclick, ...more }, sign && icon(sign), h('span', {}, label));

/** A step of a form: Enter sends it like its first button, and nothing leaves the page. */
export const step = (onsubmit, ...children) =>
  h('form', { novalidate: true, autocomplete: 'off', class: 'step',
    onsubmit: (event) => { event.preventDefault(); onsubmit(); } }, ...children);

export const submit = (label, css = 'go-main', sign = null) =>
  h('button', { type: 'submit', class: `go ${css}` }, sign && icon(sign), h('span', {}, label));
