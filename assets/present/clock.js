/* The speaker's clock: how long the talk and its station have lasted. It keeps running across a reload. */

/** @typedef {{ begun: number, paused: number | null, station: string, stationBegun: number }} Times in ms */

/** @param {number} now @returns {Times} */
export const newTimes = (now) => ({ begun: now, paused: null, station: "", stationBegun: now });

/**
 * Begins the time of another station.
 * @param {Times} times
 * @param {string} station
 * @param {number} now
 */
export function enterStation(times, station, now) {
  if (station !== times.station) Object.assign(times, { station, stationBegun: times.paused ?? now });
}

/**
 * Stops the clock, or starts it again from where it stopped.
 * @param {Times} times
 * @param {number} now
 */
export function pauseOrGoOn(times, now) {
  if (times.paused === null) {
    times.paused = now;
    return;
  }
  const rest = now - times.paused;
  Object.assign(times, { begun: times.begun + rest, stationBegun: times.stationBegun + rest, paused: null });
}

/**
 * Seconds that the talk and its station have lasted.
 * @param {Times} times
 * @param {number} now
 */
export function elapsed({ begun, paused, stationBegun }, now) {
  const at = paused ?? now;
  return { talk: Math.max(0, (at - begun) / 1000), station: Math.max(0, (at - stationBegun) / 1000) };
}

/**
 * Seconds as minutes, like 1:05, or with hours, 1:00:05.
 * @param {number} seconds
 */
export function minutes(seconds) {
  const whole = Math.floor(seconds);
  /** @param {number} value */
  const two = (value) => String(value).padStart(2, "0");
  const [hours, rest] = [Math.floor(whole / 3600), `${two(whole % 60)}`];
  const middle = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(middle)}:${rest}` : `${middle}:${rest}`;
}
