// The desk by keyboard: j and k walk the list, Enter opens, letters do what a button says, ? tells which.
const rows = () => [...document.querySelectorAll('[data-row]')];
const typing = (target) => target.closest('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]');

function walk(step) {
  const list = rows();
  if (!list.length) return;
  let now = list.findIndex((row) => row.contains(document.activeElement));
  if (now < 0) now = list.findIndex((row) => row.querySelector('[aria-current]'));
  const next = list[Math.min(Math.max(now + step, 0), list.length - 1)];
  (next.matches('a, [tabindex]') ? next : next.querySelector('a.desk-row, a'))?.focus();
  next.scrollIntoView({ block: 'nearest' });
}

// What a letter opens is ready to be written in.
function enter(summary) {
  const box = summary.closest('details');
  if (!box?.open) return;
  summary.scrollIntoView({ block: 'start' });
  box.querySelector('form :is(input:not([type=hidden]), select, textarea)')?.focus({ preventScroll: true });
}

function tick() {
  const row = document.activeElement?.closest('[data-row]');
  row?.querySelector('input[type=checkbox]')?.click();
}

function help() {
  const dialog = document.querySelector('dialog[data-keys]');
  if (!dialog) return;
  const list = dialog.querySelector('[data-keys-list]');
  list.querySelectorAll('[data-own]').forEach((line) => line.remove());
  for (const button of document.querySelectorAll('[data-key]')) {
    const line = document.createElement('div');
    line.dataset.own = '';
    const key = Object.assign(document.createElement('dt'), { textContent: button.dataset.key });
    const word = Object.assign(document.createElement('dd'), { textContent: button.textContent.trim() });
    line.append(key, word);
    list.append(line);
  }
  dialog.showModal();
}

const open = document.querySelector('.has-detail .desk-row[aria-current]');
if (open) open.closest('.desk-list-pane').scrollTop = open.offsetTop - 120;

document.addEventListener('keydown', (event) => {
  // Ctrl and Enter sends what one is writing, from any field.
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && event.target.closest('[data-quick]')) {
    event.preventDefault();
    event.target.closest('[data-quick]').requestSubmit();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (document.querySelector('dialog[open]')) return;
  if (event.key === 'j') walk(1);
  else if (event.key === 'k') walk(-1);
  else if (event.key === 'x') tick();
  else if (event.key === '?') help();
  else if (event.key === '/') {
    const search = document.querySelector('input[type=search]');
    // On a narrow screen the search may be folded away.
    search?.closest('details')?.setAttribute('open', '');
    search?.focus();
  } else {
    const button = [...document.querySelectorAll('[data-key]')].find((one) => one.dataset.key === event.key);
    if (!button) return;
    button.focus();
    button.click();
    if (button.matches('summary')) enter(button);
  }
  event.preventDefault();
});
