// The list at the door: fetched when there is network, kept under a key that only the PIN makes, searched here.
// What was marked on this device shows at once, whatever the network says.
import { call } from './net.js';
import { lock, pinKey, unlock } from './seal.js';
import * as store from './store.js';

/** Letters only, without case and accents: "D'Angelo" and "dangelo" meet. */
export const folded = (text) => text.normalize('NFKD').toLowerCase().replace(/[^\p{L}\p{N} ]/gu, '');

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

  async mark(id, people) {
    this.marks[id] = { at: Date.now(), people };
    await this.keep();
  }

  arrivedAt({ id, arrived_at: at }) {
    return at ?? this.marks[id]?.at ?? null;
  }

  byCode(code) {
    const wanted = code.toUpperCase().replace(/[^0-9A-Z]/g, '');
    return this.people.find((one) => one.code.replace(/[^0-9A-Z]/g, '') === wanted);
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
