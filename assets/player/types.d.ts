/* The shapes that the page's scripts pass to one another. Only the type checker reads this file. */

/* The trace, as JSON (logitspec/trace/records.py) */

/** Texts of the catalogue by key; a text that has plural forms has them by their category. */
export type Texts = Record<string, string | Record<string, string>>;

/** A value for a placeholder of a text. */
export type Value = string | number | null | undefined;

/** Bytes of a token: as text where they are UTF-8 by themselves, else in hexadecimal digits. */
export type Spelling = string | { hex: string };

export type Vocabulary = Record<string, Spelling>;

/** [origin, rank, probability, match length, copied from, key]; what does not apply is null or left out at the end. */
export type ProvenanceRow = [
  origin: string,
  rank?: number | null,
  probability?: number | null,
  match?: number | null,
  from?: number | null,
  key?: string | null,
];

/** One step. Lists by node have node 0, the root, first. */
export interface StepRow {
  /** Absolute position of the root. */
  position: number;
  /** Best tokens of the logits that chose the root, best first. */
  last: { ids: number[]; probs: number[] };
  tokens: number[];
  /** The root's parent is -1; parents come before their children. */
  parents: number[];
  provenance: ProvenanceRow[];
  /** The target's own token after each node. */
  choices: number[];
  /** Accepted nodes, root first. */
  path: number[];
  seconds: { draft: number; verify: number; accept: number; commit: number; device?: number };
}

export interface TraceHeader {
  schema: number;
  run: string;
  method: string;
  options?: Record<string, any>;
  recorded?: string;
  prompt?: string | null;
  prompt_ids: number[];
  max_new_tokens: number;
  vocabulary: Vocabulary;
  finish?: string | null;
  error?: string | null;
  prefill_seconds?: number;
  baseline?: Baseline;
  model: { id: string; dtype: string; device: string };
  environment: Environment;
  /** A seed that a JavaScript number would round is a string. */
  sampling?: { seed?: number | string };
}

/** What ran. `forward_costs`: milliseconds of a forward, by number of rows; `padded`: rows are padded to the next of these. */
export interface Environment {
  forward_costs?: { rows: number[]; milliseconds: number[]; padded?: boolean };
  [name: string]: any;
}

/** Plain decoding on the same machine, which a speed-up is measured against. */
export interface Baseline {
  seconds_per_token: number;
  method: string;
}

/** A whole trace: a message and a file. */
export type TraceMessage = TraceHeader & { kind?: string; autoplay?: boolean; at?: number; scene?: boolean; steps?: StepRow[] };

