// From a finished form to the receipt: written first, then shown; what cannot be written is said at once.
import { button, h, icon } from './dom.js';
import { line } from './net.js';
import { t } from './texts.js';

// With a network the site's word is there in a moment: then people read one thing instead of two.
const MOMENT = 700;

const sleep = (wait) => new Promise((resolve) => { setTimeout(resolve, wait); });

function answered(outbox, uuid) {
  return new Promise((resolve) => {
    const hear = ({ detail }) => {
      if (detail.client_uuid !== uuid) return;
      outbox.removeEventListener('result', hear);
      resolve(detail);
    };
    outbox.addEventListener('result', hear);
  });
}

/** Saves a record and shows the receipt, or that it could not be saved. A second tap meanwhile does nothing. */
export async function deliver(app, kind, payload, { ticket = null, ...more } = {}) {
  if (app.saving) return;
  app.saving = true;
  try {
    const record = await app.outbox.save(kind, payload, more).catch(() => null);
    if (!record) return app.show('full', { retry: () => deliver(app, kind, payload, { ticket, ...more }) });
    // Without one nobody waits for nothing: the receipt says "saved" at once, and follows when the answer comes.
    const early = line.state === 'ok'
      && await Promise.race([answered(app.outbox, record.client_uuid), sleep(MOMENT)]);
    return app.show('receipt', { record: early || record, ticket });
  } finally {
    app.saving = false;
  }
}

/** Nothing was saved: said plainly, with the way that always works. */
export const full = (app, { retry }) => [
  h('div', { class: 'receipt tone-brick', role: 'alert' }, icon('it-close-circle', 'receipt-icon'),
    h('div', {}, h('h1', { tabindex: '-1' }, t('full_title')), h('p', { class: 'receipt-text' }, t('full_text')))),
  h('div', { class: 'totem-foot' }, button(t('again'), retry, { css: 'go-main' }),
    button(t('finish'), app.reset, { css: 'go-plain' }))];
