// The tablet at meetings. One document serves one person: it ends with a new document, and nothing is carried over.
import * as idle from './kiosk/idle.js';
import * as lease from './kiosk/lease.js';
import { draw } from './kiosk/frame.js';
import { line, useToken } from './kiosk/net.js';
import { Outbox } from './kiosk/outbox.js';
import { pairing } from './kiosk/pairing.js';
import { People } from './kiosk/people.js';
import { screens } from './kiosk/screens.js';
import * as store from './kiosk/store.js';
import { speech } from './kiosk/texts.js';
import { followUpdates } from './kiosk/updates.js';

/** Seconds of quiet after which a screen is left, where it is not the usual time; 0: never. */
const QUIET = { attract: 0, paused: 0, selftest: 0, corner: 120, door: 120, walk_in: 120 };
const USUAL = 45;
const PATIENCE = 20_000;

const app = {
  version: document.body.dataset.version, name: 'attract', data: {}, locale: null, pausedHere: false, leaving: false,

  /** Goes to a screen. */
  show(name, data = {}) {
    if (app.leaving) return;
    Object.assign(app, { name, data, screen: screens[name] });
    app.again();
    if (name !== 'receipt') idle.watch(quiet(), app.reset);
  },

  /** Draws the same screen again: other words, other counts. */
  again(focus = 'first') {
    draw(app, focus);
    if (app.name === 'attract') idle.watch(quiet(), app.reset);
  },

  /** Ends with this person: a new document, which remembers nothing of this one. */
  async reset() {
    if (app.leaving) return;
    app.leaving = true;
    // A memory that does not answer keeps nobody's words on the screen.
    clear();
    await Promise.race([Promise.resolve(lease.mark()).catch(() => {}), new Promise((go) => { setTimeout(go, 2000); })]);
    const leave = () => location.replace('/totem');
    leave();
    // The screen is empty until the next document stands: should that hang, it is asked for again.
    setInterval(leave, PATIENCE);
  },

  corner() {
    app.show('pin', { opened: () => app.show('corner'), back: app.reset });
  },

  async pause(on) {
    await store.put('paused', on);
    app.pausedHere = on;
    app.outbox.soon();
  },

  /** The screen to which everything returns. */
  home() {
    if (app.device.mode === 'door') {
      return app.show('pin', { title: 'door_title', lead: 'door_open', opened: async (typed) => {
        app.people = await People.open(typed, app.device.pin);
        app.show('door');
      } });
    }
    return app.show(app.pausedHere || app.outbox.paused || line.state === 'revoked' ? 'paused' : 'attract');
  },
};

// A language that somebody chose and left is put back after a while; the first screen itself is left never.
function quiet() {
  if (app.name === 'pin' && app.device.mode === 'door') return 0;
  const foreign = app.name === 'attract' && speech.locale !== app.bundle.locales[0].code;
  return foreign ? USUAL : QUIET[app.name] ?? USUAL;
}

/** Nothing of this person stays in a document that a browser might keep for its "back". */
function clear() {
  document.getElementById('totem').replaceChildren();
  document.querySelectorAll('dialog').forEach((dialog) => dialog.remove());
}

addEventListener('pagehide', () => {
  app.leaving = true;
  clear();
});
// The code of another pairing, opened where the page stands already: only what follows the # has changed.
addEventListener('hashchange', () => { if (location.hash) location.reload(); });
addEventListener('pageshow', ({ persisted }) => { if (persisted) location.replace('/totem'); });

const resting = () => ['attract', 'paused'].includes(app.name);

function trouble(what) {
  document.getElementById('totem-wait')?.remove();
  document.querySelector(`[data-trouble="${what}"]`).hidden = false;
}

async function begin() {
  if (!(window.isSecureContext && navigator.locks && globalThis.indexedDB)) return trouble('old');
  const [device, bundle, clock, revoked, paused, held, tested] = await Promise.all(
    ['device', 'bundle', 'clock', 'revoked', 'paused', 'held', 'tested'].map(store.get));
  const code = location.hash.slice(1);
  // The code is in nobody's history.
  if (code) history.replaceState(null, '', '/totem');
  if (!device || !bundle || code) {
    const paired = await pairing({ code, device, bundle });
    if (!paired) return;
    return begin();
  }
  Object.assign(app, { device, bundle, pausedHere: Boolean(paused) });
  Object.assign(line, clock, { state: revoked ? 'revoked' : 'off' });
  useToken(device.token);
  await lease.restore();
  app.outbox = new Outbox(app);
  app.outbox.paused = Boolean(held);
  app.outbox.addEventListener('pause', () => { if (resting()) app.home(); });
  app.outbox.addEventListener('bundle', () => { if (app.name === 'attract') app.again('none'); });
  document.getElementById('totem-start')?.remove();
  idle.start();
  if (tested) app.home();
  else app.show('selftest');
  app.outbox.start();
  followUpdates(() => resting(), app.reset);
}

begin().catch((error) => {
  trouble('store');
  throw error;
});
