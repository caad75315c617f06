/* The race in the page: what it shows follows from the race, the clock and the moment alone. */

const LOST_STEPS = "Some steps of this race were lost on their way; press Race to run it again.";

/**
 * A race inside `element`, which takes messages and plays all lanes by one clock.
 * @param {HTMLElement} element an empty element; gets the focus, the keys and the data attributes
 * @returns {{expect: function(), receive: function(string), play: function()}}
 *   expect: a race was asked for and nothing of it is there yet
 */
function createRaceView(element) {
  const state = {
    race: null,
    clock: "time",
    at: 0,
    speed: 1,
    follow: true,
    playing: false,
    expecting: false,
    error: null,
    told: null,
    lost: false,
  };
  const view = { element, state, lanes: [], frame: 0, timer: 0, last: 0 };
  const actions = raceActions(view);
  Object.assign(view, raceParts(element, actions));
  view.repaint = coalesced(() => paintRace(view));
  element.addEventListener("keydown", (event) => {
    const action = actions[actionOf(event)];
    if (!action) return;
    event.preventDefault();
    action();
  });
  view.repaint();
  return {
    expect: () => expectRace(view),
    receive: (message) => receiveRace(view, message),
    play: () => playRace(view),
  };
}

function raceParts(element, actions) {
  const parts = {
    controls: createControls(actions),
    idle: el("div", { class: "ls-idle" }, IDLE_RACE),
    error: el("div", { class: "ls-error", role: "alert", hidden: true }),
    spoken: el("div", { class: "ls-spoken", role: "status" }),
    course: el("div", { class: "lr-course" }),
    legend: createRaceLegend(),
    results: createResults(),
  };
  const { controls, idle, error, spoken, course, legend, results } = parts;
  const inside = [controls.element, error, idle, spoken, course, legend.element, results.element];
  element.replaceChildren(el("div", { class: "ls-frame" }, ...inside));
  return parts;
}

function raceActions(view) {
  const { state } = view;
  return {
    first: () => chooseMoment(view, 0),
    last: () => chooseMoment(view, Infinity),
    previous: () => chooseByStep(view, -1),
    next: () => chooseByStep(view, 1),
    back10: () => chooseByStep(view, -10),
    forward10: () => chooseByStep(view, 10),
    toggle: () => toggleRace(view),
    slower: () => changeRaceSpeed(view, -1),
    faster: () => changeRaceSpeed(view, 1),
    live: () => chooseMoment(view, Infinity),
    clock: (clock) => setClock(view, clock),
    seek: (share) => chooseMoment(view, share * raceEnd(state.race, state.clock)),
    speed(speed) {
      state.speed = speed;
      view.repaint(true);
    },
  };
}

function changeRaceSpeed({ state, repaint }, direction) {
  const speeds = RACE_SPEEDS[state.clock];
  const at = speeds.indexOf(state.speed) + direction;
  if (at >= 0 && at < speeds.length) state.speed = speeds[at];
  repaint(true);
}

const isLive = ({ race }) => race !== null && !raceOver(race);

/* Messages */

function expectRace(view) {
  haltRace(view);
  Object.assign(view.state, { expecting: true, error: null });
  view.repaint(true);
}

/** Takes one message; never throws. */
function receiveRace(view, message) {
  try {
    const data = JSON.parse(message);
    const take = { race: takeRace, race_steps: takeRaceSteps, error: takeRaceError }[data.kind];
    if (take) take(view, data);
  } catch (error) {
    takeRaceError(view, { message: `This race can't be shown (${error.message}); run it again.` });
  }
  view.repaint();
}

function takeRace(view, data) {
  const { state } = view;
  if (state.race && state.race.name === data.race && !data.recorded) return;
  haltRace(view);
  const race = createRace(data);
  Object.assign(state, { race, expecting: false, error: null, lost: false, at: 0, told: null });
  view.lanes = race.lanes.map(({ title }) => createLane(title));
  view.course.replaceChildren(...view.lanes.map((lane) => lane.element));
  state.speed = fittingSpeed(race, state.clock);
  setMoment(view, Infinity);
  if (race.recorded && !prefersStills()) playRace(view);
}

function takeRaceSteps(view, data) {
  const { state } = view;
  if (!state.race || state.race.name !== data.race || state.lost || raceOver(state.race)) return;
  if (!growRace(state.race, data)) {
    Object.assign(state, { lost: true, error: LOST_STEPS });
    return;
  }
  if (state.follow && !state.playing) setMoment(view, Infinity);
  if (raceOver(state.race)) endRace(state);
}

function endRace(state) {
  state.speed = fittingSpeed(state.race, state.clock);
  state.told = `${arrivalWords(state.race, state.clock)}. ${verdictWords(state.race)}`;
}

function takeRaceError(view, data) {
  Object.assign(view.state, { expecting: false, error: data.message || "The race failed." });
}

/* Painting */

function raceStateName(state) {
  if (state.error !== null) return "error";
  if (state.expecting) return "running";
  if (!state.race) return "idle";
  if (!isLive(state)) return "done";
  return state.follow && !state.playing ? "running" : "paused";
}

function raceStatus(state, name) {
  if (state.expecting) return "Starting";
  if (name === "error") return "Error";
  if (name === "running") return "Live";
  if (name === "paused") return "Live, looking back";
  if (!state.race) return "";
  if (state.race.recorded) return "Recorded: " + state.race.recorded;
  return state.race.lanes.every(({ trace }) => hasFinished(trace)) ? "Done" : "Stopped";
}

function paintRace(view) {
  const { state, controls, legend, results } = view;
  const { race, at, clock, speed } = state;
  const name = raceStateName(state);
  const busy = state.playing || name === "running";
  controls.paint({ race, at, clock, speed, name, busy, status: raceStatus(state, name) });
  view.idle.hidden = race !== null && !state.expecting;
  setText(view.idle, state.expecting ? STARTING_RACE : IDLE_RACE);
  view.error.hidden = state.error === null;
  setText(view.error, state.error || "");
  view.course.hidden = legend.element.hidden = race === null || state.expecting;
  if (race && !state.expecting) {
    paintLanes(view);
    legend.paint(race);
  }
  results.paint(state.expecting ? null : race);
  if (state.told !== null) setText(view.spoken, state.told);
  state.told = null;
  paintRaceAttributes(view, name);
}

function paintLanes({ state, lanes }) {
  const { race, at, clock } = state;
  const ranks = places(race, clock);
  const length = trackLength(race);
  race.lanes.forEach(({ trace }, number) => {
    lanes[number].paint(trace, { at, clock, length, place: ranks[number] });
  });
}

function paintRaceAttributes({ element, state }, name) {
  const values = {
    state: name,
    playing: state.playing,
    clock: state.clock,
    at: state.at,
    lanes: state.race ? state.race.lanes.length : 0,
  };
  for (const [key, value] of Object.entries(values)) setData(element, key, value);
}
