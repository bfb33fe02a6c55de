// Pairing: a code from the desk makes this browser a tablet of one meeting. The words are the page's own:
// those of the bundle come only with it.
import { call, fetchBundle, line, Refused, useToken } from './net.js';
import * as store from './store.js';

const words = (key) => document.getElementById('totem-words').content.querySelector(`[data-key="${key}"]`).textContent;

// What the network does ends in other errors; these are what the browser's store says.
const ofStore = (error) => error instanceof DOMException && !['TimeoutError', 'AbortError'].includes(error.name);

function reason(error) {
  if (error instanceof Refused && error.status === 404) return 'unknown_code';
  if (error instanceof Refused && error.status === 429) return 'too_many';
  if (error instanceof Refused) return 'trouble';
  return line.state === 'portal' ? 'portal' : 'no_network';
}

/** Whether what still waits here may go with a device of this meeting: records of one cannot be sent for another. */
async function mayChange(before, after) {
  if (!before || before.event.code === after.event.code) return true;
  return !(await store.records()).some(({ state }) => state === 'waiting' || state === 'refused');
}

/** Raises what went wrong; then everything is as it was. */
async function pair(code, { device: old, bundle: before }) {
  const { data } = await call('POST', 'pair', { code });
  useToken(data.token);
  const bundle = await fetchBundle(null, { keep: false });
  if (!(await mayChange(before, bundle))) {
    useToken(old?.token ?? null);
    throw new Error('others_wait');
  }
  await store.put('bundle', bundle);
  await store.put('device', { ...data.device, token: data.token, expires_at: data.expires_at });
  for (const key of ['revoked', 'tested', 'lease', 'people', 'paused', 'held', 'pin']) await store.put(key, null);
  await navigator.storage?.persist?.().catch(() => false);
}

/** Shows the way in until it is done; answers true then. */
export async function pairing(known) {
  useToken(null);
  const section = document.getElementById('totem-pair');
  const form = section.querySelector('form');
  const field = form.querySelector('input');
  const trouble = section.querySelector('.field-error');
  const submit = form.querySelector('button');
  section.hidden = false;
  document.getElementById('totem-wait')?.remove();
  const attempt = async (code) => {
    submit.disabled = true;
    trouble.hidden = true;
    field.removeAttribute('aria-invalid');
    try {
      await pair(code, known);
      return true;
    } catch (error) {
      trouble.querySelector('span').textContent = ofStore(error)
        ? document.querySelector('[data-trouble="store"] span').textContent
        : words(error.message === 'others_wait' ? 'others_wait' : reason(error));
      trouble.hidden = false;
      field.setAttribute('aria-invalid', 'true');
      field.focus();
      return false;
    } finally {
      submit.disabled = false;
    }
  };
  if (known.code && await attempt(known.code)) return true;
  return new Promise((resolve) => {
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (await attempt(field.value.trim())) resolve(true);
    });
    // A code for a tablet that is paired already may have been read by mistake.
    if (known.device && known.bundle) {
      const leave = section.querySelector('[data-keep]');
      leave.hidden = false;
      leave.addEventListener('click', () => resolve(true), { once: true });
    }
  });
}
