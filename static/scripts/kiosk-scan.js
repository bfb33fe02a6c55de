// The QR reader for systems without one of their own; fetched only when somebody opens the camera there.
import jsQR from 'jsqr';

const WIDTH = 640;
const canvas = document.createElement('canvas');
const drawing = canvas.getContext('2d', { willReadFrequently: true });

/** The text of the code that the video shows now, if any. */
export async function read(video) {
  const scale = Math.min(1, WIDTH / video.videoWidth);
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  drawing.drawImage(video, 0, 0, canvas.width, canvas.height);
  const { data, width, height } = drawing.getImageData(0, 0, canvas.width, canvas.height);
  return jsQR(data, width, height, { inversionAttempts: 'dontInvert' })?.data;
}
