// What waits on this phone. A record stays until it was received or somebody throws it away.
import { openDB } from 'idb';

let database;

const open = () => openDB('raccolta', 1, {
  upgrade: (db) => db.createObjectStore('out', { keyPath: 'id', autoIncrement: true }).createIndex('event', 'event'),
  terminated: () => { database = undefined; },
});

/** Works on the store; reopens a connection that the system has closed meanwhile. */
async function store(work) {
  try {
    database ??= await open();
    return await work(database);
  } catch (error) {
    if (error.name !== 'InvalidStateError') throw error;
    database = await open();
    return work(database);
  }
}

/** Writes in one durable transaction; gives what `work` gives. */
const write = (work) => store(async (db) => {
  const act = db.transaction('out', 'readwrite', { durability: 'strict' });
  const given = await work(act.store);
  await act.done;
  return given;
});

export const all = (event) => store((db) => db.getAllFromIndex('out', 'event', event));
export const find = (id) => store((db) => db.get('out', id));
export const remove = (id) => store((db) => db.delete('out', id));
export const keep = (record) => write((out) => out.put(record));

/** What happened to a record that was sent. While it was on its way somebody may have written it anew under
 * the same number: then the newer words stay, and go on from the version that the site told. Where it tells
 * what others wrote meanwhile, they wait for a person, too: sent on they would hide that. */
export const settle = (sent, version, refused) => write(async (out) => {
  const now = await out.get(sent.id);
  if (!now) return;
  const isNewer = now.key !== sent.key;
  if (refused && (version || !isNewer)) {
    await out.put({ ...now, refused, version });
  } else if (isNewer) {
    const fields = now.fields.map(([name, ...rest]) => (name === 'version' && version ? [name, String(version)] : [name, ...rest]));
    await out.put({ ...now, fields });
  } else {
    await out.delete(sent.id);
  }
});
