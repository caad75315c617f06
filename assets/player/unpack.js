/* Messages in transit: as they are, or deflated and base64-encoded. */

/**
 * @param {string} value a message, packed or not
 * @returns {Promise<string>}
 */
export async function unpacked(value) {
  if (!value || value.startsWith("{")) return value;
  const bytes = Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
}
