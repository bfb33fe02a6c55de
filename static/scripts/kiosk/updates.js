// A new application waits until nobody is in the middle of something, and then comes whole.
const PAUSE = 30_000;

/** Registers the worker; `resting()` says whether the first screen stands alone, `reload()` begins anew. */
export async function followUpdates(resting, reload) {
  const container = navigator.serviceWorker;
  if (!container) return;
  const had = Boolean(container.controller);
  container.addEventListener('controllerchange', () => { if (had && resting()) reload(); });
  const registration = await container.register('/totem-worker.js', { scope: '/totem', updateViaCache: 'none' }).catch(() => null);
  if (!registration) return;
  const offer = () => { if (resting()) registration.waiting?.postMessage('take over'); };
  offer();
  setInterval(offer, PAUSE);
  registration.addEventListener('updatefound', () => {
    registration.installing?.addEventListener('statechange', offer);
  });
}
