// The corner of whoever welcomes people: how the tablet is, what still has to go, and the ways to get it there.
// It shows kinds, codes and hours, never a name: what people wrote is sealed.
import { button, h, icon } from './dom.js';
import * as lease from './lease.js';
import { line } from './net.js';
import { clockIsRight, rightTime, space } from './selftest.js';
import * as store from './store.js';
import { codeInTwo, hour, moment, number, t } from './texts.js';

const DAY = 86_400_000;

const NET = { ok: 'c_net_ok', off: 'c_net_off', portal: 'c_net_portal', revoked: 'c_net_revoked' };

async function facts(app) {
  const status = await app.outbox.status();
  const old = Date.now() - status.oldest > DAY;
  const oldest = Number.isFinite(status.oldest) && moment(status.oldest);
  const free = await space().catch(() => null);
  return { status, old, rows: [
    [t('c_queue'), number(status.waiting.length), status.waiting.length > 0 && line.state !== 'ok'],
    oldest && [t('c_oldest'), oldest, old],
    [t('c_sent'), number(status.sent)],
    [t('c_net'), t(NET[line.state]), line.state !== 'ok'],
    [t('c_sync'), line.at ? moment(line.at) : t('c_never')],
    [t('c_clock'), clockIsRight() ? t('c_clock_ok') : t('c_clock_off', { time: rightTime() }), !clockIsRight()],
    [t('c_keep'), t(await navigator.storage.persisted() ? 'yes' : 'no')],
    free !== null && [t('c_space'), `${number(Math.round(free / 1e6))} MB`],
    lease.free() > 0 && [t('c_lease'), number(lease.free())],
    [t('c_device'), `${app.device.name} (${app.device.prefix})`],
  ].filter(Boolean) };
}

/** Hands the file to the browser's own downloads. What it holds stays here as well. */
async function download(app) {
  const file = await app.outbox.file();
  const address = URL.createObjectURL(new Blob([JSON.stringify(file)], { type: 'application/json' }));
  const link = h('a', { href: address, download: `totem-${file.event}-${app.device.prefix}-${file.made_at.slice(0, 16).replace(/\D/g, '')}.json` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  app.exported = Math.max(0, ...file.records.map((one) => one.seq));
  // A full disk does not make the file less of a file.
  await store.put('exported', app.exported).catch(() => {});
}

const mayUnpair = async (app, { waiting, refused }) => {
  const exported = app.exported ?? (await store.get('exported')) ?? 0;
  return [...waiting, ...refused].every((one) => one.seq <= exported);
};

const trayLine = (record) => h('li', {}, h('strong', {}, t(`kind_${record.kind}`)), ' ',
  record.code && h('bdi', {}, codeInTwo(record.code)), ` ${hour(record.at)}`);

function tray({ review, refused }) {
  return h('section', { class: 'corner-tray' }, h('h2', {}, t('c_tray')),
    !review.length && !refused.length && h('p', {}, t('c_tray_none')),
    refused.length > 0 && [h('p', { class: 'corner-warn' }, icon('it-warning-circle'), t('c_tray_refused')), h('ul', {}, refused.map(trayLine))],
    review.length > 0 && [h('p', {}, t('c_tray_text')), h('ul', {}, review.map(trayLine))]);
}

async function unpair(app) {
  await lease.give().catch(() => {});
  app.leaving = true;
  await store.wipe();
  location.replace('/totem');
}

const warnings = (app, { old }) => [line.state === 'revoked' && t('c_revoked'), old && t('c_old'), app.outbox.locked && t('c_locked')]
  .filter(Boolean).map((words) => h('p', { class: 'corner-warn', role: 'alert' }, icon('it-warning-circle'), h('span', {}, words)));

function deeds(app, again, note) {
  const act = (work) => async () => {
    await work().catch(() => note(t('full_title')));
    await again();
  };
  return h('div', { class: 'corner-deeds' },
    line.state !== 'revoked' && button(t('c_send'), act(() => app.outbox.retry()), { css: 'go-main', sign: 'it-upload' }),
    button(t('c_export'), act(async () => { await download(app); note(t('c_exported')); }), { css: 'go-second', sign: 'it-download' }),
    button(t(app.pausedHere ? 'c_resume' : 'c_pause'), act(() => app.pause(!app.pausedHere)), { css: 'go-second', sign: app.pausedHere ? 'it-arrow-right' : 'it-minus-circle' }),
    button(t('c_test'), () => app.show('selftest', {}), { css: 'go-second', sign: 'it-tool' }));
}

function leaving(app, may, sure) {
  if (!may) return h('p', { class: 'field-hint' }, icon('it-info-circle'), ' ', t('c_unpair_no'));
  if (!sure) return button(t('c_unpair'), () => app.show('corner', { sure: true }), { css: 'go-plain', sign: 'it-link' });
  return h('div', { class: 'corner-warn' }, h('p', {}, t('c_unpair_sure')),
    button(t('c_unpair_yes'), () => unpair(app), { css: 'go-second', sign: 'it-delete' }));
}

/** Filled in once the store has answered, and again whenever the outbox changes. */
export function corner(app, { sure = false }) {
  const place = h('div', { class: 'corner' });
  const word = h('p', { class: 'corner-word', role: 'status' });
  const again = async () => {
    const found = await facts(app);
    const may = await mayUnpair(app, found.status);
    const focused = [...place.querySelectorAll('button')].indexOf(document.activeElement);
    place.replaceChildren(...warnings(app, found),
      h('dl', { class: 'corner-facts' }, found.rows.map(([name, value, warns]) =>
        h('div', { class: warns ? 'is-late' : null }, h('dt', {}, name), h('dd', {}, warns && icon('it-warning-circle'), ` ${value}`)))),
      deeds(app, again, (said) => { word.textContent = said; }),
      h('p', { class: 'field-hint' }, t('c_export_hint')), tray(found.status), leaving(app, may, sure));
    if (focused >= 0) place.querySelectorAll('button')[focused]?.focus();
  };
  app.outbox.addEventListener('change', again);
  app.cleanup = () => app.outbox.removeEventListener('change', again);
  again();
  return [h('h1', { tabindex: '-1' }, t('corner_title')), word, place,
    h('div', { class: 'totem-foot' }, button(t('close'), app.reset, { css: 'go-main', sign: 'it-close' }))];
}
