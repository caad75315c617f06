/* The shapes of exports. */

import type { Step, Trace, TraceMessage } from "../player/types.js";

/** A step at one of its beats. */
export interface Still {
  trace: Trace;
  /** Counted from 1. */
  number: number;
  step: Step;
  beat: number;
}

export interface FilmFrame {
  svg: string;
  /** Milliseconds that it stays. */
  time: number;
}

/** What the command line asks `draw.js` for. */
export interface DrawRequest {
  kind: string;
  trace: TraceMessage;
  /** As typed; empty for all, or for a selection in homework. */
  steps: string;
  beat: number;
  notes?: Record<string, string>;
}

/** An entry of the menu. */
export interface Export {
  name: string;
  group: "of-step" | "of-steps" | "of-run";
  /** Not in this page. */
  hidden?: boolean;
  /** Whether it is offered after all, asked once when the menu opens. */
  offered?(): Promise<boolean>;
  /** `steps`: the text of the field. */
  action(steps: string): unknown;
}

export interface TakeMenu {
  opener: HTMLButtonElement;
  panel: HTMLElement;
  buttons: HTMLButtonElement[];
}
