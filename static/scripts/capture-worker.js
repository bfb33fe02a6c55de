// The worker of one meeting's capture page: when there is no network it gives the copy that the page stored of
// this way of writing.
// It answers GET only, and only for this page and its files; what is sent goes straight to the server.
const PAGE = new URL(self.registration.scope).pathname;
const NAME = `raccolta-${PAGE}`;
const WAIT = 4000;

const kept = (what) => caches.match(what, { cacheName: NAME });

async function page(request) {
  const way = new URL(request.url).searchParams.get('modo');
  const copy = (way && await kept(`${PAGE}?modo=${encodeURIComponent(way)}`)) ?? await kept(PAGE);
  if (!copy) return fetch(request);
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(WAIT) });
    return answer.status >= 500 ? copy : answer;
  } catch {
    return copy;
  }
}

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (request.mode === 'navigate' && url.pathname === PAGE) event.respondWith(page(request));
  else if (url.pathname.startsWith('/static/')) event.respondWith(kept(request).then((copy) => copy ?? fetch(request)));
});
