// The first screen, to which everything returns: what one can do here, in words as large as a hand.
import { h, icon, plan } from './dom.js';
import { line } from './net.js';
import { moment, t } from './texts.js';

/** Why one cannot sign up now, or null; and whether one would wait. */
function signing({ event, sign_up: offer }) {
  if (event.cancelled) return { why: 'called_off' };
  const now = Date.now() + (line.offset ?? 0);
  if (!offer.is_offered) return { why: 'sign_up_none' };
  if (offer.opens_at && Date.parse(offer.opens_at) > now) return { why: 'sign_up_soon' };
  if (offer.closes_at && Date.parse(offer.closes_at) <= now) return { why: 'sign_up_closed' };
  const full = offer.capacity !== null && offer.taken >= offer.capacity;
  return { note: full ? 'sign_up_full' : 'sign_up_few' };
}

const large = (label, note, sign, onclick, css) => h('button', { type: 'button', class: `deed ${css}`, onclick },
  icon(sign, 'deed-icon'), h('span', { class: 'deed-words' }, h('strong', {}, label), note && h('span', {}, note)));

export function attract(app) {
  const { bundle } = app;
  const all = bundle.offers ?? ['sign_up', 'check_in', 'idea', 'how_it_was'];
  // Nobody arrives at what does not take place; an idea is welcome all the same.
  const offers = bundle.event.cancelled ? all.filter((one) => one === 'sign_up' || one === 'idea') : all;
  const asks = bundle.room?.takes_questions;
  const { why, note } = signing(bundle);
  const go = (screen, draft = {}) => () => app.show(screen, { draft });
  return [
    h('div', { class: 'totem-scene' }, plan()),
    h('div', { class: 'totem-deeds' },
      h('p', { class: 'totem-title' }, h('strong', {}, h('bdi', {}, bundle.event.title)),
        h('span', {}, moment(bundle.event.starts_at))),
      h('h1', { tabindex: '-1' }, t('hello')),
      offers.includes('sign_up') && (why ? h('p', { class: 'totem-note' }, icon('it-info-circle'), t(why))
        : large(t('sign_up'), t(note), 'it-pencil', go('sign_up', { party_size: 1, step: 0, answers: {} }), 'deed-main')),
      offers.includes('check_in') && large(t('arrive'), t('arrive_more'), 'it-check-circle', go('arrive'), 'deed-wide'),
      offers.includes('idea') && large(t('idea'), null, 'it-comment', go('say', { kind: 'idea' }), ''),
      asks && large(t('question'), null, 'it-help-circle', go('say', { kind: 'question' }), ''),
      offers.includes('how_it_was') && large(t('how'), null, 'it-star-full', go('how'), asks ? 'deed-wide' : '')),
  ];
}

/** Nobody can write here now: for a moment, or because the Lab has taken the tablet off. */
export function paused() {
  const why = line.state === 'revoked' ? 'revoked' : 'paused';
  return [h('div', { class: 'totem-scene' }, plan()),
    h('div', { class: 'totem-deeds' }, h('h1', { tabindex: '-1' }, t(`${why}_title`)), h('p', { class: 'totem-lead' }, t(`${why}_text`)))];
}