/** What a value of a file may be: a subset of JSON Schema (assets/schema.json). */
export interface Rule {
  $ref?: string;
  type?: string | string[];
  enum?: (string | null)[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  prefixItems?: Rule[];
  items?: Rule;
  maxProperties?: number;
  required?: string[];
  properties?: Record<string, Rule>;
  propertyNames?: Rule;
  additionalProperties?: Rule | boolean;
}

/* The trace, as the player holds it (trace.js) */

export type NodeState = "accepted" | "rejected" | "uncompared";

export interface Provenance {
  origin: string;
  rank: number | null;
  probability: number | null;
  /** Length of the n-gram or suffix that matched. */
  match: number | null;
  /** Absolute position that the token was copied from. */
  from: number | null;
  key: string | null;
}

export interface Step {
  row: StepRow;
  depths: number[];
  states: NodeState[];
  /** Nodes without the root. */
  drafted: number;
  deepest: number;
  /** Of decoding. */
  seconds: number;
  origins: Provenance[];
}

/** Sums over the steps up to one. */
export interface Totals {
  /** Tokens of the text, prompt included. */
  end: number;
  seconds: number;
  device: number;
  drafted: number;
  accepted: number;
}

export interface Trace {
  header: TraceHeader;
  run: string;
  /** By token id. */
  bytes: Map<number, Uint8Array>;
  spelt: Map<number, Segment[]>;
  steps: Step[];
  /** By position: the token, its step counted from 1 (0: the prompt), its node there (-1), and the position of the
      token in which a character that this token is part of begins. */
  ids: number[];
  stepOf: number[];
  nodeOf: number[];
  groupOf: number[];
  /** Bytes at the end of the text that begin a character. */
  tail: Uint8Array;
  /** Origins of all nodes. */
  uses: Set<string>;
  promptLength: number;
  /** Before the first step, after the first step, ... */
  totals: Totals[];
}

/** Whole characters of a token (`text`), or bytes that make none, in hexadecimal digits with spaces between. */
export interface Segment {
  text?: string;
  hex?: string;
}

/** Where a token was copied from, and the n-gram [from, up to) before the first token of the copy. */
export interface Source {
  from: number;
  match: [number, number];
}

/** A stretch of the text that nodes were copied from. `start` is the first of them. */
export interface Stretch {
  start: number;
  nodes: number[];
  from: number;
  to: number;
  match: [number, number];
}

/* Messages from Python */

export interface ResetMessage {
  kind: "reset";
  run: string;
  trace: TraceHeader;
}

/** Steps from number `from` (0-based) on; `finish` is set where they are the last. */
export interface StepsMessage {
  kind: "steps";
  run: string;
  from: number;
  steps: StepRow[];
  vocabulary?: Vocabulary;
  prefill_seconds?: number;
  environment?: Environment;
  finish?: string | null;
  error?: string | null;
}

export interface ErrorMessage {
  kind?: "error";
  run?: string;
  message?: string;
}

/** What a waiting visitor may expect: turns before theirs, and seconds, where they are known. */
export interface Outlook {
  ahead: number;
  seconds: number | null;
}

export type WaitingMessage = Outlook & { kind?: "waiting" };

export type Message = ResetMessage | StepsMessage | (TraceMessage & { kind: "trace" }) | (ErrorMessage & { kind: "error" });

/* The player's state, and the frames that panels are painted from */

export type Speed = number | string;

export type StateName = "idle" | "running" | "paused" | "done" | "error";

export interface Settings {
  /** Shown to a lecture hall: few nodes, signs in sight, no controls. */
  stage?: boolean;
  whitespace: boolean;
  lecture: boolean;
  treeView: string;
}

/** What the pointer or the focus is on. */
export type Pointed = { node: number } | { position: number } | { rank: number };

export interface PlayerState {
  trace: Trace | null;
  /** Steps done, 0 to n. */
  cursor: number;
  /** Whether the newest step is shown when it arrives. */
  follow: boolean;
  live: boolean;
  error: string | null;
  /** A run was requested and nothing of it has arrived. */
  expecting: boolean;
  /** The outlook of the requested run, while it waits. */
  outlook: Outlook | null;
  /** The previous run and its cursor: shown until the requested one's first step, and kept if that can't start. */
  before: Trace | null;
  cursorBefore: number;
  playing: boolean;
  moving: boolean;
  /** The one step that is told by itself, with few nodes, drawn large; 0 for none. */
  scene: number;
  dragged: boolean;
  speed: Speed;
  beat: number;
  settings: Settings;
  pointed: Pointed | null;
  /** Whether the next picture is also announced in words. */
  announce: boolean;
  /** Messages that arrived before the steps they follow. */
  waiting: StepsMessage[];
  /** Runs that others have replaced. */
  retired: Set<string>;
  /** The run whose beginning was requested. */
  request?: string;
}

interface AnyFrame {
  cursor: number;
  /** 1 last logits, 2 speculate and retrieve, 3 verify, 4 accept or reject, 5 commit, also for a step at rest. */
  beat: number;
  /** Tokens of the text before the step, and those that are shown. */
  previous: number;
  visible: number;
  name: StateName;
  playing: boolean;
  /** The motion that leads to the beat is under way. */
  moving: boolean;
  /** The step is told by itself: few nodes, drawn large. */
  scene: boolean;
  pointed: Pointed | null;
  settings: Settings;
  /** This picture is shown too briefly for small print. */
  hurried: boolean;
}

export type AnyTraceFrame = AnyFrame & { trace: Trace | null };
export type StepFrame = AnyFrame & { trace: Trace; step: Step };
export type TraceFrame = AnyFrame & { trace: Trace; step: Step | null };

/** What every panel is painted from, the same for all; no panel may change anything in it. */
export type Frame = StepFrame | (AnyFrame & { trace: Trace; step: null }) | (AnyFrame & { trace: null; step: null });

/** A node of the tree in every form that it has; null for the forms that it lacks. */
export interface NodeLink {
  number: number;
  step: Step;
  node: number;
  rank: number | null;
  position: number | null;
}

/** The same for a node, a rank that was not drafted, or a token of the prompt. */
export type Link =
  | NodeLink
  | { number: number; step: Step; node: null; rank: number; position: null }
  | { number: number; step: null; node: null; rank: null; position: number };

/** A still of a run: the cursor counts from 1. */
export interface Still {
  cursor: number;
  beat: number;
}

/* Parts of the page */

/** A part of the player: an element, painted from frames. */
export interface Part {
  element: HTMLElement;
  paint(frame: Frame): void;
}

export type TextPanel = Part & {
  body: HTMLElement;
  boxOf(position: number): Box | null;
  boxesOf(from: number, to: number): Box[];
  sideOf(position: number): "inside" | "above" | "below" | null;
  scrollTo(position: number): void;
};

/** A part that knows where it has drawn a node or a rank: null when it is out of sight. */
export type PanelWithBoxes = Part & { boxOf(number: number): Box | null };

export interface Panels {
  text: TextPanel;
  tree: PanelWithBoxes;
  logits: PanelWithBoxes;
}

/** Edges of a box in px, in the coordinates of the window. */
export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Panel {
  element: HTMLElement;
  body: HTMLElement;
  note: HTMLElement;
}

/** Options of players and of race views. */
export interface ViewOptions {
  /** Asks for the steps of a run from a number (0-based) on. */
  repair?: ((run: string, from: number) => Promise<any>) | null;
  /** The address that shows a step of a run; null for a run that has none. */
  link?: ((run: string, step: number, beat: number) => string | null | Promise<string | null>) | null;
  /** Is told the run and the place that the viewer moved to. */
  onSelect?: (run: string, place: any) => void;
  /** Is called when steps or a trace have arrived. */
  onTrace?: () => void;
  /** Is called when the viewer has opened a file. */
  onOpened?: () => void;
  /** Answers the question that a scene ends with. */
  why?: (() => void) | null;
  /** Ends the waiting for a run. */
  giveUp?: (() => void) | null;
  /** A message to begin with. */
  initial?: string | Message;
  /** The host decides what is shown: the player has no controls but those of its panels and beats, and no cues. */
  driven?: boolean;
}

/** What a host can do with a player or with a view of a race. */
export interface View {
  /** Gets ready for a requested run. */
  expect(): void;
  receive(message: any): void;
  /** Plays a run from a file, from its start. */
  open(message: any): void;
  show(place: any): void;
  /** Shows the still of a beat (1 to 5) of the current step, where a view has beats. */
  beat?(beat: number): void;
  play(): void;
  /** The run so far as a message. */
  snapshot(): string | null;
  /** Where the viewer is, `follow` when that is the newest step, `scene` when it is told, and how many steps there are. */
  place(): { run: string; cursor: any; follow: boolean; steps: number; beat?: number; scene?: boolean };
}

export type PlayerApi = View & {
  /** Shows the still of a beat (1 to 5) of the current step. */
  beat(beat: number): void;
  /** Shows the still of a beat of a step, with the motion that leads there if the beat before is shown. */
  still(cursor: number, beat: number): void;
  point(pointed: Pointed | null): void;
  set(settings: Partial<Settings>): void;
  pause(): void;
  /** The run's prompt, method and model. */
  about(): { prompt?: string | null; method: string; model: string };
};

export type Transport = { element: HTMLElement; paint(state: TransportState): void };

export interface TransportState {
  state: StateName;
  steps: number;
  busy: boolean;
  speed: Speed;
  badge: string;
  status: string;
  settings: Settings;
}

export type Actions = Record<string, (...values: any[]) => void>;

export interface PlayerView {
  transport: Transport;
  sheet: { element: HTMLElement; hide(): void; isOpen(): boolean; toggle(): void };
  strip: Part & { number: Part; words(): string };
  spoken: HTMLElement;
  error: HTMLElement;
  idle: HTMLElement;
  waiting: HTMLElement;
  outlook: HTMLElement;
  panels: HTMLElement;
  parts: Part[];
  /** Elements of parts that are outside the window. */
  unseen: Set<Element>;
  /** Parts that are painted in turn while steps rush by. */
  turns: Part[][];
}

export interface Player {
  element: HTMLElement;
  options: ViewOptions;
  state: PlayerState;
  view: PlayerView;
  open(text: string): void;
  repaint(now?: boolean): void;
  /** What the last picture showed. */
  picture: { trace: Trace | null; step: Step | null; hurried: boolean; stays: boolean; at: number; turn: number };
  /** The cue that was last announced. */
  cue?: string;
  /** When the current still ends, in ms; timers for that, and for the end of a motion and of a rush. */
  due: number;
  timer: Timer;
  settling: Timer;
  resting: Timer;
}

export type Timer = ReturnType<typeof setTimeout> | undefined;

/** What Gradio gives to a script of gr.HTML. */
export interface Gradio {
  element: HTMLElement;
  trigger(event: string, data: object): void;
  props: { value: string };
  server?: Record<string, (request: object) => Promise<any>>;
  watch(name: string, callback: () => void): void;
}

/** Starts the view in an element of a Gradio component. */
export type StartView = (gradio: Gradio, root: HTMLElement) => void;

/* Layout of the tree (layout.js) */

/** Of a node, in letter heights: its chip, and the slot that it needs with the line under it. */
export interface Widths {
  chip: number;
  slot: number;
}

/** An SVG path: a "line" to its node, a "trunk" or "bus" shared by the nodes `of`, a "drop" from a bus. */
export interface Edge {
  kind: string;
  node: number | null;
  of: number[];
  path: string;
}

export interface Layout {
  /** Left, top and width of each chip. */
  nodes: { x: number; y: number; width: number }[];
  edges: Edge[];
  /** Nodes in reading order, line by line. */
  order: number[];
  width: number;
  height: number;
}

/** The inside of the tree's box in px, and the height of a letter there. */
export interface Room {
  width: number;
  height: number;
  letter: number;
}

/* Files */

/** The row of file buttons of a view. */
export interface Files {
  player: { element: HTMLElement; open(text: string): void };
  element: HTMLElement;
  said: HTMLElement;
  silence: Timer;
  /** The file that was chosen last. */
  chosen: File | null;
}

/* The race (assets/compare) */

export interface Lane {
  /** In the reader's language. */
  title: string;
  titleWritten: string;
  trace: Trace;
}

/** Whether all lanes wrote the same. `differs_at`: the first new token at which they do not. */
export interface Verdict {
  tokens: number;
  differs_at: number | null;
  margin: number | null;
  complete: boolean;
}

export interface Race {
  name: string;
  recorded: string;
  warmUp?: number;
  verdict: Verdict | null;
  lanes: Lane[];
  /** Origins of accepted tokens. */
  origins: Set<string>;
}

/** The cost of a model's forward on a GPU, by number of rows. */
export interface GpuCosts {
  name: string;
  rows: number[];
  milliseconds: number[];
}

export interface RaceMessage {
  kind: "race";
  schema: number;
  race: string;
  recorded?: string;
  titles: string[];
  warm_up?: number;
  verdict?: Verdict | null;
  lanes: TraceMessage[];
}

/** New steps of a lane from number `from` (0-based) on. */
export interface LaneDelta {
  from: number;
  steps: StepRow[];
  vocabulary?: Vocabulary;
  finish?: string | null;
  error?: string | null;
  prefill_seconds?: number;
  environment?: Environment;
}

export interface RaceStepsMessage {
  kind: "race_steps";
  race: string;
  lanes: LaneDelta[];
  verdict?: Verdict | null;
}

export type Clock = "time" | "forwards";

export interface RaceState {
  race: Race | null;
  clock: Clock;
  /** The moment on the clock: seconds or forward passes. */
  at: number;
  speed: number;
  follow: boolean;
  playing: boolean;
  expecting: boolean;
  outlook: Outlook | null;
  /** The beginning of a race whose first step has not arrived. */
  opening: RaceMessage | null;
  error: string | null;
  /** Why a file could not be opened, until the viewer goes on. */
  refused: string | null;
  /** What screen readers say with the next picture. */
  announcement: string | null;
  /** Steps are missing and could not be fetched. */
  lost: boolean;
  waiting: RaceStepsMessage[];
  request: string;
}

export type RaceOptions = ViewOptions & { onLane?: (trace: string) => void; gpuCosts?: GpuCosts | null };

export interface RaceView {
  element: HTMLElement;
  options: RaceOptions;
  state: RaceState;
  lanes: LanePart[];
  waiting: HTMLElement;
  outlook: HTMLElement;
  frame: number;
  timer: Timer;
  last: number;
  open(text: string): void;
  repaint(now?: boolean): void;
  controls: { element: HTMLElement; paint(frame: RaceFrame): void };
  idle: HTMLElement;
  error: HTMLElement;
  spoken: HTMLElement;
  course: HTMLElement;
  legend: { element: HTMLElement; paint(race: Race): void };
  results: { element: HTMLElement; paint(race: Race | null): void };
  files: { element: HTMLElement; paint(race: Race | null): void };
}

export interface LanePart {
  element: HTMLElement;
  paint(trace: Trace, frame: LaneFrame): void;
}

export interface RaceFrame {
  race: Race | null;
  at: number;
  clock: Clock;
  speed: number;
  name: StateName;
  busy: boolean;
  status: string;
}

export interface LaneFrame {
  at: number;
  clock: Clock;
  /** Tokens that the track has room for. */
  length: number;
  place: number | null;
}

/* What some panels keep between pictures */

/** A stretch of the text that is drawn as a unit; `line`: a line begins with it. */
export interface Chunk {
  start: number;
  end: number;
  line: boolean;
}

/** A chunk on the page: its element (null within a fold), the block that it is in, a span for each token where
    they are drawn one by one, and the position up to which it is shown. */
export interface DrawnChunk {
  element: HTMLElement | null;
  block: HTMLElement | null;
  spans: HTMLElement[] | null;
  shownEnd: number;
}

export interface Fold {
  from: number;
  to: number;
}

/** The drawn text (sheet.js). */
export interface Sheet {
  body: HTMLElement;
  /** The certain next token, after the text. */
  ghost: HTMLElement;
  /** The button that unfolds the prompt's middle. */
  fold: HTMLElement;
  trace: Trace | null;
  /** Tokens that are shown. */
  visible: number;
  whitespace: boolean;
  /** Runs whose prompt was unfolded. */
  open: Set<string>;
  chunks: Chunk[];
  entries: DrawnChunk[];
  folded: Fold | null;
  /** Elements with the names of the attributes that mark them. */
  marks: [HTMLElement, string][];
  /** How many tokens were near view. */
  near: number;
}

export interface TextState {
  view: Panel;
  sheet: Sheet;
  spoken: HTMLElement;
  frame: Frame | null;
  /** Position of the keyboard's caret. */
  caret: number | null;
  /** Whether the end of the text stays in sight. */
  sticks: boolean;
  /** Where the panel last scrolled to by itself. */
  wentTo: number | null;
  lecture: boolean;
}

/** The panel of the last logits. */
export interface RanksState {
  view: Panel;
  list: HTMLElement;
  more: HTMLElement;
  log: HTMLElement;
  spoken: HTMLElement;
  frame: Frame | null;
  drawnStep: Step | null;
  drawnRows: number;
  /** The rank that the picture is about. */
  focusRank: number | null;
  caret: number | null;
  all: boolean;
  logScale: boolean;
  /** Whether the fate of drafts is read out. */
  judged: boolean;
  /** Rows that the panel has room for. */
  inSight: number;
}

export interface Zoom {
  element: HTMLElement;
  /** Sets the size at factor 1. */
  fit(size: number): void;
  /** The size of the content's letters, in those of the box. */
  size(): number;
  /** Acts on a key; false if it has no meaning here. */
  key(event: KeyboardEvent): boolean;
}

export interface Sketch {
  element: HTMLCanvasElement;
  /** Is called when steps no longer rush by. */
  rest(): void;
  /** `letter`: the height of a letter in px. */
  draw(frame: StepFrame, layout: Layout, letter: number, room: Room): void;
}

/** A layout, and the size to draw it at. */
export interface Fitting {
  layout: Layout;
  fit: number;
}

export interface TreeParts extends Panel {
  /** How many nodes a scene leaves out, and its notes. */
  others: HTMLElement;
  notes: HTMLElement;
  tree: HTMLElement;
  mask: HTMLElement;
  empty: HTMLElement;
  zoom: Zoom;
  views: { element: HTMLElement; paint(view: string, wide: boolean): void };
  sketch: Sketch;
  /** How many nodes are not drawn. */
  more: HTMLElement;
}

export interface TreeState {
  frame: Frame | null;
  /** What the drawing depends on. */
  key: any[] | null;
  room: Room | null;
  marks: Element[];
  scrolled: boolean;
  scene: boolean;
  /** The beat at which nodes are read out. */
  said: number;
}

/** A line from a drafted node (`to`) to its source (the last of `boxes`; none: it is out of sight on a `side`). */
export interface Tie {
  kind: string;
  way: (from: Box, to: Box, text: Box) => Way;
  boxes: Box[];
  to: Box | null;
  side: string | null;
  state?: NodeState;
  node: number;
}

export type SourceTie = Tie & { stretch: Stretch; state: NodeState };

/** Where a line begins, and the paths of its curve and its arrow head. */
export interface Way {
  start: Point;
  curve: string;
  head: string;
}

export interface Point {
  x: number;
  y: number;
}

export interface TiesState {
  element: HTMLElement;
  lines: SVGElement;
  pills: HTMLElement;
  flights: HTMLElement;
  panels: Panels;
  frame: Frame | null;
  key: string;
  timer: Timer | null;
  /** The animation frame that was requested, to draw in. */
  request: number | null;
}

/** What parts of the player report to it: what is pointed at, the step of a chosen token, a changed setting. */
export interface Callbacks {
  point(pointed: Pointed | null): void;
  pick(step: number): void;
  set(settings: Partial<Settings>): void;
}

/** How a text breaks: whether a line ends with the token at a position, whether a character continues there from the
    token before, and where chunks always end. */
export interface LineBreaks {
  endsLine(position: number): boolean;
  inside(position: number): boolean;
  borders: number[];
}

/** Marks the token at a position with an attribute. */
export type Mark = (position: number, name: string, value: string) => void;

/** A layout of the tree that is being made; `children` per node in groups to draw. */
export interface Plan {
  widths: Widths[];
  room: number;
  children: number[][][];
  nodes: Layout["nodes"];
  edges: Edge[];
  order: number[];
  lines: number;
}

/** Colours by name and the font of the tree while steps rush by. */
export interface Looks {
  colours: Record<string, string>;
  font: string;
}

export interface OverviewState {
  trace: Trace | null;
  steps: number;
  /** Tokens of the longest step. */
  most: number;
  /** Paths of the bars: roots, and accepted drafts over them. */
  roots: string;
  drafts: string;
  markKey: string | null;
}

export type TraceFiles = Files & {
  player: { options: ViewOptions };
  trace: Trace | null;
  cursor: number;
  beat: number;
};

/** A step, counted from 1, at one of its beats. */
export interface StepPlace {
  step: number;
  beat: number;
}

export type RaceFiles = Files & { race: Race | null };

/** How a view is kept in a page (adapter.js). */
export interface Keeping {
  /** A name for what is stored in the browser. */
  store: string;
  /** The run that a message belongs to, and whether it ends the run. */
  subject(message: any): { run?: string; finish?: any };
  /** The window's events for a requested run, and for a press on Stop. */
  waiting: string;
  stop: string;
  /** The selector of the Stop button, which also ends the waiting. */
  stopButton: string;
  /** Is told where the viewer is. */
  onSelect?: (run: string, place: any) => void;
  /** Whether there are addresses that lead to what is shown. */
  links?: boolean;
  /** Is called when the run of a link or of a file is shown. */
  onOpened?: () => void;
  /** Answers the question that a scene ends with. */
  why?: () => void;
}

/** Where a viewer is in a run. */
export interface ViewPlace {
  run: string;
  cursor: any;
  beat?: number;
  follow: boolean;
}

/** A view in a page of Gradio (adapter.js). */
export interface ViewInPage {
  readonly root: HTMLElement;
  readonly about: Keeping;
  /** What the page can ask of the server. */
  readonly server: NonNullable<Gradio["server"]>;
  view: View;
  /** The run that a message in JSON belongs to, and whether it ends the run. */
  subject(text: string | null): { run?: string; finish?: any };
  saver: Timer;
  /** The run whose steps this page keeps requesting. */
  following: string | null;
  /** The recorded run or race that was opened last, as a message. */
  opened: string;
  lastMessageAt: number;
  /** For a run, of which nothing has arrived yet. */
  asked: boolean;
  /** The run that this page started. */
  mine: string;
  /** The same, while only its beginning has arrived: a race is shown from its first step on. */
  begun: string;
  /** Ends once the values so far are shown. */
  turn: Promise<any>;
}

/** A bar with its number in words; `share`: of the longest bar, 0 to 1. */
export interface BarRow {
  title: string;
  number: string;
  parts: BarPart[];
}

export interface BarPart {
  share: number;
  origin?: string | null;
  kind?: string | null;
}

/** The drawn text of a lane. */
export interface LaneText {
  trace: Trace | null;
  spans: HTMLElement[];
  newest: HTMLElement[];
}

export type Attributes = Record<string, string | number | boolean | null | undefined>;

/** How tokens of an origin look (assets/origins.json). */
export interface OriginLook {
  /** In legends, with what it means. */
  name: string;
  meaning: string;
  /** After "came", and next to its sign in a saved picture. */
  title: string;
  /** Whether the player's legend has it even for runs that lack it. */
  always: boolean;
  colour: { light: string; dark: string };
  more_contrast: { light: string; dark: string };
  /** Radii of a node's corners, in letter heights, one to four as in border-radius. */
  corners: number[];
  /** More CSS for its nodes and chips, its tokens in the text, and edges to its nodes. */
  chip: Record<string, string>;
  underline: Record<string, string>;
  edge: Record<string, string>;
  edge_accepted: Record<string, string>;
  /** Height of its blocks on the track of a race, in percent. */
  track_height: number;
}

/* Cues (assets/page/cues.js) */

/** A stop of a talk. */
export interface Cue {
  /** Shown on the screen in large letters. */
  title: string;
  kind: "question" | "reveal" | "sentence" | "step";
  /** For the speaker alone. */
  notes: string;
  /** For the speaker: what the next reveal will show; "" where nothing is asked. */
  answer: string;
  /** The time that the speaker plans to spend here. */
  seconds: number;
  /** Cues of one station follow each other and share a budget, the sum of their seconds. */
  station?: string;
  /** What is to be predicted, what may be chosen, and the place of the right choice, or of all that
      are. Without choices and without values nothing is counted. */
  question?: string;
  choices?: string[];
  right?: number | number[];
  values?: Values;
}

/** A live race in which every lane ended by itself. */
export interface RaceOutcome {
  lanes: { title: string; plain: boolean; tokens: number; passes: number; seconds: number }[];
}

/** What is asked for where there are no choices: a number, or the number of a node or a row. */
export interface Values {
  least: number;
  most: number;
  whole: boolean;
  /** What the visitor of this page predicted; null before. */
  said: number | null;
  /** A value in words. */
  write(value: number): string;
  isRight(value: number): boolean;
}

/** Votes by choice; or by value, the least first, and last, with null, those for other values. */
export type Counts = number[] | [value: number | null, count: number][];

/** What can be done with a view's cues, which are numbered from 0. */
export interface CueSource {
  /** "player", "lesson", "race", "why": views that are in the page at the same time have different names. */
  name: string;
  length(): number;
  /** -1 where there is nothing to show. */
  at(): number;
  go(index: number): void;
  describe(index: number): Cue;
  /** What the view shows, in a few hundred bytes of JSON without any visitor's text, such as the name of a recorded run,
      a lesson or a race; null for what others must not see, such as the run of a visitor's own prompt. Sources without
      it show the same to everybody. */
  place?(): object | null;
  /** Shows a `place` of the same view in another page; false where it can't. */
  show?(place: any): boolean | Promise<boolean>;
  /** Is told whether the page is a stage now: large, without controls. */
  stage?(on: boolean): void;
}

/* Presenting and following (assets/present) */

export interface Presenter {
  /** Presents the view in sight; false where there is nothing to present. */
  start(): boolean;
  leave(): void;
  isOn(): boolean;
}

export interface Stage {
  element: HTMLElement;
  black: HTMLElement;
  light: HTMLElement;
  help: HTMLElement;
  /** Makes a view fill the window. */
  hold(root: HTMLElement): void;
  release(): void;
  /** `question`: the one that is asked or answered; `counts`: of its votes, where they show; `spoken`: whether screen
      readers must announce the headline, since the view doesn't. */
  paint(
    cue: Cue,
    about: { station: string; typed: string; here: string; question: Cue | null; counts: Counts | null; spoken: boolean },
  ): void;
}

/** What the speaker's window shows; times in seconds. */
export interface Speaking {
  place: string;
  cue: Cue;
  next: Cue | null;
  answer: string;
  spent: { talk: number; station: number };
  budget: number;
  paused: boolean;
  hall: string;
  counts: Counts | null;
  question: Cue | null;
  black: boolean;
}

/** What a presenter's page knows of a talk (present.js). */
export interface Talk {
  readonly hall: Hall | null;
  readonly stage: Stage;
  readonly light: { isOn(): boolean; set(on: boolean): void };
  readonly speaker: { isOpen(): boolean; open(): boolean; close(): void; paint(about: Speaking): void };
  /** The presented view and its name; null and "" while nothing is presented. */
  root: HTMLElement | null;
  view: string;
  /** Digits, of which Enter makes the number of a station. */
  typed: string;
  black: boolean;
  /** Whether the speaker's window is kept up to date, and opened again after a reload. */
  speaking: boolean;
  times: import("../present/clock.js").Times;
  /** Until when a press on Present waits for a view that is still to come, in ms. */
  wanted: number;
  /** What was presented before the reload, until its view is there; and until when it may come back, in ms. */
  before: any;
  readonly late: number;
}

/** A lecture that others follow, as its lecturer's page sees it. */
export interface Hall {
  /** Shows or hides the link; opens a lecture where there is none. */
  toggle(): void;
  /** Hides the link; false where it didn't show. */
  close(): boolean;
  /** Votes on the question that is asked now. */
  counts(): Counts | null;
  /** The lecture's code, followers and votes, in words. */
  words(): string;
  onChange(callback: () => void): void;
}

/** A lecture as its lecturer's page keeps it, with its questions in words, by key. */
export interface Lecture {
  code: string;
  secret: string;
  asked: Record<string, Omit<Ballot, "counts">>;
}

/** The lecturer's page. */
export interface Lecturer {
  /** Of the server's routes for lectures. */
  address(path: string): URL;
  lecture: Lecture | null;
  followers: number;
  counts: Counts | null;
  /** Sentences for the lecturer: about what was pressed, and while reports fail. */
  notice: string;
  fault: string;
  /** The place that the server knows, as JSON. */
  sent: string;
  timer: Timer;
  /** Whether a report is on its way, and whether another was due meanwhile. */
  reporting: boolean;
  missed: boolean;
  panel: HallPanel;
  changed(): void;
}

export interface HallPanel {
  element: HTMLElement;
  show(): void;
  hide(): void;
  paint(about: { link: string; qr: string | null; code: string; followers: number; notice: string }): void;
}

/** A follower's page. */
export interface Guest {
  /** Of the server's routes for lectures. */
  address(path: string): URL;
  /** Brings a view into sight. */
  openView(view: string): Promise<void>;
  code: string;
  ticket: string;
  /** The choices that the server has, and the visitor's own, by the question's key. */
  counted: Record<string, number>;
  chosen: Record<string, number>;
  /** Where the lecturer is, with the votes there. */
  place: Place | null;
  counts: Counts | null;
  /** The visitor looks around. */
  loose: boolean;
  lost: boolean;
  /** Whether this page can show the place. */
  shows: boolean;
  /** Why nothing is followed any more, in words; "" before. */
  over: string;
  /** The view that was last brought into sight. */
  seen: string;
  /** When the visitor last pressed something, and something was last heard, in ms. */
  touched: number;
  heard: number;
  /** How often it has gone back; whether it is on its way, and has to go on from there. */
  tries: number;
  going: boolean;
  again: boolean;
  stream: AbortController | null;
  /** Ends when the last vote has arrived, or can't. */
  voting: Promise<void>;
  watch: Timer;
  bar: FollowBar;
}

/** The parts of a follower's bar; `drawn`: what the drawn question was made from. */
export interface FollowBar {
  element: HTMLElement;
  words: HTMLElement;
  notice: HTMLElement;
  home: HTMLElement;
  out: HTMLElement;
  asked: HTMLElement;
  vote(choice: number): void;
  drawn: string;
}

/** Where a lecturer is (logitspec/serving/follow.py). */
export interface Place {
  view: string;
  cue: number;
  at: Record<string, string | number | boolean | null> | null;
  question: Question | null;
}

export type Question = { key: string; revealed: boolean } & ({ choices: number } | { least: number; most: number; whole: boolean });

/** A question with the votes on it. */
export interface Ballot {
  key: string;
  question: string;
  choices: string[];
  right: number | number[];
  counts: number[];
}
