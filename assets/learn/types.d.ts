/* The shapes of a lesson. Only the type checker reads this file; README.md says what the parts mean. */

import type { CueSource, Files, Trace, TraceMessage } from "../player/types.js";

/** A text in one language for all readers, or by language. */
export type Text = string | Record<string, string>;

export interface Figure {
  of?: string;
  run?: string;
  step?: number;
  node?: number;
  other?: number;
  figures?: string[];
  value?: number;
  source?: string;
  digits?: number;
}

export interface Scene {
  run?: string;
  step?: number;
  beat?: number;
  view?: string;
  panels?: string[];
  highlight?: Highlight;
}

export interface Highlight {
  node?: number;
  rank?: number;
  token?: number;
}

export interface Prediction {
  kind: "choice" | "number" | "node" | "rank" | "token";
  answer?: string;
  within?: number;
  least?: number;
  most?: number;
  options?: { text: Text; is?: number }[];
  right?: number;
  sealed?: string;
}

export interface Bar {
  text: Text;
  figure: string;
  unit?: string;
  group?: Text;
  sealed?: boolean;
}

export interface Station {
  station: string;
  seconds?: number;
  title: Text;
  story?: Text;
  question: Text;
  reveal: Text;
  remember: Text;
  notes?: Text;
  scene?: Scene;
  reveal_scene?: Scene;
  predict?: Prediction;
  bars?: Bar[];
  open?: "compare" | "watch";
  done?: "predicted" | "revealed" | "remembered";
}

export interface Lesson {
  kind: "lesson";
  schema: number;
  lesson: string;
  title: Text;
  runs: Record<string, string>;
  traces?: Record<string, TraceMessage>;
  figures?: Record<string, Figure>;
  stations: Station[];
  practice?: string[];
}

/** What a figure is: a number, or the words of tokens. */
export type Value = number | string;

/** A piece of a text: words, or a figure as written; `token` where the figure is the words of tokens. */
export interface Piece {
  text: string;
  token: boolean;
}

/** A visitor's prediction at a station; `right` is null where nothing is right or wrong. */
export interface Answer {
  said: number;
  right: boolean | null;
  /** What a race measured for it. */
  measured?: Measured;
  /** Set where a followed session counts it and accepts another one until the answer is shown. */
  counted?: boolean;
}

/** Of a race: the method with the most tokens a pass, which lane was first by passes and by time, and by how much. */
export interface Measured {
  title: string;
  mean: number;
  fewest: string;
  more: string;
  fewer: number;
  first: string;
  second: string;
  behind: number;
}

/** A practised step: the predicted and the accepted number of tokens. */
export interface Practised {
  run: string;
  step: number;
  said: number;
  was: number;
}

export interface Progress {
  answers: Record<string, Answer>;
  /** By station, the last cue that was seen there, counted from 1. */
  seen: Record<string, number>;
  at: number;
}

/** Keeps texts by name: localStorage, where it may be used. */
export interface Store {
  getItem(name: string): string | null;
  setItem(name: string, text: string): void;
}

/** Keeps them as long as the browser's tab is open: sessionStorage, where it may be used. */
export interface TabStore extends Store {
  removeItem(name: string): void;
}

export interface LessonOptions {
  lesson: Lesson;
  /** The recorded run of a name as JSON; null where there is none. */
  fetchRun: (name: string) => Promise<string | null>;
  /** Opens another part of the page; without it nothing leads there. */
  open?: (where: string) => void;
  /** Where to begin: station and cue, counted from 1; null: where the visitor was. */
  start?: { station: number; cue: number } | null;
  /** The address of a cue; without it stations have no links of their own. */
  link?: ((station: number, cue: number) => string) | null;
  /** The lesson as a document that opens at a cue; without it nothing can be saved. */
  page?: (station: number, cue: number) => Promise<string>;
  store?: Store | null;
  /** Keeps a lesson from a file across a reload; without it the page's own lesson comes back. */
  tab?: TabStore | null;
  language?: string;
  /** Between 0 and 1, for the choice of an unseen step. */
  random?: () => number;
}

export interface LessonApi {
  source: CueSource;
  /** Opens a lesson from a file; never throws, and shows what is wrong. */
  open(text: string): Promise<void>;
  /** Resolves when the first cue is shown. */
  ready: Promise<void>;
}

export interface Runs {
  get(name: string): Promise<Trace>;
  have(name: string): Trace | null;
}

/** What a lesson says, in the reader's language. */
export interface Sayings {
  value(figure: string): number;
  /** A figure in words. */
  write(figure: string): string;
  plain(text: Text | undefined): string;
  nodes(text: Text | undefined): Node[];
  /** The right answer to a prediction, as a number. */
  answer(predict: Prediction): number;
  /** The same in words; "" where nothing is right or wrong. */
  right(station: Station): string;
  /** What was picked in the player. */
  picked(station: Station, place: number): string;
}

/** What the parts of a lesson are painted from, and the actions that they call. */
export interface Talk {
  lesson: Lesson;
  runs: Runs;
  progress: Progress;
  say: Sayings;
  /** The current cue, counted from 0; the unseen step comes after those of the stations. */
  at: number;
  options: LessonOptions;
  /** Whether the lesson is the page's own and not one from a file. */
  isOwn: boolean;
  /** Its place among the lessons that the visitor has chosen, counted from 1. */
  number: number;
  go(to: number, focus?: boolean): void;
  /** Keeps a prediction and goes on. */
  settle(station: Station, said: number): void;
}

/** A lesson in the page: its element, and what a visitor does in it. */
export interface Visit {
  element: HTMLElement;
  options: LessonOptions;
  view: LessonView;
  files: LessonFiles;
  /** Null until the runs have loaded. */
  talk: Talk | null;
  /** Null where nothing is predicted. */
  field: PredictionField | null;
  /** Null before the visitor comes to the end. */
  practice: Practice | null;
  /** Whether the lesson is being saved as a page. */
  saving: boolean;
  /** How many lessons the visitor has chosen. */
  chosen: number;
}

export interface LessonView extends Record<"title" | "score" | "list" | "error" | "article" | "bars" | "files", HTMLElement> {
  stage: Stage;
}

export type LessonFiles = Files & Record<"own" | "link" | "save", HTMLButtonElement>;

/** What the unseen steps after the stations need. */
export interface PracticeHost {
  lesson: Lesson;
  runs: Runs;
  store?: Store | null;
  random(): number;
  /** Shows a step on the stage. */
  show(trace: Trace, scene: Scene, sealed: boolean): void;
  fail(fault: unknown): void;
}

export interface Practice extends PracticeHost {
  view: PracticeView;
  practised: Practised[];
  /** The step that is asked about. */
  now: { trace: Trace; step: number } | null;
}

export interface PracticeView extends Record<"element" | "question" | "form" | "another" | "verdict" | "tally", HTMLElement> {
  input: HTMLInputElement;
  check: HTMLButtonElement;
}

export interface PredictionField {
  element: HTMLElement;
  /** Null before a prediction is made. */
  value(): number | null;
  pick(place: number): void;
  /** Shows a prediction that may still be changed. */
  show(said: number): void;
  /** Shows the final prediction (-1: none) and, among options, the right one. */
  tell(said: number, right: number | null): void;
}

export interface Stage {
  element: HTMLElement;
  /** Few nodes and large signs, for a lecture hall. */
  enlarge(on: boolean): void;
  /** Shows a step of a run; null: nothing. sealed: its beats can't be gone through yet. picks: what can be picked in it. */
  show(trace: Trace | null, scene: Scene, how: { sealed: boolean; picks: "node" | "rank" | "token" | "" }): void;
}
