// The outbox: sealed and durably written first, then sent in order, then forgotten but for a nameless mark.
// Nothing is ever dropped here by itself; only the site's own final answer ends a record.
import * as lease from './lease.js';
import { call, fetchBundle, line, ping, Refused } from './net.js';
import { seal, symbols } from './seal.js';
import * as store from './store.js';

const VERSION = 3;
const BATCH = 20;
const BEAT = 30_000;
const LONGEST = 300_000;
const FRESH = 120_000;

const shape = (record) => ({ state: 'waiting', ...record });

export class Outbox extends EventTarget {
  constructor(app) {
    super();
    this.app = app;
    this.failures = 0;
    this.bound = 0;
    this.fetched = 0;
    this.running = null;
    this.again = false;
    this.locked = false;
    this.paused = false;
  }

  /** A short code that nobody got from this tablet: no other tablet of the meeting begins its codes like it. */
  async newCode() {
    const known = new Set((await store.records()).map((one) => one.code));
    for (;;) {
      const code = this.app.device.prefix + symbols(4);
      if (!known.has(code)) return code;
    }
  }

  /**
   * Seals and writes a record; answers when it is on the disk. Raises what the disk says when it is full.
   * `code` is what somebody showed; with `coded` the record gets a new one.
   */
  async save(kind, said, { code: shown = null, coded = false, people = 0 } = {}) {
    const { bundle } = this.app;
    const uuid = crypto.randomUUID();
    const code = coded ? await this.newCode() : shown;
    const payload = coded ? { ...said, code } : said;
    // While the site answers, it gives the places; a lease is for when it does not.
    const lent = people && line.state !== 'ok' ? lease.take(people) : null;
    const whole = kind === 'sign_up' ? { ...payload, lease_id: lent?.id ?? null } : payload;
    const sealed = await seal(bundle.seal, [uuid, bundle.event.code, kind], whole);
    const envelope = { v: VERSION, client_uuid: uuid, event: bundle.event.code, kind, seq: 0,
      created_at: new Date().toISOString(), clock_offset_ms: line.offset ?? 0, sealed };
    const record = shape({ client_uuid: uuid, kind, code, at: Date.now(), promised: lent !== null, envelope });
    const written = await store.addRecord(record, lent?.settings);
    lent?.done();
    this.changed();
    this.soon();
    return written;
  }

  /** Tells whoever shows the queue, and whoever waits for one record. */
  changed(records = []) {
    for (const record of records) this.dispatchEvent(new CustomEvent('result', { detail: record }));
    this.dispatchEvent(new Event('change'));
  }

  /** How things stand, for the corner and for the site. */
  async status() {
    const all = await store.records();
    const waiting = all.filter((one) => one.state === 'waiting');
    const refused = all.filter((one) => one.state === 'refused');
    return {
      waiting, refused, review: all.filter((one) => one.state === 'review'),
      sent: all.filter((one) => one.state === 'done' || one.state === 'review').length,
      oldest: [...waiting, ...refused].reduce((least, one) => Math.min(least, one.at), Infinity),
    };
  }

