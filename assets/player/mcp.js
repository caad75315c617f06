/* The player in a frame of an MCP client (the extension MCP Apps): the client is asked for the steps of the run that
   a tool's answer names, by messages of JSON-RPC between the windows. */

import { t } from "../page/i18n.js";
import { createPlayer } from "./player.js";
import { unpacked } from "./unpack.js";

/** @import { PlayerApi } from "./types.js" */

/** @typedef {{ id?: number | string, method?: string, params?: any, result?: any, error?: { message?: string } }} Note */

const VERSION = "2026-01-26";
const ASK_EVERY = 400; // ms, while the run goes on

/** Whether this page is inside another one, which may be a client. */
export const isFramed = () => window.parent !== window;

/**
 * Plays what the client's tools ran.
 * @param {HTMLElement} element where the player goes
 */
export async function playForClient(element) {
  const client = connect(window.parent);
  /** @param {string} run @param {number} from */
  const steps = async (run, from) => {
    const { content, isError } = await client.ask("tools/call", { name: "read_run", arguments: { run, from } });
    return isError ? null : unpacked(content[0].text);
  };
  /** @type {string | null} */
  let address = null;
  const player = createPlayer(element, { repair: steps, link: (_, step) => address && linkTo(address, step) });
  client.on("ui/notifications/tool-input", () => player.expect());
  client.on("ui/notifications/tool-result", async (answer) => {
    const { run, step, player: link } = named(answer);
    address = link;
    if (!run) return player.receive(error(answer.content?.[0]?.text || t("player.call-lost")));
    await show(player, steps, run, step);
  });
  client.on("ui/notifications/tool-cancelled", ({ reason }) => player.receive(error(reason || t("player.call-ended"))));
  client.on("ui/notifications/host-context-changed", follow);
  const { hostContext } = await client.ask("ui/initialize", {
    appInfo: { name: "LogitSpec step player", version: "1" },
    appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
    protocolVersion: VERSION,
  });
  follow(hostContext || {});
  client.tell("ui/notifications/initialized", {});
  const tellSize = () => {
    const { scrollWidth: width, scrollHeight: height } = document.documentElement;
    client.tell("ui/notifications/size-changed", { width, height });
  };
  new ResizeObserver(tellSize).observe(document.body);
}

/**
 * Fetches a run, and keeps fetching until it has ended.
 * @param {PlayerApi} player
 * @param {(run: string, from: number) => Promise<string | null>} steps
 * @param {string} run
 * @param {number | undefined} step the one to show at rest
 */
async function show(player, steps, run, step) {
  const isShown = () => player.place().run === run;
  for (let from = 0; from === 0 || isShown(); from = player.place().steps) {
    const message = await steps(run, from).catch(() => null);
    if (!message) {
      if (from === 0) player.receive(error(t("player.call-lost")));
      return;
    }
    if (from === 0 && step === undefined) player.open(message);
    else player.receive(message);
    if (from === 0 && step !== undefined) player.show(step);
    if (JSON.parse(message).finish) return;
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY));
  }
}

/** @param {any} answer of a tool; some clients pass on only its text */
function named({ structuredContent, content = [] }) {
  if (structuredContent?.run) return structuredContent;
  const text = content.map((/** @type {any} */ each) => each.text || "").join("\n");
  const [link, run, step] = /\S+\?run=([\w-]+)(?:&step=(\d+))?/.exec(text) || [];
  return { run, step: step && Number(step), player: link || null };
}

/** @param {string} address @param {number} step */
function linkTo(address, step) {
  const link = new URL(address);
  link.searchParams.set("step", String(step));
  return link.href;
}

/** @param {string} message */
const error = (message) => JSON.stringify({ kind: "error", run: "", message });

/**
 * Light or dark, as the client is.
 * @param {{ theme?: string }} context
 */
function follow({ theme }) {
  if (theme !== "light" && theme !== "dark") return;
  const { documentElement: root } = document;
  root.style.colorScheme = theme;
  root.dataset.theme = theme;
}

/**
 * A connection to the window of a client.
 * @param {Window} parent
 */
function connect(parent) {
  let last = 0;
  /** @type {Map<number | string, { resolve: (result: any) => void, reject: (error: Error) => void }>} */
  const asked = new Map();
  /** @type {Map<string, (params: any) => void>} */
  const heard = new Map();
  /** @param {Note} note */
  const send = (note) => parent.postMessage({ jsonrpc: "2.0", ...note }, "*"); // nothing in it is secret
  addEventListener("message", ({ source, data }) => {
    if (source !== parent || data?.jsonrpc !== "2.0") return;
    if (data.method) {
      heard.get(data.method)?.(data.params || {});
      if (data.id !== undefined) send({ id: data.id, result: {} }); // a ping, or the frame's end
      return;
    }
    const waiting = asked.get(data.id);
    asked.delete(data.id);
    if (data.error) waiting?.reject(new Error(data.error.message));
    else waiting?.resolve(data.result);
  });
  return {
    /** @param {string} method @param {any} params @returns {Promise<any>} */
    ask(method, params) {
      const id = (last += 1);
      send({ id, method, params });
      return new Promise((resolve, reject) => asked.set(id, { resolve, reject }));
    },
    /** @param {string} method @param {any} params */
    tell: (method, params) => send({ method, params }),
    /** @param {string} method @param {(params: any) => void} hear */
    on: (method, hear) => heard.set(method, hear),
  };
}
