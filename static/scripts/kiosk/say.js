// Leaving an idea, asking the room, saying how it was, marking that one is here.
import { button, choices, field, h, step, stepper, submit } from './dom.js';
import { deliver } from './deliver.js';
import { foot } from './frame.js';
import { scanner } from './scan.js';
import { speech, t } from './texts.js';

const LONGEST = 2000;
const KEYS = { idea: ['idea_title', 'idea_send', 'idea_hint'], question: ['question_ask', 'question_send', null] };
const words = (text) => (text ?? '').trim();

export function say(app, { draft, error }) {
  const [title, send, hint] = KEYS[draft.kind];
  const done = () => {
    if (!words(draft.text)) return app.show('say', { draft, error: 'bad_words' });
    const common = { text: words(draft.text), name: words(draft.name), locale: speech.locale };
    return deliver(app, draft.kind, draft.kind === 'idea' ? { ...common, place_code: null } : common);
  };
  return [step(done,
    field(draft, 'text', { label: t(title), heading: true, hint: hint && t(hint), error, rows: 5, maxlength: LONGEST, autofocus: true }),
    field(draft, 'name', { label: `${t('said_name')} (${t('optional')})`, hint: t('said_name_hint'), autocapitalize: 'words', maxlength: 80 }),
    foot(app, [submit(t(send))], app.reset))];
}

/** One to five in words; why, only if one wants. */
export function how(app, { draft, error }) {
  const send = () => {
    if (!draft.stars) return app.show('how', { draft, error: 'bad_empty' });
    return deliver(app, 'how_it_was', { stars: draft.stars, text: words(draft.text), locale: speech.locale });
  };
  const options = [5, 4, 3, 2, 1].map((stars) => [stars, t(`how_${stars}`)]);
  return [step(send, choices(draft, 'stars', { legend: t('how_title'), options, error }),
    field(draft, 'text', { label: t('how_why'), rows: 3, maxlength: LONGEST }),
    foot(app, [submit(t('how_send'))], app.reset))];
}

/** What a scanned or typed text means: a ticket's address, a ticket's code; null when neither. */
export function understand(text, base) {
  const found = words(text);
  if (found.startsWith(base)) {
    const [rest] = found.slice(base.length).split(/[?#]/);
    if (!rest) return null;
    return /^[\w-]{22}$/.test(rest) ? { claim: rest } : { ticket: rest };
  }
  const code = found.normalize('NFKC').toUpperCase().replace(/[^0-9A-Z]/g, '');
  return /^[0-9A-Z]{4,12}$/.test(code) ? { code } : null;
}

export function arrive(app, { draft, error, scanning }) {
  const most = Math.max(1, app.bundle.sign_up.party_most);
  const send = (text) => {
    const meant = understand(text, app.bundle.ticket_base);
    if (!meant) return app.show('arrive', { draft, error: 'bad_code' });
    return deliver(app, 'check_in', { ...meant, people: draft.people ?? null }, { code: meant.code });
  };
  if (scanning) {
    return [h('h1', { tabindex: '-1' }, t('scan')), h('p', { class: 'totem-lead' }, t('scan_hint')),
      scanner(app, send, () => app.show('arrive', { draft, error: 'scan_no' })),
      foot(app, [], () => app.show('arrive', { draft }))];
  }
  return [step(() => send(draft.code),
    field(draft, 'code', { label: t('arrive_title'), heading: true, hint: t('arrive_hint'), error, autocapitalize: 'characters',
      maxlength: 200, dir: 'ltr', autofocus: true }),
    most > 1 && stepper(draft, 'people', { label: t('party_title'), less: t('party_less'), more: t('party_more'), most,
      all: t('party_all') }),
    foot(app, [submit(t('arrive_send')),
      button(t('scan'), () => app.show('arrive', { draft, scanning: true }), { css: 'go-second', sign: 'it-camera' })], app.reset))];
}
