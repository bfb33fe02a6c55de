// Sealed when written down: only the site can open it, not even this tablet (docs/kiosk.md, "Envelope").
const bytes = (text) => new TextEncoder().encode(text);

export const toBase64 = (data) =>
  btoa(String.fromCharCode(...new Uint8Array(data))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

export const fromBase64 = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (letter) => letter.charCodeAt(0));

const CURVE = { name: 'ECDH', namedCurve: 'P-256' };

/** The payload for the site's key; `bound` are the fields of the envelope that nobody may exchange. */
export async function seal(key, bound, payload) {
  const theirs = await crypto.subtle.importKey('raw', fromBase64(key.public_key), CURVE, false, []);
  const own = await crypto.subtle.generateKey(CURVE, false, ['deriveBits']);
  const secret = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, own.privateKey, 256);
  const base = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
  const aes = await crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: bytes('lab totem v1') },
    base, { name: 'AES-GCM', length: 256 }, false, ['encrypt']);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const ct = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData: bytes(bound.join('|')) }, aes, bytes(JSON.stringify(payload)));
  const epk = await crypto.subtle.exportKey('raw', own.publicKey);
  return { key_id: key.key_id, epk: toBase64(epk), iv: toBase64(iv), ct: toBase64(ct) };
}

// The symbols of every code of the lab: none can be misread for another.
const SYMBOLS = '23456789ABCDEFGHJKMNPQRTVWXYZ';

/** `count` symbols that people can copy by hand, each as likely as the others. */
export function symbols(count) {
  let made = '';
  while (made.length < count) {
    const [value] = crypto.getRandomValues(new Uint8Array(1));
    // 232 is the largest multiple of 29 in a byte: above it the first symbols would come more often.
    if (value < 232) made += SYMBOLS[value % SYMBOLS.length];
  }
  return made;
}

/** SHA-256 in hexadecimal: what the site keeps in place of a claim. */
export async function digest(text) {
  const found = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes(text)));
  return Array.from(found, (one) => one.toString(16).padStart(2, '0')).join('');
}

/** 22 characters, 128 random bits and a little: what the ticket's QR carries. */
export const claim = () => toBase64(crypto.getRandomValues(new Uint8Array(16)));

const pinBits = async (pin, salt, rounds) => {
  const base = await crypto.subtle.importKey('raw', bytes(pin), 'PBKDF2', false, ['deriveBits']);
  return crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: rounds }, base, 256);
};

/** Whether this is the PIN that the site gave with the device; works offline. */
export async function pinFits(pin, { salt, rounds, check }) {
  return toBase64(await pinBits(pin, fromBase64(salt), rounds)) === check;
}

/** The key for what only whoever knows the PIN may read on this tablet. Never stored. */
export async function pinKey(pin, salt, rounds) {
  const bits = await pinBits(pin, salt, rounds);
  return crypto.subtle.importKey('raw', bits, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

export async function lock(key, value) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { iv, ct: await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, bytes(JSON.stringify(value))) };
}

export async function unlock(key, { iv, ct }) {
  return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, ct)));
}
