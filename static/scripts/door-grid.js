// A sheet from the keyboard: Enter to the next line, each line saved as one leaves it. Names stay on the page and
// on the server, never in the browser's storage.
const form = document.querySelector('[data-grid]');
const words = document.querySelector('[data-words]').dataset;
const COLUMNS = ['name', 'people', 'contact', 'needs', 'arrived'];
const lines = [...form.querySelectorAll('[data-line]')];
const icon = (name) => {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon icon-sm');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `${sprite}#it-${name}`);
  svg.append(use);
  return svg;
};
const sprite = document.querySelector('svg use').getAttribute('href').split('#')[0];

const number = (row) => row.dataset.line;
const field = (row, name) => row.querySelector(`[name="${name}-${number(row)}"]`);
const content = (row) => JSON.stringify(COLUMNS.map((name) => (
  name === 'arrived' ? field(row, name).checked : field(row, name).value.trim())));
const isBlank = (row) => !field(row, 'version').value
  && ['name', 'contact', 'needs'].every((name) => !field(row, name).value.trim());
const saved = new Map(lines.map((row) => [row, content(row)]));

function say(row, kind, text, sign) {
  const word = Object.assign(document.createElement('span'), { className: `grid-${kind}` });
  if (sign) word.append(icon(sign), ' ');
  word.append(text);
  row.querySelector('[data-say]').replaceChildren(word);
}

function mark(row, name) {
  for (const one of COLUMNS) field(row, one).removeAttribute('aria-invalid');
  if (name) {
    field(row, name).setAttribute('aria-invalid', 'true');
    field(row, name).setAttribute('aria-describedby', `say-${number(row)}`);
  }
}

/** Two people read the line differently: both are shown, one is chosen. */
function ask(row, answer) {
  row.classList.add('is-differing');
  const choose = Object.assign(document.createElement('fieldset'), { className: 'grid-choose' });
  const legend = document.createElement('legend');
  const theirs = Object.assign(document.createElement('bdi'), { textContent: answer.other.words });
  legend.append(`${words.differs} `, theirs);
  choose.append(legend);
  const close = () => { choose.remove(); row.classList.remove('is-differing'); };
  for (const [word, take] of [[words.mine, false], [words.theirs, true]]) {
    const button = Object.assign(document.createElement('button'),
      { type: 'button', className: 'btn btn-outline-primary', textContent: word });
    button.addEventListener('click', () => {
      field(row, 'version').value = answer.version;
      if (take) {
        for (const name of COLUMNS.slice(0, -1)) field(row, name).value = answer.other[name];
        field(row, 'arrived').checked = answer.other.arrived;
      }
      close();
      saved.delete(row);
      save(row);
      field(row, 'name').focus();
    });
    choose.append(button);
  }
  row.querySelector('.grid-choose')?.remove();
  row.querySelector('.grid-say').append(choose);
}

async function save(row) {
  const now = content(row);
  if (row.sending || isBlank(row) || saved.get(row) === now || row.querySelector('.grid-choose')) return;
  row.sending = true;
  say(row, 'wait', words.saving);
  const body = new URLSearchParams({ csrf_token: form.elements.csrf_token?.value ?? '', version: field(row, 'version').value });
  for (const name of COLUMNS) {
    if (name !== 'arrived') body.set(name, field(row, name).value);
    else if (field(row, name).checked) body.set(name, '1');
  }
  try {
    const answer = await fetch(`${form.dataset.grid}/${number(row)}`,
      { method: 'POST', body, headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(15_000) });
    if (!answer.headers.get('Content-Type')?.includes('json')) {
      // Signed out meanwhile: no waiting helps, but the sheet as a whole is held until one has signed in again.
      const isOut = answer.redirected || (answer.status >= 400 && answer.status < 500 && answer.status !== 429);
      if (!isOut) throw new Error('not the site');
      say(row, 'trouble', words.out, 'error');
      return;
    }
    const said = await answer.json();
    mark(row, said.saved || said.other ? '' : said.field);
    if (said.saved) {
      saved.set(row, now);
      field(row, 'version').value = said.version ?? '';
      if (said.version === null) row.querySelector('[data-say]').replaceChildren();
      else say(row, 'saved', said.merged ? words.merged : words.saved, 'check');
    } else if (said.other) {
      row.querySelector('[data-say]').replaceChildren();
      ask(row, said);
    } else {
      say(row, 'trouble', said.trouble, 'error');
      // Said once; the same content is not sent again until it changes.
      saved.set(row, now);
    }
  } catch {
    say(row, 'trouble', words.offline, 'error');
    setTimeout(() => save(row), 5000);
  } finally {
    row.sending = false;
    // What was typed while it was under way.
    if (content(row) !== now) save(row);
  }
}

const rowOf = (element) => element.closest('[data-line]');
const beside = (row, step) => lines[lines.indexOf(row) + step];
const columnOf = (input) => input.name.split('-')[0];

form.addEventListener('focusout', (event) => {
  const row = rowOf(event.target);
  if (row && !row.contains(event.relatedTarget)) save(row);
});

form.addEventListener('keydown', (event) => {
  const row = rowOf(event.target);
  if (!row || event.target.matches('button') || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const column = columnOf(event.target);
  if (!COLUMNS.includes(column)) return;
  const go = (to, name) => {
    event.preventDefault();
    if (!to) return;
    field(to, name).focus();
    field(to, name).select?.();
  };
  if (event.key === 'Enter') {
    event.preventDefault();
    const next = beside(row, event.shiftKey ? -1 : 1);
    if (next) go(next, 'name');
    else save(row);
  } else if (event.key === 'ArrowDown') go(beside(row, 1), column);
  else if (event.key === 'ArrowUp') go(beside(row, -1), column);
});

// A piece of a table or a list of names, put in from where the cursor is.
form.addEventListener('paste', (event) => {
  const row = rowOf(event.target);
  const text = event.clipboardData.getData('text/plain').replace(/\r/g, '').replace(/\n+$/, '');
  if (!row || !/[\n\t]/.test(text)) return;
  event.preventDefault();
  const start = COLUMNS.indexOf(columnOf(event.target));
  let at = row;
  for (const one of text.split('\n')) {
    if (!at) break;
    one.split('\t').forEach((cell, shift) => {
      const name = COLUMNS[start + shift];
      if (name && name !== 'arrived') field(at, name).value = cell.trim();
    });
    save(at);
    at = beside(at, 1);
  }
});

window.addEventListener('beforeunload', (event) => {
  if (lines.some((row) => row.sending || (!isBlank(row) && saved.get(row) !== content(row)))) event.preventDefault();
});
form.addEventListener('submit', () => lines.forEach((row) => saved.set(row, content(row))));
