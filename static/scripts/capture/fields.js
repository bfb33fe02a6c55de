// Between the forms of the page and what is kept of them.
const PHOTO = 1600;

/** A photograph as large as pages need it: a hall's network carries no more. */
async function smaller(file) {
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, PHOTO / Math.max(picture.width, picture.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => { canvas.toBlob(done, 'image/jpeg', 0.85); });
    return blob ?? file;
  } catch {
    return file;
  }
}

export const isPhoto = ([, value]) => typeof value !== 'string';

/** What a form says: [name, words] or [name, photograph, its name]. */
export async function read(form) {
  const fields = [];
  for (const [name, value] of new FormData(form)) {
    if (name === 'csrf_token' || name === 'idempotency_key') continue;
    if (typeof value === 'string') fields.push([name, name === 'said_at' ? new Date().toISOString() : value]);
    else if (value.size) fields.push([name, await smaller(value), value.name]);
  }
  return fields;
}

export const valueOf = (record, name) => record.fields.find(([one]) => one === name)?.[1];

/** The form in which a record was written; none when the page shows another way of writing. */
export function formOf(root, record) {
  const same = (form, name) => (form.elements[name]?.value ?? '') === (valueOf(record, name) ?? '');
  return [...root.querySelectorAll(`form[data-outbox="${record.kind}"]`)].find((form) => same(form, 'way') && same(form, 'part_id'));
}

/** Writes a record back into its form; photographs stay with the record. */
export function fill(form, record) {
  for (const input of form.elements) {
    if (!input.name || input.type === 'file' || ['csrf_token', 'idempotency_key', 'said_at', 'version'].includes(input.name)) continue;
    const value = valueOf(record, input.name);
    if (input.type === 'checkbox' || input.type === 'radio') input.checked = value === input.value;
    else if (value !== undefined) input.value = value;
  }
  if (record.version && form.elements.version) form.elements.version.value = record.version;
}

/** What must be filled in before a form can be kept. */
export const firstOf = (form) => form.elements.text ?? form.elements.title ?? form.elements.photo;

/** What the fields of a form hold now. */
export const held = (form) => new Map([...form.elements].map((input) => [input, input.value]));

/** Empties what is said once; the table, the place and the theme stay for the next line. What was typed since
 * the line was taken (`said`), while its photograph was made smaller, begins the next one. */
export function begin(form, said) {
  delete form.dataset.again;
  for (const input of form.elements) {
    if (!input.name || input.type === 'hidden' || input.tagName === 'SELECT' || 'sticky' in input.dataset) continue;
    if (input.type === 'checkbox') input.checked = false;
    else if (input.type === 'radio') continue;
    else if (input.type === 'file' || input.value === said.get(input)) input.value = input.name === 'count' ? input.defaultValue : '';
    else if (input.value.startsWith(said.get(input))) input.value = input.value.slice(said.get(input).length);
  }
  firstOf(form)?.focus();
}
