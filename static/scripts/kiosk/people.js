// The list at the door: fetched when there is network, kept under a key that only the PIN makes, searched here.
// What was marked on this device shows at once, whatever the network says.
import { call } from './net.js';
import { digest, fromBase64, lock, pinKey, unlock } from './seal.js';
import * as store from './store.js';

/** Letters only, without case and accents: "D'Angelo" and "dangelo" meet. */
export const folded = (text) => text.normalize('NFKD').toLowerCase().replace(/[^\p{L}\p{N} ]/gu, '');

/** The number that a signed ticket says; whether it is forged only the site can tell. */
function numberIn(ticket) {
  try {
    return JSON.parse(new TextDecoder().decode(fromBase64(ticket.split('.')[0])));
  } catch {
    return null;
  }
}

export class People {
  constructor(key, { people = [], marks = {} } = {}) {
    this.key = key;
    this.people = people;
    this.marks = marks;
  }

  /** Opens what is kept, or begins an empty list when the PIN was another or nothing is there. */
  static async open(pin, { rounds }) {
    const kept = await store.get('people');
    const salt = kept?.salt ?? crypto.getRandomValues(new Uint8Array(16));
    const key = await pinKey(pin, salt, rounds);
    const found = kept ? await unlock(key, kept.locked).catch(() => ({})) : {};
    const people = new People(key, found);
    people.salt = salt;
    return people;
  }

  async keep() {
    const locked = await lock(this.key, { people: this.people, marks: this.marks });
    await store.put('people', { salt: this.salt, locked });
  }

  /** Fetches the list. Marks that the site knows by now are its own to tell. */
  async refresh() {
    const { data } = await call('GET', 'people');
    this.people = data.people;
    for (const one of data.people) if (one.arrived_at) delete this.marks[one.id];
    await this.keep();
  }

  /** Marks by the person's id, or by what was scanned for somebody who is not on the list here. */
  async mark(id, people) {
    this.marks[id] = { at: Date.now(), people };
    await this.keep();
  }

  arrivedAt({ id, arrived_at: at }) {
    return at ?? this.marks[id]?.at ?? null;
  }

  /** Whom a code or a ticket means, if they are on the list here. */
  async who({ code, claim, ticket }) {
    if (code) return this.people.find((one) => one.code === code);
    const mark = claim && await digest(claim);
    const id = ticket && numberIn(ticket);
    return this.people.find((one) => (mark ? one.claim_digest === mark : one.id === id));
  }

  /** Who fits: every word begins one of the words of the name, or the code begins so. Those not in yet come first. */
  search(text) {
    const words = folded(text).split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    const fits = ({ name, code }) => {
      const parts = [...folded(name).split(/\s+/), folded(code)];
      return words.every((word) => parts.some((part) => part.startsWith(word)));
    };
    return this.people.filter((one) => fits(one))
      .sort((a, b) => Boolean(this.arrivedAt(a)) - Boolean(this.arrivedAt(b)) || a.name.localeCompare(b.name));
  }
}
