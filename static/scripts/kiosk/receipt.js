// What became of it, in one of three honest words that nobody can confuse: each has its colour, sign and sentence.
import { encode } from 'uqr';
import { deliver } from './deliver.js';
import { button, h, icon, svg } from './dom.js';
import * as idle from './idle.js';
import { line } from './net.js';
import { codeInTwo, hour, number, t } from './texts.js';

const HOUR = 3_600_000;
const SHORT = 8;
const LONG = 45;

const SAVED = { tone: 'amber', sign: 'lab-tablet', stop: 0 };
const RECEIVED = { tone: 'blue', sign: 'it-inbox', stop: 1 };
const CONFIRMED = { tone: 'green', sign: 'it-check-circle', stop: 2 };
const WAITING = { tone: 'violet', sign: 'it-clock', stop: 2 };

const ASIDE = { tone: 'amber', sign: 'it-warning-circle', stop: 1 };

function savedText({ kind, state }) {
  // It lies here until somebody brings the file to the desk: no network will help.
  if (state === 'refused' || line.state === 'revoked') return 'saved_help';
  if (line.state === 'ok') return 'saved_sending';
  return kind === 'sign_up' ? 'saved_sign_up' : 'saved_other';
}

/** What a person will look at: said so that one knows whether to ask whoever welcomes people. */
function aside(reason) {
  if (reason === 'no_registration' || reason === 'no_ticket') return { ...ASIDE, word: t('unknown'), text: t('unknown_text') };
  if (reason === 'event_cancelled') return { ...ASIDE, word: t('received'), text: t('called_off') };
  return { ...RECEIVED, word: t('received'), text: t(reason === 'waiting_list' ? 'look_waiting' : 'received_look') };
}

/** A party is told how many of it are counted: of a wrong number somebody at the door can make the right one. */
const counted = (people) => (people > 1 ? ` ${t('door_party', { n: number(people) })}.` : '');

/** Tone, sign, word and sentence for a record as it stands now. */
function verdict(record) {
  const { kind, state, promised, result } = record;
  if (state === 'waiting' || state === 'refused') {
    if (promised) return { ...CONFIRMED, word: t('confirmed'), text: t('confirmed_text') };
    return { ...SAVED, word: t('saved'), text: t(savedText(record)) };
  }
  const { result: what, place, of, number: waits, at, people, reason } = result;
  switch (what) {
    case 'confirmed': return { ...CONFIRMED, text: t('confirmed_text'),
      word: place && of ? t('confirmed_place', { place: number(place), of: number(of) }) : t('confirmed') };
    case 'waiting': return { ...WAITING, word: t('waiting', { number: number(waits) }), text: t('waiting_text') };
    case 'arrived': return { ...CONFIRMED, word: t('arrived'), text: t('arrived_text', { time: hour(at) }) + counted(people) };
    case 'already_in': return { ...CONFIRMED, word: t('already_in', { time: hour(at) }), text: t('already_in_text') + counted(people) };
    case 'received': return { ...RECEIVED, word: t('received'), text: t(result.receipt ? `received_${kind}` : 'received_other') };
    default: return aside(reason);
  }
}

/** A QR as one path; black on white whatever the colours of the page, with its quiet zone. */
function qr(text, label) {
  const { data, size } = encode(text, { ecc: 'M', border: 3 });
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return svg('svg', { class: 'receipt-qr', viewBox: `0 0 ${size} ${size}`, role: 'img', 'aria-label': label },
    svg('rect', { width: size, height: size, fill: '#fff' }), svg('path', { d: path, fill: '#000' }));
}

/** The three words as the thread: how far this one has come. */
function thread(kind, { stop }) {
  const stops = ['saved', 'received', ...(kind === 'sign_up' ? [stop === 2 ? null : 'confirmed'] : [])];
  if (kind !== 'sign_up' || stop === 2) return null;
  return h('ol', { class: 'filo receipt-filo', 'aria-hidden': 'true' }, stops.map((key, at) =>
    h('li', { class: `filo-stop is-${at < stop ? 'done' : at === stop ? 'here' : 'next'}` },
      h('span', { class: 'filo-knot' }), h('span', { class: 'filo-label' }, t(`filo_${key}`)))));
}

function keep(app, { record, ticket }) {
  const code = record.kind === 'sign_up' ? record.code : record.result?.receipt;
  if (!code) return null;
  // What became of an idea stands on a page of its own, beside the tickets.
  const address = record.kind === 'sign_up' ? ticket && app.bundle.ticket_base + ticket
    : new URL(`/ricevuta/${code}`, app.bundle.ticket_base).href;
  const later = address && record.state !== 'review';
  const hint = t(record.kind === 'sign_up' ? 'your_qr' : 'idea_qr');
  return h('div', { class: 'receipt-keep' },
    later && qr(address, hint),
    h('div', {}, h('p', { class: 'receipt-label' }, t('your_code')),
      h('p', { class: 'receipt-code', dir: 'ltr' }, codeInTwo(code)),
      later && h('p', {}, hint)));
}

/** Whether people sign up standing at the meeting itself: then one touch says so, instead of a code to be typed. */
function isHere({ bundle }, { record, ticket }, said) {
  const { event, offers, sign_up: offer } = bundle;
  const now = Date.now() + (line.offset ?? 0);
  // Where nobody counts places, whoever is only saved here has one all the same.
  const hasPlace = said.tone === CONFIRMED.tone || (record.state === 'waiting' && offer.capacity === null);
  return record.kind === 'sign_up' && ticket && hasPlace && !event.cancelled && (offers?.includes('check_in') ?? true)
    && Date.parse(event.starts_at) - HOUR <= now && now <= Date.parse(event.ends_at);
}

export function receipt(app, data) {
  const { record } = data;
  const said = verdict(record);
  const text = h('p', { class: 'receipt-text' }, said.text);
  const hear = ({ detail }) => {
    if (detail.client_uuid === record.client_uuid) app.show('receipt', { ...data, record: detail });
  };
  // The network may come or go while one reads: the sentence follows, the word only with the site's answer.
  const change = () => { text.textContent = verdict(record).text; };
  app.outbox.addEventListener('result', hear);
  app.outbox.addEventListener('change', change);
  app.cleanup = () => {
    app.outbox.removeEventListener('result', hear);
    app.outbox.removeEventListener('change', change);
  };
  const longer = () => {
    // It keeps its place: what one is about to touch must not move away.
    bar.classList.add('is-long');
    idle.watch(LONG, app.reset);
  };
  const here = isHere(app, data, said);
  const hurry = !data.stays && !idle.needsTime();
  const bar = h('p', { class: `receipt-bar${hurry ? '' : ' is-long'}` }, t('ends_soon'));
  if (hurry) idle.watch(SHORT, app.reset, () => { data.stays = true; longer(); });
  else idle.watch(LONG, app.reset);
  return [
    h('div', { class: `receipt tone-${said.tone}` }, icon(said.sign, 'receipt-icon'),
      h('div', {}, h('h1', { tabindex: '-1' }, said.word), text)),
    thread(record.kind, said), keep(app, data),
    h('div', { class: 'totem-foot' },
      here && button(t('arrive_more'), () => deliver(app, 'check_in', { claim: data.ticket, people: null }, { code: record.code }),
        { css: 'go-main', sign: 'it-check-circle' }),
      button(t('finish'), app.reset, { css: here ? 'go-second' : 'go-main', sign: 'it-check' }),
      hurry && button(t('more_time'), longer, { css: 'go-second', sign: 'it-clock' })),
    hurry && bar];
}
