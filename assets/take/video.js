/* A film as MP4, which ffmpeg makes where the app runs; an exported page has no server. */

import { t } from "../page/i18n.js";
import { translated } from "../page/translated.js";
import { isServed } from "../player/exported.js";

/** Next to the page's own files, whatever path a proxy puts in front of them. */
const route = () => new URL("../../video", import.meta.url);

/** Whether the app makes videos for this visitor. */
export async function hasVideos() {
  if (!isServed()) return false;
  const reply = await fetch(route()).catch(() => null);
  return Boolean(reply && reply.ok && (await answerOf(reply)).mp4);
}

/**
 * A film in WebP as MP4.
 * @param {Uint8Array<ArrayBuffer>} film
 * @throws {Error} with one sentence, in the reader's language, where the app does not answer, or refuses
 */
export async function videoOf(film) {
  const reply = await fetch(route(), { method: "POST", body: film }).catch(() => null);
  if (!reply) throw new Error(t("export.no-video"));
  if (!reply.ok) throw new Error(translated((await answerOf(reply)).detail || t("export.no-video")));
  return new Uint8Array(await reply.arrayBuffer());
}

/**
 * What the app says; nothing where the answer is that of a proxy or of a server in trouble, which is no JSON.
 * @param {Response} reply
 * @returns {Promise<{ mp4?: boolean, detail?: string }>}
 */
const answerOf = (reply) => reply.json().catch(() => ({}));
