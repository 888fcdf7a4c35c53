/** The kinds of records: the same numbers as in `src/told.rs`, where it says what follows each. */

export const WRONG = 0;
export const TIMER = 1;
export const OPEN = 2;
export const SEND = 3;
export const CLOSE = 4;
export const DROP = 5;
export const POST = 6;
export const STATUS = 7;
export const CHALLENGE = 8;
export const STANDS = 9;
export const ENDED = 10;
export const LEFT = 11;
export const MESSAGE = 12;
export const INVOCATION = 13;
export const MORE = 14;
export const INTERRUPTED = 15;
export const PROGRESS = 16;
export const DONE = 17;
export const FAILED = 18;
export const TOLD = 19;
