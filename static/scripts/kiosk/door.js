// At the door, in the hands of whoever welcomes people: find, mark, let in. Works without network like all the rest.
import { button, field, h, icon, step, stepper, submit } from './dom.js';
import { foot } from './frame.js';
import { stay } from './idle.js';
import { line } from './net.js';
import { scanner } from './scan.js';
import { understand } from './say.js';
import { codeInTwo, hour, number, t } from './texts.js';

const SHOWN = 30;

/** What to say after a record was written, and what the site answered to it meanwhile. */
function told({ result }) {
  if (result?.result === 'already_in') return already(result.at);
  if (result?.result === 'arrived') return ['green', 'it-check-circle', t('door_marked')];
  if (result?.result === 'needs_review') return ['amber', 'it-warning-circle', t('door_look')];
  return ['amber', 'lab-tablet', t('saved')];
}

const already = (at) => ['blue', 'it-info-circle', t('door_already', { time: hour(at) })];

const saidOf = ([tone, sign, words], name, waits) => h('p', { class: `door-said tone-${tone}` }, icon(sign),
  h('span', {}, name && h('strong', {}, h('bdi', {}, name)), name && ': ', words,
    waits && h('strong', { class: 'door-waits' }, ` · ${t('door_waiting')}`)));

const lastOf = ({ last }) => last && saidOf(last.said, last.name, last.waits);

/** Writes a mark down; the site's answer, when it comes, is what `app.last` tells from then on. */
async function write(app, kind, payload, { name, ...more }) {
  try {
    const record = await app.outbox.save(kind, payload, more);
    app.last = { uuid: record.client_uuid, name, said: told(record) };
  } catch {
    app.last = { name, said: ['brick', 'it-close-circle', t('full_text')] };
    return false;
  }
  return true;
}

/** Marks somebody: `key` is the person's id, or what was scanned. Who is in already is told so, also without network. */
async function mark(app, key, said, { name, code, unknown, state }) {
  const at = app.people.marks[key]?.at;
  if (at) app.last = { name, said: already(at) };
  else if (await write(app, 'check_in', said, { name, code })) {
    if (unknown && line.state !== 'ok') app.last.said = ['amber', 'it-warning-circle', t('door_unknown')];
    await app.people.mark(key, said.people).catch(() => {});
  }
  // They are in all the same: whoever stands at the door may have to find them a chair.
  app.last.waits = state === 'waiting';
}

/** What the site answered to the last mark is what is told of it from then on. */
const hears = (app) => ({ detail }) => {
  if (app.last?.uuid !== detail.client_uuid) return;
  app.last = { ...app.last, name: detail.answer?.name || app.last.name, said: told(detail) };
};

function row(app, person) {
  const at = app.people.arrivedAt(person);
  const draft = { people: person.party_size };
  return h('li', { class: `door-row${at ? ' is-in' : ''}` },
    h('div', {}, h('p', { class: 'door-name' }, h('bdi', {}, person.name)),
      h('p', { class: 'door-more' }, h('bdi', {}, codeInTwo(person.code)), ' ', person.party_size > 1 && t('door_party', { n: number(person.party_size) }),
        person.state === 'waiting' && h('span', { class: 'door-waits' }, ` · ${t('door_waiting')}`))),
    at ? h('p', { class: 'door-in tone-blue' }, icon('it-check-circle'), t('door_already', { time: hour(at) }))
      : h('div', { class: 'door-do' }, person.party_size > 1 && stepper(draft, 'people',
        { label: t('party_title'), less: t('party_less'), more: t('party_more'), most: person.party_size }),
      button(t('door_mark'), () => mark(app, person.id, { registration_id: person.id, people: draft.people }, person).then(() => app.show('door', {})), { css: 'go-main', 'aria-label': `${t('door_mark')}: ${person.name}` })));
}

function list(app, text) {
  if (!app.people.people.length) return h('p', { class: 'totem-lead' }, t('door_empty'));
  if (!text.trim()) return h('p', { class: 'field-hint' }, t('door_type'));
  const found = app.people.search(text);
  if (!found.length) return h('p', { class: 'totem-lead' }, t('door_none'));
  return [h('ul', { class: 'door-list' }, found.slice(0, SHOWN).map((one) => row(app, one))),
    found.length > SHOWN && h('p', { class: 'field-hint' }, t('door_more'))];
}

/** Somebody's ticket: marked by the list when it is there, else as it is, for the site to know. */
async function scanned(app, text) {
  const meant = understand(text, app.bundle.ticket_base);
  if (!meant) {
    app.last = { said: ['brick', 'it-close-circle', t('bad_code')] };
    return undefined;
  }
  const person = await app.people.who(meant);
  if (!person) return mark(app, JSON.stringify(meant), meant, { name: meant.code ?? '', code: meant.code, unknown: true });
  const at = app.people.arrivedAt(person);
  if (at) {
    app.last = { name: person.name, said: already(at) };
    return undefined;
  }
  const people = person.party_size;
  return mark(app, person.id, meant.code ? { registration_id: person.id, people } : { ...meant, people }, person);
}

