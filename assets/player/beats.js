/* The beats of a step: which comes when, and for how long. */

const LAST_BEAT = 5;
