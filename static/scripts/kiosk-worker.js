// The worker of the tablet's page: it hands out the application when there is no network, and nothing else.
// It never touches other pages, the tablet's interface, or anything that is sent. What it hands out belongs
// together: one shell, fetched whole when the worker is installed. `self.SHELL` stands before these lines
// when the site serves them: null there takes the worker and all it keeps off every tablet.
const PAGE = '/totem';
const { version, files = [] } = self.SHELL ?? {};
const NAME = `totem-${version}`;
const known = new Set(files);
// The page varies with the reader's language and cookie; here there is one page for all.
const KEPT = { cacheName: NAME, ignoreVary: true };

async function install() {
  const cache = await caches.open(NAME);
  // No cookie: the page is the same for everybody, and stays so on this tablet.
  await Promise.all([PAGE, ...files].map(async (path) => {
    const answer = await fetch(path, { cache: 'no-cache', credentials: 'omit', redirect: 'error' });
    if (!answer.ok || (path === PAGE && answer.headers.get('X-Totem') !== version)) throw new Error(path);
    await cache.put(path, answer);
  }));
}

async function clean() {
  const old = (await caches.keys()).filter((name) => name.startsWith('totem-') && (name !== NAME || !self.SHELL));
  await Promise.all(old.map((name) => caches.delete(name)));
  if (self.SHELL) await self.clients.claim();
  else await self.registration.unregister();
}

/** The kept page at once: it is the same for everybody, and the next person waits for no network. */
const page = async (request) => (await caches.match(PAGE, KEPT)) ?? fetch(request);

self.addEventListener('install', (event) => {
  if (self.SHELL) event.waitUntil(install());
  else self.skipWaiting();
});

self.addEventListener('activate', (event) => event.waitUntil(clean()));

self.addEventListener('message', ({ data }) => { if (data === 'take over') self.skipWaiting(); });

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (!self.SHELL || request.method !== 'GET' || origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    if (pathname === PAGE) event.respondWith(page(request));
  } else if (known.has(pathname)) {
    event.respondWith(caches.match(pathname, KEPT).then((kept) => kept ?? fetch(request)));
  }
});
