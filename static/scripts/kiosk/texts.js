// The words of the bundle in the language in use, and numbers and hours as that language writes them.
export const speech = { locale: 'it', dir: 'ltr', texts: {}, zone: undefined };

/** Takes a language of the bundle into use. Words that a language lacks come in the first one. */
export function speak(bundle, locale) {
  const [first] = bundle.locales;
  const chosen = bundle.locales.find((one) => one.code === locale) ?? first;
  Object.assign(speech, { locale: chosen.code, dir: chosen.dir, zone: bundle.event.timezone,
    texts: { ...bundle.texts[first.code], ...bundle.texts[chosen.code] } });
  document.documentElement.lang = chosen.code;
  document.documentElement.dir = chosen.dir;
}

/** A sentence by its key, with what belongs into it. */
export const t = (key, values = {}) =>
  (speech.texts[key] ?? key).replace(/%\((\w+)\)s/g, (_all, name) => values[name] ?? '');

// Days and hours as they are said here: "23 November, 18:04", whatever the language.
const format = (options) => new Intl.DateTimeFormat(speech.locale === 'en' ? 'en-GB' : speech.locale,
  { timeZone: speech.zone, hourCycle: 'h23', ...options });

/** "18:04" in the meeting's own zone. */
export const hour = (at) => format({ hour: '2-digit', minute: '2-digit' }).format(new Date(at));

/** "domenica 22 novembre, 18:04". */
export const moment = (at) =>
  format({ weekday: 'long', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' }).format(new Date(at));

export const number = (value) => new Intl.NumberFormat(speech.locale).format(value);

/** "K7-4F2P": easier to copy than one word. */
export const codeInTwo = (code) =>
  (/^[2-9A-Z]{5,8}$/.test(code ?? '') ? `${code.slice(0, -4)}-${code.slice(-4)}` : code ?? '');
