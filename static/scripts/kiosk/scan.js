// Reading a QR with the camera: by the system where it can, else by a reader fetched when it is first needed.
import { h } from './dom.js';

const PAUSE = 150;
// One ticket held still is one scan; it must be gone for a while before it counts again.
const AWAY = 3000;

async function eye() {
  const formats = (await globalThis.BarcodeDetector?.getSupportedFormats?.().catch(() => [])) ?? [];
  if (formats.includes('qr_code')) {
    const detector = new BarcodeDetector({ formats: ['qr_code'] });
    return async (video) => (await detector.detect(video))[0]?.rawValue;
  }
  const { read } = await import(document.body.dataset.scan);
  return read;
}

/** A picture of the camera; `found(text)` is called once, or for one ticket after the other where it `goesOn`;
 * `failed()` when there is no camera to use. */
export function scanner(app, found, failed, { goesOn = false } = {}) {
  const video = h('video', { class: 'totem-camera', muted: true, playsinline: true, 'aria-hidden': 'true' });
  let stream;
  let over = false;
  let seen = '';
  let last = 0;
  const stop = () => {
    over = true;
    stream?.getTracks().forEach((track) => track.stop());
  };
  const look = async (read) => {
    if (over) return;
    const text = video.readyState >= 2 ? await read(video).catch(() => null) : null;
    if (over) return;
    if (text && !goesOn) {
      stop();
      return found(text);
    }
    if (text && text !== seen) {
      seen = text;
      navigator.vibrate?.(60);
      await found(text);
    }
    if (text) last = Date.now();
    else if (Date.now() - last > AWAY) seen = '';
    setTimeout(look, PAUSE, read);
  };
  const start = async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: { ideal: app.device.mode === 'door' ? 'environment' : 'user' } } });
      if (over) return stop();
      video.srcObject = stream;
      video.muted = true;
      await video.play();
      await look(await eye());
    } catch {
      if (!over) failed();
    }
  };
  start();
  app.cleanup = stop;
  return video;
}
