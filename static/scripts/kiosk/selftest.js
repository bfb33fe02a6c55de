// Is this tablet ready for an evening without network? Each point is tried, not assumed, and says what to do.
import { button, h, icon } from './dom.js';
import { line, ping } from './net.js';
import * as store from './store.js';
import { moment, t } from './texts.js';

const PATIENCE = 15_000;
const SKEW = 120_000;
const SPACE = 50_000_000;

const within = (promise, wait) => Promise.race([promise, new Promise((_ok, no) => { setTimeout(no, wait, new Error('late')); })]);

async function workerStands() {
  await within(navigator.serviceWorker.ready, PATIENCE);
  return Boolean(await caches.match('/totem', { ignoreVary: true }));
}

/** What the clock should say, in words: whoever sets it right needs that, not by how much it is wrong. */
export const rightTime = () => moment(Date.now() + (line.offset ?? 0));
export const clockIsRight = () => Math.abs(line.offset ?? 0) <= SKEW;

/** Free bytes, as far as the browser tells. */
export async function space() {
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  return quota - usage;
}

const yes = (promise) => Promise.resolve(promise).then(Boolean, () => false);

/** `[key, well, what to do, values for it]` for each point, words by their keys; points of `MUST` decide whether it
 * is ready at all. */
async function points(app) {
  const net = await ping();
  const stands = await yes(workerStands());
  const keeps = await yes(store.probe());
  const persisted = await yes(navigator.storage.persist().catch(() => false));
  const room = await space().catch(() => 0);
  return [
    ['test_worker', stands, 'test_worker_no'],
    ['test_bundle', await yes(store.get('bundle')) && Boolean(app.bundle), 'test_bundle_no'],
    ['test_write', keeps, 'test_write_no'],
    ['test_space', room > SPACE, 'test_space_no'],
    ['test_keep', persisted, 'test_keep_no'],
    ['test_clock', clockIsRight(), 'test_clock_no', { time: rightTime() }],
    ['test_net', net, line.state === 'portal' ? 'test_portal' : 'test_net_no'],
  ];
}

const MUST = new Set(['test_worker', 'test_bundle', 'test_write']);

function row([key, well, advice, values]) {
  const [tone, sign, word] = well ? ['green', 'it-check-circle', 'test_ok']
    : MUST.has(key) ? ['brick', 'it-close-circle', 'test_bad'] : ['amber', 'it-warning-circle', 'test_note'];
  return h('li', { class: `test-row tone-${tone}` }, icon(sign, 'test-icon'),
    h('div', {}, h('p', {}, h('strong', {}, t(key)), ': ', t(word)), !well && h('p', { class: 'test-advice' }, t(advice, values))));
}

export function selftest(app, { found }) {
  if (!found) {
    points(app).then((tried) => { if (app.name === 'selftest') app.show('selftest', { found: tried }); });
    return [h('h1', { tabindex: '-1' }, t('test_title')), h('p', { class: 'totem-lead', role: 'status' }, t('test_wait'))];
  }
  const bad = found.filter(([, well]) => !well).map(([key]) => key);
  const blocked = bad.some((key) => MUST.has(key));
  const [tone, sign, word] = blocked ? ['brick', 'it-close-circle', 'test_not']
    : bad.length ? ['amber', 'it-warning-circle', 'test_nearly'] : ['green', 'it-check-circle', 'test_ready'];
  const start = async () => {
    const well = await store.put('tested', Date.now()).then(() => true, () => false);
    // A new document would ask for the test again.
    if (well) app.reset();
    else app.home();
  };
  return [h('div', { class: `receipt tone-${tone}` }, icon(sign, 'receipt-icon'),
    h('div', {}, h('h1', { tabindex: '-1' }, t(word)), h('p', { class: 'receipt-text' }, app.device.name))),
  h('ul', { class: 'test-list' }, found.map(row)),
  h('div', { class: 'totem-foot' }, button(t('test_start'), start, { css: blocked ? 'go-second' : 'go-main', sign: 'it-arrow-right' }),
    button(t('c_test'), () => app.show('selftest', {}), { css: blocked ? 'go-main' : 'go-second', sign: 'it-restore' }))];
}