  /** What is left here once `leaving` have arrived. */
  async report(leaving) {
    const { waiting: all, refused } = await this.status();
    const waiting = all.filter(({ client_uuid: uuid }) => !leaving.some((one) => one.client_uuid === uuid));
    const oldest = Math.min(...[...waiting, ...refused].map(({ at }) => at));
    const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.()) ?? {};
    return { queue: waiting.length, refused: refused.length,
      oldest: Number.isFinite(oldest) ? new Date(oldest).toISOString() : null,
      persisted: (await navigator.storage?.persisted?.()) ?? false, free_bytes: Math.max(0, quota - usage),
      clock_offset_ms: line.offset ?? 0, application: this.app.version, paused: this.app.pausedHere };
  }

  /** Starts the beat; from now on every sign of a network sends. */
  start() {
    addEventListener('online', () => this.soon());
    addEventListener('offline', () => { if (line.state === 'ok') line.state = 'off'; });
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.soon(); });
    this.soon();
  }

  /** Sends now, and does not wait for the beat. A site that asked to wait is still given its time. */
  soon() {
    if (performance.now() >= this.bound) this.send();
  }

  /** Sends what was refused once more: after an update of the site, or when the file was brought, it knows them. */
  async retry() {
    const { refused } = await this.status();
    await this.settle(refused.map((one) => ({ ...one, state: 'waiting' })));
    this.bound = 0;
    return this.send();
  }

  plan(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), wait * (0.8 + Math.random() * 0.4));
  }

  /** Sends all there is, one tab at a time. Never raises. */
  send() {
    if (line.state === 'revoked' || this.app.leaving) return this.running;
    this.again = true;
    this.running ??= navigator.locks.request('totem-outbox', { ifAvailable: true }, (held) => this.turn(held))
      .catch(() => this.failed(null))
      .finally(() => { this.running = null; this.changed(); });
    return this.running;
  }

  async turn(held) {
    this.locked = !held;
    if (!held) return this.plan(3000);
    while (this.again) {
      this.again = false;
      if (line.state !== 'ok' && !(await ping())) return this.failed(null);
      const wait = await this.round();
      if (wait) return this.failed(wait);
    }
    this.failures = 0;
    this.plan(BEAT);
    // At the door nobody is promised a place: none are kept from the others there.
    if (this.app.device.mode !== 'door') await lease.refill(this.app.bundle.sign_up);
  }

  failed(wait) {
    this.failures += 1;
    const pause = wait ?? Math.min(LONGEST, BEAT * 2 ** (this.failures - 1));
    // Only a site that asked for time makes even a new record wait.
    this.bound = wait ? performance.now() + wait : 0;
    this.plan(pause);
  }

  /** Everything that waits, batch by batch; null, or how long to wait before the next try. */
  async round() {
    for (let alone = false; ;) {
      const all = (await this.status()).waiting;
      const batch = all.slice(0, alone ? 1 : BATCH);
      let answer;
      try {
        answer = await this.post(batch);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (line.state === 'revoked') return this.revoked();
        if (![400, 413, 422].includes(error.status) || !batch.length) return (error.retryAfter ?? 30) * 1000;
        // One of them cannot be read as a whole: find it, set it aside in sight, go on with the others.
        if (batch.length === 1) await this.settle([{ ...batch[0], state: 'refused', reason: error.body?.code ?? '' }]);
        alone = true;
        continue;
      }
      const held = await this.take(batch, answer.results ?? []);
      // What it says besides can be heard next time; what waits behind this batch goes on.
      await this.hear(answer).catch(() => {});
      if (held) return 30_000;
      if (all.length <= batch.length) return null;
    }
  }

  async post(batch) {
    const { data } = await call('POST', 'records', {
      records: batch.map((one) => one.envelope), report: await this.report(batch) });
    return data;
  }

  /** Ends what the site ended; true when something has to be sent again later. */
  async take(batch, results) {
    const answers = new Map(results.map((one) => [one.client_uuid, one]));
    const ended = batch.map((record) => endedBy(record, answers.get(record.client_uuid))).filter(Boolean);
    await this.settle(ended);
    return ended.length < batch.length;
  }

  async settle(records) {
    if (!records.length) return;
    const kept = records.map(({ answer, ...rest }) => rest);
    await store.putRecords(kept).catch((error) => {
      // No space for what stays of them: those that the site has go whole, so that the others can follow.
      if (kept.some(({ state }) => state !== 'done' && state !== 'review')) throw error;
      return store.dropRecords(kept);
    });
    this.changed(records);
  }

  async hear({ paused, lease: given, bundle_version: version, head_count: count }) {
    await store.put('clock', { offset: line.offset, at: line.at });
    await lease.heard(given);
    if (count !== undefined) this.app.headCount = count;
    const { bundle } = this.app;
    // The version says nothing of places taken: they are asked for again now and then.
    if (version !== bundle.version || performance.now() - this.fetched > FRESH) {
      this.fetched = performance.now();
      this.app.bundle = await fetchBundle(bundle);
      this.dispatchEvent(new Event('bundle'));
    }
    if (paused !== undefined && paused !== this.paused) {
      this.paused = paused;
      await store.put('held', paused);
      this.dispatchEvent(new Event('pause'));
    }
  }

  /** The site no longer knows this tablet: it sends nothing more and keeps everything. */
  async revoked() {
    await store.put('revoked', true);
    this.dispatchEvent(new Event('pause'));
    return LONGEST;
  }

  /** The sealed records that the site has not ended, as a file for the desk; its number of records. */
  async file() {
    const { waiting, refused } = await this.status();
    const { bundle, device } = this.app;
    return { format: 'lab-totem-1', event: bundle.event.code, device: device.id,
      made_at: new Date().toISOString(), records: [...waiting, ...refused].map((one) => one.envelope) };
  }
}

/** What stays of a record after the site's answer: nothing personal. Undefined while it is not final. */
function endedBy(record, answer) {
  if (!answer?.result || answer.status === 503) return undefined;
  const { client_uuid, kind, seq, at } = record;
  const result = { result: answer.result, place: answer.place, of: answer.of, number: answer.number,
    at: answer.at, people: answer.people, receipt: answer.receipt, reason: answer.reason };
  return { client_uuid, kind, seq, at, code: answer.code ?? record.code, result, answer,
    state: answer.result === 'needs_review' ? 'review' : 'done' };
}
