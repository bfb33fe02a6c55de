// Signing up: two taps and a name. What is more than a name is asked one thing a screen, and only if one wants.
import { button, choices, field, h, step, stepper, submit } from './dom.js';
import { foot, way } from './frame.js';
import { claim } from './seal.js';
import { deliver } from './deliver.js';
import { number, speech, t } from './texts.js';

const NAME = 80;
const letters = (text) => (text ?? '').trim();

const options = (question) => (question.options ?? []).map((one) => [one, one]);

function asked(question, draft, error) {
  const all = { heading: true, error };
  const key = String(question.id);
  const label = question.label;
  if (question.kind === 'one') return choices(draft.answers, key, { ...all, legend: label, options: options(question) });
  if (question.kind === 'many') return choices(draft.answers, key, { ...all, legend: label, options: options(question), many: true });
  if (question.kind === 'yes_no') {
    return choices(draft.answers, key, { ...all, legend: label, options: [[true, t('yes')], [false, t('no')]] });
  }
  const numeric = question.kind === 'number';
  return field(draft.answers, key, { ...all, label, autofocus: true, maxlength: numeric ? 6 : 300,
    inputmode: numeric ? 'numeric' : null, rows: numeric ? null : 3 });
}

function wrongAnswer(question, value) {
  const empty = value === undefined || value === null || value === '' || (Array.isArray(value) && !value.length);
  if (empty) return question.is_required ? 'bad_empty' : null;
  return question.kind === 'number' && !/^\d{1,6}$/.test(String(value).trim()) ? 'bad_number' : null;
}

const consent = (bundle) => h('p', { class: 'totem-consent', dir: 'auto' },
  bundle.consent[speech.locale] ?? Object.values(bundle.consent)[0]);

/** The screens for this meeting and this person: each draws itself and says what is wrong with it. */
function steps({ bundle }, draft) {
  const offer = bundle.sign_up;
  const found = [{ name: 'name', draw: nameScreen, check: () => ({ name: letters(draft.name) ? null : 'bad_name' }) }];
  if (offer.groups?.length) found.push({ name: 'group', draw: groupScreen, check: () => ({}) });
  if (draft.more) {
    found.push({ name: 'contact', draw: contactScreen, check: () => checkContact(draft) });
    if (offer.asks?.length) found.push({ name: 'needs', draw: needsScreen, check: () => ({}) });
  }
  for (const question of offer.questions ?? []) {
    if (!question.is_required && !draft.more) continue;
    found.push({ name: `q${question.id}`, draw: (app, data, errors) => [asked(question, data, errors.answer)],
      check: () => ({ answer: wrongAnswer(question, draft.answers[question.id]) }) });
  }
  if (found.length > 1) found.push({ name: 'summary', draw: summaryScreen, check: () => ({}), sends: true });
  else found[0].sends = true;
  return found;
}

function checkContact({ email, phone }) {
  return { email: !letters(email) || /^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/.test(letters(email)) ? null : 'bad_email',
    phone: !letters(phone) || letters(phone).replace(/\D/g, '').length >= 6 ? null : 'bad_phone' };
}

function nameScreen({ bundle }, draft, errors) {
  const most = bundle.sign_up.party_most;
  return [field(draft, 'name', { label: t('name_title'), heading: true, hint: t('name_hint'), error: errors.name,
    autocapitalize: 'words', maxlength: NAME, autofocus: true, enterkeyhint: 'go' }),
  most > 1 && stepper(draft, 'party_size', { label: t('party_title'), less: t('party_less'), more: t('party_more'), most })];
}

function groupScreen({ bundle }, draft) {
  draft.group_id ??= null;
  return [choices(draft, 'group_id', { legend: t('group_title'),
    options: [...bundle.sign_up.groups.map(({ id, name }) => [id, name]), [null, t('group_none')]] })];
}

const contactScreen = (_app, draft, errors) => [
  h('h1', { tabindex: '-1' }, t('contact_title')), h('p', { class: 'totem-lead' }, t('contact_why')),
  field(draft, 'email', { label: t('email_label'), error: errors.email, inputmode: 'email', autocapitalize: 'none', maxlength: 254, dir: 'ltr' }),
  field(draft, 'phone', { label: t('phone_label'), error: errors.phone, inputmode: 'tel', maxlength: 32, dir: 'ltr' })];