/** A queue with tickets: the camera stays open, and says of each what became of it. */
function scans(app) {
  const said = h('div', { class: 'door-scanned', role: 'status' });
  const tell = () => said.replaceChildren(...[lastOf(app)].filter(Boolean));
  const found = async (text) => {
    await scanned(app, text);
    stay();
    tell();
  };
  app.last = null;
  const video = scanner(app, found, () => app.show('door', { trouble: 'scan_no' }), { goesOn: true });
  const [stop, hear] = [app.cleanup, hears(app)];
  app.outbox.addEventListener('result', hear);
  app.outbox.addEventListener('change', tell);
  app.cleanup = () => {
    stop();
    app.outbox.removeEventListener('result', hear);
    app.outbox.removeEventListener('change', tell);
  };
  return [h('h1', { tabindex: '-1' }, t('scan')), said, video, foot(app, [], () => app.show('door', {}))];
}

export function door(app, { scanning, trouble }) {
  if (scanning) return scans(app);
  const results = h('div', { class: 'door-results', 'aria-live': 'polite' });
  const said = h('div', { role: 'status' });
  const count = h('p', { class: 'door-count' });
  const draft = {};
  const look = () => results.replaceChildren(...[list(app, draft.q ?? '')].flat().filter(Boolean));
  const refresh = () => app.people.refresh().then(look);
  const renew = async () => {
    const well = await refresh().then(() => true, () => false);
    app.last = { said: well ? ['green', 'it-check-circle', t('door_refreshed')] : ['amber', 'it-warning-circle', t('door_refreshed_no')] };
    show();
  };
  const show = async () => {
    if (!app.people.fresh && line.state === 'ok') {
      app.people.fresh = true;
      refresh().catch(() => {});
    }
    const { waiting } = await app.outbox.status();
    count.textContent = [app.headCount !== undefined && t('door_count', { n: number(app.headCount) }),
      waiting.length > 0 && t('door_unsent', { n: number(waiting.length) })].filter(Boolean).join(' · ');
    said.replaceChildren(...[app.bundle.event.cancelled && saidOf(['brick', 'it-close-circle', t('called_off')]), line.state === 'revoked' && saidOf(['brick', 'it-warning-circle', t('c_revoked')]),
      lastOf(app)].filter(Boolean));
  };
  const hear = hears(app);
  app.outbox.addEventListener('result', hear);
  app.outbox.addEventListener('change', show);
  app.cleanup = () => {
    app.outbox.removeEventListener('result', hear);
    app.outbox.removeEventListener('change', show);
  };
  const search = field(draft, 'q', { label: t('door_search'), error: trouble, autofocus: true, autocapitalize: 'words', enterkeyhint: 'search', maxlength: 80 });
  search.addEventListener('input', look);
  look();
  show();
  return [h('div', { class: 'door-head' }, h('h1', { tabindex: '-1' }, t('door_title')), count), said,
    step(look, search), results,
    h('div', { class: 'totem-foot' },
      button(t('scan'), () => app.show('door', { scanning: true }), { css: 'go-main', sign: 'it-camera' }),
      button(t('door_walk_in'), () => app.show('walk_in', { draft: { party_size: 1, name: draft.q } }), { css: 'go-second', sign: 'it-plus' }),
      button(t('door_refresh'), renew, { css: 'go-plain', sign: 'it-restore' }),
      button(t('corner_title'), () => app.show('corner', {}), { css: 'go-plain', sign: 'it-settings' }),
      button(t('door_lock'), app.reset, { css: 'go-plain', sign: 'it-locked' }))];
}

/** Somebody without a sign-up: a name is enough. */
export function walkIn(app, { draft, error }) {
  const name = () => (draft.name ?? '').trim();
  const send = async () => {
    if (!name()) return app.show('walk_in', { draft, error: 'bad_name' });
    const payload = { name: name(), party_size: draft.party_size, override_reason: (draft.reason ?? '').trim(), arrived: true };
    const well = await write(app, 'walk_in', payload, { name: name(), coded: true });
    return app.show(well ? 'door' : 'full', well ? {} : { retry: send });
  };
  return [step(send,
    field(draft, 'name', { label: t('door_who'), heading: true, hint: t('name_hint'), error, autocapitalize: 'words', maxlength: 80, autofocus: true }),
    stepper(draft, 'party_size', { label: t('party_title'), less: t('party_less'), more: t('party_more'), most: 20 }),
    field(draft, 'reason', { label: t('door_reason'), hint: t('door_reason_hint'), maxlength: 200 }),
    foot(app, [submit(t('door_walk_in_do'))], () => app.show('door', {})))];
}
