/* Addresses of cues: ?lesson=7&cue=2, stations and cues counted from 1. */

import { CUES } from "./places.js";

/**
 * The cue that an address's query asks for; null for none.
 * @param {string} query
 */
export function startIn(query) {
  const asked = new URLSearchParams(query);
  const station = Number(asked.get("lesson"));
  const cue = Number(asked.get("cue") || 1);
  if (!Number.isInteger(station) || station < 1 || station > 1000) return null;
  return { station, cue: Number.isInteger(cue) && cue >= 1 && cue <= CUES.length ? cue : 1 };
}

/** @param {string} address of the page @param {number} station @param {number} cue */
export function addressOf(address, station, cue) {
  const url = new URL(address);
  url.hash = "";
  for (const name of ["run", "step", "follow"]) url.searchParams.delete(name);
  url.searchParams.set("lesson", String(station));
  url.searchParams.set("cue", String(cue));
  return url.href;
}
