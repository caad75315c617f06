/* Server-sent events by fetch, which gives the reason for a refusal, unlike EventSource. */

import { translated } from "../page/translated.js";

/**
 * Reads events until the stream ends.
 * @param {string | URL} address
 * @param {AbortSignal} signal
 * @param {(about: any) => void} on is called with the data of each; with null for a sign that the stream is still open
 * @throws {Refused} with the server's sentence in the reader's language
 */
export async function readEvents(address, signal, on) {
  const reply = await fetch(address, { signal, cache: "no-store" });
  await refuse(reply);
  if (!reply.body) return;
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop() || "";
    for (const each of events) on(each.startsWith("data: ") ? JSON.parse(each.slice(6)) : null);
  }
}

/**
 * Posts a JSON body.
 * @param {string | URL} address
 * @param {object} body
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} the JSON of the answer, null where there is none
 * @throws {Refused} with the server's sentence in the reader's language
 */
export async function ask(address, body, signal) {
  const reply = await fetch(address, {
    method: "POST",
    signal,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  await refuse(reply);
  return reply.status === 204 ? null : reply.json();
}

/** @param {Response} reply */
async function refuse(reply) {
  if (reply.ok) return;
  const { detail = "" } = await reply.json().catch(() => ({}));
  throw new Refused(reply.status, translated(detail));
}

/** A refusal of the server, with its sentence. */
export class Refused extends Error {
  /** @param {number} status @param {string} sentence */
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}
