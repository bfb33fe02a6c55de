// Talking with the site: a time limit, no cookie, and an answer counts only when it is the site's own.
import * as store from './store.js';

const WAIT = 15_000;

/** 'ok', 'off' (no network), 'portal' (a network that wants a sign-in first), 'revoked'. */
export const line = { state: 'off', at: null, offset: null };

let token = null;
export const useToken = (value) => { token = value; };

/** The site answered with a refusal. */
export class Refused extends Error {
  constructor(status, body, retryAfter) {
    super(`${status}`);
    Object.assign(this, { status, body, retryAfter });
  }
}

/** Milliseconds by which the site's clock is ahead of ours: the answer was made about half way. */
function measure(now, left, back) {
  const theirs = Date.parse(now);
  if (Number.isFinite(theirs)) line.offset = Math.round(theirs - (left + back) / 2);
}

function elsewhere() {
  line.state = 'portal';
  return new TypeError('not the site');
}

async function ask(method, path, body, headers) {
  const left = Date.now();
  const answer = await fetch(path, {
    method, headers: { Accept: 'application/json', ...headers }, body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(WAIT), cache: 'no-store', credentials: 'omit', redirect: 'manual',
  });
  const back = Date.now();
  // The site never sends this interface elsewhere: whoever does wants a sign-in first.
  if (answer.type === 'opaqueredirect') throw elsewhere();
  if (answer.status === 204 || answer.status === 304) return { answer, data: null };
  // A hotel's page says "200, welcome": what is not JSON did not come from the site.
  if (!/json/.test(answer.headers.get('Content-Type') ?? '')) {
    if (answer.status >= 500) throw new Refused(answer.status, {}, null);
    throw elsewhere();
  }
  const data = await answer.json();
  measure(data.now ?? answer.headers.get('Date'), left, back);
  return { answer, data };
}

/** Calls the tablet's interface. Raises Refused when the site says no, any other error when it is out of reach. */
export async function call(method, path, body, headers = {}, bearer = token) {
  const all = { ...(body && { 'Content-Type': 'application/json' }), ...(bearer && { Authorization: `Bearer ${bearer}` }), ...headers };
  let found;
  try {
    found = await ask(method, `/totem/api/${path}`, body, all);
  } catch (error) {
    if (!(error instanceof Refused) && line.state !== 'portal') line.state = 'off';
    throw error;
  }
  const { answer, data } = found;
  if (answer.status === 401 && bearer) line.state = 'revoked';
  if (!answer.ok && answer.status !== 304) {
    throw new Refused(answer.status, data, Number(answer.headers.get('Retry-After')) || null);
  }
  line.state = 'ok';
  line.at = Date.now();
  return { data, etag: answer.headers.get('ETag'), status: answer.status };
}

/** Whether the site itself answers. A portal's page, a proxy's error and silence are all "no". */
export async function ping() {
  // A network says nothing about whether this tablet may still send.
  const revoked = line.state === 'revoked';
  line.state = 'off';
  let ours = false;
  try {
    // Whoever answers here is not known yet: the token is not for them.
    const { data } = await call('GET', 'ping', null, {}, null);
    ours = data?.totem === 'lab';
    if (!ours) line.state = 'portal';
  } catch {
    // call() has noted what is wrong.
  }
  if (revoked) line.state = 'revoked';
  return ours;
}

/** Asks for the bundle, or hears that ours is the newest. Answers the one in use from now on. */
export async function fetchBundle(have, { keep = true } = {}) {
  const { data, etag } = await call('GET', 'bundle', null, have?.etag ? { 'If-None-Match': have.etag } : {});
  if (!data) return have;
  const bundle = { ...data, etag };
  if (keep) await store.put('bundle', bundle);
  return bundle;
}