const needsScreen = ({ bundle }, draft) => [
  choices(draft, 'needs', { legend: t('needs_title'), many: true, options: bundle.sign_up.asks.map((code) => [code, t(`need_${code}`)]) }),
  field(draft, 'needs_note', { label: t('needs_note'), maxlength: 300 })];

function summaryScreen(app, draft) {
  const offer = app.bundle.sign_up;
  const all = steps(app, draft);
  const say = (value) => (Array.isArray(value) ? value.join(', ') : value === true ? t('yes') : value === false ? t('no') : value);
  const rows = [['name', t('name_label'), letters(draft.name)],
    offer.party_most > 1 && ['name', t('party_title'), number(draft.party_size)],
    draft.group_id && ['group', t('group_title'), offer.groups.find(({ id }) => id === draft.group_id)?.name],
    ['contact', t('contact_title'), [letters(draft.email), letters(draft.phone)].filter(Boolean).join(', ')],
    ['needs', t('needs_title'), [...(draft.needs ?? []).map((code) => t(`need_${code}`)), letters(draft.needs_note)].filter(Boolean).join(', ')],
    ...(offer.questions ?? []).map((one) => [`q${one.id}`, one.label, say(draft.answers[one.id])])];
  return [h('h1', { tabindex: '-1' }, t('summary_title')),
    h('dl', { class: 'totem-summary' }, rows.filter((row) => row && (row[2] || row[2] === 0)).map(([name, label, value]) =>
      h('div', {}, h('dt', {}, label), h('dd', {}, h('bdi', {}, value)),
        h('dd', {}, button(t('change'), () => { draft.step = all.findIndex((one) => one.name === name); app.again(); },
          { css: 'go-plain', 'aria-label': `${t('change')}: ${label}` })))))];
}

/** Only what was answered, in the shape each kind of question has. */
function answers(questions, given) {
  const found = {};
  for (const { id, kind } of questions ?? []) {
    const value = given[id];
    if (value === undefined || value === '' || (Array.isArray(value) && !value.length)) continue;
    found[id] = kind === 'number' ? Number(value) : typeof value === 'string' ? value.trim() : value;
  }
  return found;
}

function send(app, draft) {
  const { bundle } = app;
  const secret = claim();
  const payload = { name: letters(draft.name), email: letters(draft.email), phone: letters(draft.phone),
    party_size: draft.party_size, group_id: draft.group_id ?? null, needs: draft.needs ?? [],
    needs_note: letters(draft.needs_note), answers: answers(bundle.sign_up.questions, draft.answers),
    locale: speech.locale, consent: true, consent_version: bundle.sign_up.consent_version, claim: secret };
  return deliver(app, 'sign_up', payload, { coded: true, people: draft.party_size, ticket: secret });
}

export function signUp(app, { draft, errors = {} }) {
  const all = steps(app, draft);
  draft.step = Math.min(draft.step, all.length - 1);
  const here = all[draft.step];
  const forward = (more) => {
    const wrong = Object.fromEntries(Object.entries(here.check()).filter(([, words]) => words));
    if (Object.keys(wrong).length) return app.show('sign_up', { draft, errors: wrong });
    if (here.sends && !more) return send(app, draft);
    if (more) draft.more = true;
    // From the summary "more" leads to the first of the new screens, not past it.
    draft.step = more && here.name === 'summary' ? steps(app, draft).findIndex((one) => one.name === 'contact') : draft.step + 1;
    return app.show('sign_up', { draft });
  };
  const back = () => {
    if (!draft.step) return app.reset();
    draft.step -= 1;
    return app.show('sign_up', { draft });
  };
  const extra = t(app.bundle.sign_up.asks?.length ? 'more' : 'more_short');
  return [step(() => forward(false),
    way(draft.step, all.length),
    ...here.draw(app, draft, errors),
    here.sends && consent(app.bundle),
    foot(app, [submit(t(here.sends ? 'send_sign_up' : 'next')),
      here.sends && !draft.more && button(extra, () => forward(true), { css: 'go-second', sign: 'it-plus' })], back))];
}
