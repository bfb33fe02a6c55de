// Places lent to this tablet: without network it may promise only these, and only while they are its own.
import { call, line, Refused } from './net.js';
import * as store from './store.js';

const SEATS = 4;
const PAUSE = 60_000;
// The site lends no more than this in one lease; a fuller one is given back before the next.
const MOST = 50;

let lease = null;
let asked = -Infinity;

/** Milliseconds left, by the more careful of two clocks: a wall clock can be set, the other can stand still. */
function left() {
  if (!lease) return 0;
  const run = performance.now() - lease.started;
  const wall = Date.now() - lease.marked;
  return wall < -1000 ? 0 : lease.left - Math.max(run, wall);
}

const kept = () => lease && { id: lease.id, seats: lease.seats, used: lease.used, left: left(), marked: Date.now() };

/** Takes up what the last document left. A clock that ran backwards meanwhile ends the promise. */
export async function restore() {
  const found = await store.get('lease');
  if (found) lease = { ...found, started: performance.now() };
}

/** Writes down how much time is left, so that a new document goes on from here. */
export const mark = () => (lease ? store.put('lease', kept()) : undefined);

export const free = () => (left() > 0 ? lease.seats - lease.used : 0);

/** A lease that holds this party, with the settings to be written together with the record; or null. */
export function take(people) {
  if (free() < people) return null;
  const id = lease.id;
  return { id, settings: { lease: { ...kept(), used: lease.used + people } }, done: () => { lease.used += people; } };
}

function adopt(given) {
  if (!given) {
    lease = null;
    return store.put('lease', null);
  }
  // Ours may be ahead of the site's: what was promised meanwhile is still on its way.
  const used = Math.max(given.used ?? 0, lease?.id === given.id ? lease.used : 0);
  const now = Date.now() + (line.offset ?? 0);
  lease = { id: given.id, seats: given.seats, used, left: Date.parse(given.expires_at) - now,
    marked: Date.now(), started: performance.now() };
  return mark();
}

/** What the site says of the lease with each answer. Records that are still here keep their places. */
export async function heard(given) {
  if (given === undefined) return;
  if (given === null && !lease) return;
  await adopt(given);
}

/** Asks for a few places while there is network and some are free. Being refused is no trouble. */
export async function refill(signUp) {
  const wanted = signUp.is_offered && signUp.capacity !== null && signUp.taken < signUp.capacity;
  if (!wanted || line.state !== 'ok' || performance.now() - asked < PAUSE) return;
  if (free() >= 2 && left() > 600_000) return;
  asked = performance.now();
  try {
    if (lease && lease.used + SEATS > MOST) await give();
    // The number is that of all places under the lease: those already promised stay in it.
    const { data } = await call('POST', 'lease', { seats: (lease?.used ?? 0) + SEATS });
    await adopt(data.lease);
  } catch (error) {
    if (!(error instanceof Refused)) return;
    if (error.status === 409) await adopt(null);
  }
}

/** Gives the places back. */
export async function give() {
  if (!lease) return;
  await call('DELETE', 'lease', { used: lease.used });
  await adopt(null);
}
