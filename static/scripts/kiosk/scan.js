// Reading a QR with the camera: by the system where it can, else by a reader fetched when it is first needed.
import { h } from './dom.js';

const PAUSE = 150;

async function eye() {
  const formats = (await globalThis.BarcodeDetector?.getSupportedFormats?.().catch(() => [])) ?? [];
  if (formats.includes('qr_code')) {
    const detector = new BarcodeDetector({ formats: ['qr_code'] });
    return async (video) => (await detector.detect(video))[0]?.rawValue;
  }
  const { read } = await import(document.body.dataset.scan);
  return read;
}

/** A picture of the camera; `found(text)` is called once, `failed()` when there is no camera to use. */
export function scanner(app, found, failed) {
  const video = h('video', { class: 'totem-camera', muted: true, playsinline: true, 'aria-hidden': 'true' });
  let stream;
  let over = false;
  const stop = () => {
    over = true;
    stream?.getTracks().forEach((track) => track.stop());
  };
  const look = async (read) => {
    if (over) return;
    const text = video.readyState >= 2 ? await read(video).catch(() => null) : null;
    if (over) return;
    if (text) {
      stop();
      found(text);
    } else setTimeout(look, PAUSE, read);
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
