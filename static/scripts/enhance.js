// Small comforts for those who have script. Everything works without it.
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const later = (work, wait) => {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...args), wait);
  };
};

// How many letters are left. The sentence is the page's own, only its number changes; spoken when one pauses.
for (const area of all('[data-count]')) {
  const word = document.getElementById(`${area.id}-count`);
  if (!word) continue;
  const sentence = word.textContent;
  const max = Number(area.dataset.count);
  word.setAttribute('aria-live', 'polite');
  const show = () => { word.textContent = `${area.value.length} / ${max}. ${sentence}`; };
  area.addEventListener('input', later(show, 400));
}

// A word at the foot of a form, spoken when it changes.
const tell = (form, words) => {
  let word = form.querySelector('.draft-word');
  if (!word) {
    word = Object.assign(document.createElement('p'), { className: 'draft-word' });
    word.setAttribute('role', 'status');
    form.append(word);
  }
  word.textContent = words;
  return word;
};

// A long text is kept on the server while it is written.
for (const form of all('form[data-draft]')) {
  let sent = '';
  const keep = later(async () => {
    const body = new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === 'string'));
    if (String(body) === sent) return;
    try {
      const answer = await fetch(form.dataset.draft, { method: 'POST', body, headers: { Accept: 'application/json' } });
      if (!answer.ok) return;
      sent = String(body);
      tell(form, (await answer.json()).message);
    } catch {
      // The text is still on the page; the next pause tries again.
      tell(form, form.dataset.offline);
    }
  }, 2500);
  form.addEventListener('input', keep);
  addEventListener('online', keep);
}

// Without a network a form stays on the page with everything typed, instead of an error of the browser.
addEventListener('submit', (event) => {
  const words = event.target.dataset.offline;
  if (!words || navigator.onLine || event.defaultPrevented) return;
  event.preventDefault();
  tell(event.target, words).scrollIntoView({ block: 'nearest' });
});

// Others may have said it already: the server answers with a piece of page.
for (const source of all('[data-similar]')) {
  const place = document.querySelector(`[data-similar-for="${source.id}"]`);
  if (!place) continue;
  let asked = '';
  source.addEventListener('input', later(async () => {
    const words = source.value.trim();
    if (words.length < 8 || words === asked) return;
    asked = words;
    const url = new URL(source.dataset.similar, location.href);
    url.searchParams.set('q', words.slice(0, 200));
    try {
      const answer = await fetch(url, { headers: { 'X-Fragment': '1' } });
      if (!answer.ok || asked !== words) return;
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      place.replaceChildren(...page.body.childNodes);
    } catch {
      place.replaceChildren();
    }
  }, 700));
}

// What cannot be taken back asks once more.
document.addEventListener('submit', (event) => {
  const ask = event.target.dataset.confirm;
  if (ask && !window.confirm(ask)) event.preventDefault();
});

// A place is chosen on the drawing or in the list: the same answer.
for (const plan of all('[data-plan]')) {
  const mark = (code) => all('.plan-mark', plan).forEach((g) => g.classList.toggle('is-chosen', g.dataset.place === code));
  plan.addEventListener('click', (event) => {
    const place = event.target.closest('[data-place]')?.dataset.place;
    const radio = place && all('input[type=radio]', plan).find((input) => input.value === place);
    if (radio) {
      radio.checked = true;
      radio.dispatchEvent(new Event('change', { bubbles: true }));
    }
  });
  plan.addEventListener('change', (event) => mark(event.target.value));
}

// A button for paper, only where it works.
for (const button of all('[data-print]')) {
  button.hidden = false;
  button.addEventListener('click', () => window.print());
}

// After a mistake the list of what is missing is where one lands.
document.querySelector('[data-focus]')?.focus();
