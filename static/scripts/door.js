// The door: answers are put in place, the count is live, the camera reads tickets. All of it works without.
const door = document.querySelector('[data-door]');
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

/** Put the pieces of an answer where they belong, and go to what comes next. */
function place(text) {
  const page = new DOMParser().parseFromString(text, 'text/html');
  for (const piece of page.body.querySelectorAll(':scope > [id]')) document.getElementById(piece.id)?.replaceWith(piece);
  const done = document.querySelector('#door-answer :is(.door-in, .door-again, .door-undone)');
  const first = document.querySelector('#door-answer [data-first]');
  const field = document.getElementById('parole');
  if (done) field.value = '';
  // Nearly that name, or somebody new: not for a second Enter to say. What is typed next replaces what was heard wrong.
  if (!done && !first && document.activeElement === field) field.select();
  // At a keyboard the next name can be typed at once; on a phone the keyboard stays away.
  (done && window.matchMedia('(pointer: fine)').matches ? field : first)?.focus({ preventScroll: true });
  document.getElementById('door-answer').scrollIntoView({ block: 'nearest' });
}

function say(words) {
  const trouble = Object.assign(document.createElement('p'), { className: 'door-trouble', textContent: words });
  trouble.setAttribute('role', 'alert');
  document.getElementById('door-answer').replaceChildren(trouble);
  trouble.scrollIntoView({ block: 'nearest' });
}

/** The next one is another one: its own key, and no name of who came in meanwhile, perhaps for a reason. */
function renew(form) {
  const walkIn = document.querySelector('.door-walk-in form');
  if (document.querySelector('#door-answer .door-in')) walkIn.reset();
  for (const sent of [form, walkIn]) if (sent.elements.chiave) sent.elements.chiave.value = crypto.randomUUID();
}

/** Send a form; true when the server has answered. What was typed stays when it has not. */
async function send(form) {
  const button = form.querySelector('button[type=submit]');
  if (form.dataset.sending) return false;
  form.dataset.sending = '1';
  button?.setAttribute('aria-disabled', 'true');
  try {
    const answer = await fetch(form.action, { method: 'POST', body: new FormData(form), headers: { 'X-Fragment': '1' },
      signal: AbortSignal.timeout(15_000) });
    const text = await answer.text();
    if (!text.includes('id="door-answer"')) {
      // Signed out meanwhile, or not a page of the door: as without script.
      form.submit();
      return false;
    }
    place(text);
    if (answer.ok) renew(form);
    return answer.ok;
  } catch {
    say(door.dataset.offline);
    return false;
  } finally {
    delete form.dataset.sending;
    button?.removeAttribute('aria-disabled');
  }
}

document.addEventListener('submit', (event) => {
  if (!event.target.matches('[data-door-form]') || event.defaultPrevented) return;
  event.preventDefault();
  send(event.target);
});

// Escape begins the next search: the hands stay on the keyboard.
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.key !== 'Escape') return;
  const field = document.getElementById('parole');
  field.value = '';
  field.focus();
});

async function count() {
  for (;;) {
    await pause(5000);
    if (document.hidden) continue;
    try {
      const answer = await fetch(door.dataset.live, { headers: { Accept: 'application/json' } });
      if (!answer.ok || answer.redirected) continue;
      const now = await answer.json();
      for (const place of document.querySelectorAll('[data-live-count]')) {
        const words = String(now[place.dataset.liveCount]);
        if (place.textContent !== words) place.textContent = words;
      }
    } catch {
      // The network comes back by itself; the number stays as it was.
    }
  }
}

/** A function that reads a QR from a video: the browser's own, or ours where it has none. */
async function reader(box) {
  if ('BarcodeDetector' in window && (await BarcodeDetector.getSupportedFormats()).includes('qr_code')) {
    const detector = new BarcodeDetector({ formats: ['qr_code'] });
    return async (video) => (await detector.detect(video))[0]?.rawValue;
  }
  return (await import(box.dataset.reader)).read;
}

function camera(box) {
  const [open, close, shown, video, trouble, form] = ['open', 'close', 'box', 'video', 'trouble', 'form']
    .map((part) => box.querySelector(`[data-scan-${part}]`));
  // The same ticket held still is one scan; it must be gone for a while before it counts again.
  const AWAY = 3000;
  let stream;
  let seen = '';
  let last = 0;

  function stop() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = undefined;
    shown.hidden = true;
    open.hidden = false;
  }

  async function watch(read) {
    while (stream) {
      // A picture that cannot be read, while the camera turns or sleeps, is one without a code.
      const found = video.readyState >= 2 ? await read(video).catch(() => undefined) : undefined;
      if (found && found === seen) last = Date.now();
      else if (!found && Date.now() - last > AWAY) seen = '';
      else if (found) {
        seen = found;
        form.elements.letto.value = found;
        form.elements.chiave.value = crypto.randomUUID();
        navigator.vibrate?.(60);
        await send(form);
        last = Date.now();
      }
      await pause(120);
    }
  }

  open.addEventListener('click', async () => {
    trouble.hidden = true;
    try {
      const read = await reader(box);
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' }, audio: false });
      video.srcObject = stream;
      shown.hidden = false;
      open.hidden = true;
      await video.play();
      // The whole picture, with room for the answer below it.
      shown.scrollIntoView({ block: 'start' });
      watch(read);
    } catch {
      stop();
      trouble.hidden = false;
    }
  });
  close.addEventListener('click', stop);
  document.addEventListener('visibilitychange', () => { if (document.hidden) stop(); });
  box.hidden = false;
}

if (door) {
  count();
  const box = document.querySelector('[data-scan]');
  if (box && navigator.mediaDevices?.getUserMedia) camera(box);
}
