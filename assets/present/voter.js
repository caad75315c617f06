/* A follower's votes, and the ticket that the server counts them by; a reload keeps both. */

import { sourceNamed } from "../page/cues.js";
import { t } from "../page/i18n.js";
import { Refused, ask } from "./events.js";
import { paint, say } from "./follow_bar.js";
import { placeOf } from "./place.js";
import { keep, recall } from "./storage.js";

/** @import { Guest, Question } from "../player/types.js" */

const STORE = "logitspec.follow";
const PATIENCE = 10_000; // ms for an answer

/** What this tab kept before a reload. */
export const recallVoter = () => recall(STORE);

/** Keeps the ticket and the choices that count, until the lecture is over. @param {Guest} guest */
export const remember = ({ over, code, ticket, counted }) => keep(STORE, over ? null : { code, ticket, counted });

/** Takes the server's ticket; nothing is counted by a new one. @param {Guest} guest @param {string} ticket */
export function takeTicket(guest, ticket) {
  if (ticket !== guest.ticket) Object.assign(guest, { ticket, chosen: {}, counted: {} });
  remember(guest);
}

/** Counts a prediction made in the view at the lecturer's question. @param {Guest} guest @param {CustomEvent} event */
export function predicted(guest, event) {
  const { place, over, lost } = guest;
  const found = place && sourceNamed(place.view);
  const own = found && placeOf(found.source).question;
  if (!place || !place.question || !own || over || lost) return;
  if (own.key !== place.question.key || place.question.revealed) return;
  event.preventDefault();
  vote(guest, event.detail.choice);
}

/** @param {Guest} guest @param {number} choice its place, or the predicted number */
export function vote(guest, choice) {
  const question = guest.place && guest.place.question;
  if (!question || question.revealed) return;
  guest.chosen[question.key] = choice;
  paint(guest);
  guest.voting = guest.voting.then(() => cast(guest, question, choice));
}

/**
 * Sends a vote once the one before has arrived, since a network that falters may deliver the older one last.
 * @param {Guest} guest
 * @param {Question} question
 * @param {number} choice
 */
async function cast(guest, question, choice) {
  const { chosen, counted } = guest;
  if (chosen[question.key] !== choice) return; // another choice has followed
  const about = { ticket: guest.ticket, question: question.key, choice };
  try {
    await ask(guest.address(`${guest.code}/vote`), about, AbortSignal.timeout(PATIENCE));
    counted[question.key] = choice;
    remember(guest);
    say(guest, t("choices" in question ? "present.counted" : "present.value-counted"));
  } catch (error) {
    if (chosen[question.key] !== choice) return; // another choice has followed
    if (question.key in counted) chosen[question.key] = counted[question.key];
    else delete chosen[question.key];
    paint(guest);
    say(guest, (error instanceof Refused && error.message) || t("present.unreachable"));
  }
}
