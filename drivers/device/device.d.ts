/** An integer 0 … 2^32 − 1 of the hardware's generator. */
export function random(): number;
/** Monotonic ms since the start of the chip. */
export function now(): number;
export function restart(): void;
/** 0 power, 1 watchdog, 2 requested, 3 other. */
export function reason(): number;
/** The running image is good: no roll-back any more. */
export function confirm(): void;
