/** An integer 0 … 2^32 − 1 of the hardware's generator. */
export function random(): number;
/** Monotonic ms since the start of the chip. */
export function now(): number;
/** The restart that comes now is ours: `why` is what {@link reason} is to say at the next start, 4 to 6. */
export function asked(why: number): void;
export function restart(): void;
/** 0 power, 1 watchdog, 2 crash, 3 brown-out, 4 requested, 5 factory reset, 6 network. To be asked once. */
export function reason(): number;
/** Everything makes progress. From the first call on the task watchdog resets the chip where the next does not come in 10 s. */
export function feed(): void;
/** Bytes that JavaScript has left; sweeps where they seem to be few. */
export function freeBytes(): number;
/** The running image is good: no roll-back any more. */
export function confirm(): void;
