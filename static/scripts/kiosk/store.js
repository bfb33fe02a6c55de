// What the tablet keeps, in IndexedDB and nowhere else: settings (device, bundle, clock, lease) and the outbox.
// Nothing personal lies here in the clear: records are sealed before they come.
import { deleteDB, openDB } from 'idb';

const NAME = 'totem';
let opening;

function open() {
  opening ??= openDB(NAME, 1, {
    upgrade(db) {
      db.createObjectStore('settings');
      db.createObjectStore('outbox', { keyPath: 'client_uuid' }).createIndex('seq', 'seq', { unique: true });
      db.createObjectStore('probe');
    },
    blocking(_current, _blocked, event) { event.target.close(); opening = undefined; },
    terminated() { opening = undefined; },
  }).catch((error) => {
    opening = undefined;
    throw error;
  });
  return opening;
}

/** Runs `work` on the open database. Systems close it in the background: then it is opened once more. */
async function use(work) {
  for (let again = false; ; again = true) {
    const db = await open();
    try {
      return await work(db);
    } catch (error) {
      if (again || error.name !== 'InvalidStateError') throw error;
      db.close();
      opening = undefined;
    }
  }
}

/** Runs `work(stores)` in one transaction and answers once it is on the disk, not before. */
async function writing(names, work) {
  return use(async (db) => {
    const tx = db.transaction(names, 'readwrite', { durability: 'strict' });
    const [result] = await Promise.all([work(tx), tx.done]);
    return result;
  });
}

export const get = (key) => use((db) => db.get('settings', key));

export const put = (key, value) => writing('settings', (tx) => tx.store.put(value, key));

/** Adds a record with the next number, and changes settings with it or not at all. */
export const addRecord = (record, settings = {}) => writing(['outbox', 'settings'], async (tx) => {
  const kept = tx.objectStore('settings');
  const seq = ((await kept.get('seq')) ?? 0) + 1;
  const numbered = { ...record, seq, envelope: { ...record.envelope, seq } };
  const puts = Object.entries({ ...settings, seq }).map(([key, value]) => kept.put(value, key));
  await Promise.all([...puts, tx.objectStore('outbox').add(numbered)]);
  return numbered;
});

export const putRecords = (records) =>
  writing('outbox', (tx) => Promise.all(records.map((record) => tx.store.put(record))));

export const dropRecords = (records) =>
  writing('outbox', (tx) => Promise.all(records.map((record) => tx.store.delete(record.client_uuid))));

/** All records and what is left of those that arrived, in the order in which they were written. */
export const records = () => use((db) => db.getAllFromIndex('outbox', 'seq'));

/** Writes something, reads it back in a transaction of its own, and clears it away. */
export async function probe() {
  const sent = crypto.randomUUID();
  await writing('probe', (tx) => tx.store.put(sent, 'probe'));
  const read = await use((db) => db.get('probe', 'probe'));
  await writing('probe', (tx) => tx.store.delete('probe'));
  return read === sent;
}

/** Forgets everything of this tablet. */
export async function wipe() {
  if (opening) (await opening).close();
  opening = undefined;
  await deleteDB(NAME);
}
