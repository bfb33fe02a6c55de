// A new application waits until nobody is in the middle of something, and then comes whole.
const PAUSE = 30_000;
// The browser looks for one with every new document; a tablet that nobody uses looks by itself.
const LOOK = 900_000;

/** Registers the worker; `resting()` says whether the first screen stands alone, `reload()` begins anew. */
export async function followUpdates(resting, reload) {
  const container = navigator.serviceWorker;
  if (!container) return;
  const had = Boolean(container.controller);
  container.addEventListener('controllerchange', () => {
    const worker = container.controller;
    if (!had || !worker) return;
    // Not before it has cleared up after the old one: a page that is asked for meanwhile has to wait for that.
    const come = () => { if (worker.state === 'activated' && resting()) reload(); };
    worker.addEventListener('statechange', come);
    come();
  });
  const registration = await container.register('/totem-worker.js', { scope: '/totem', updateViaCache: 'none' }).catch(() => null);
  if (!registration) return;
  const offer = () => { if (resting()) registration.waiting?.postMessage('take over'); };
  offer();
  setInterval(offer, PAUSE);
  setInterval(() => registration.update().catch(() => {}), LOOK);
  registration.addEventListener('updatefound', () => {
    registration.installing?.addEventListener('statechange', offer);
  });
}
