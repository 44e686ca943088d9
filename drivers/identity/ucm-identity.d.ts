/** 0 the certificate and its key, 1 the roots. */
type Kind = 0 | 1;
/** 0 current, 1 next. */
type Slot = 0 | 1;

/** A signing request as PEM, for the key that waits or a new one; `subject` is the common name of a first one. */
export function request(name: string, subject: string): string | undefined;
/** "fine", or why not (identity.h). `utcMs` NaN: dates are not judged. */
export function install(name: string, chain: string, utcMs: number): string;
export function putRoots(name: string, version: number, bundle: string): string;
/** The next set becomes the current one. */
export function confirm(name: string, kind: Kind): string;
export function drop(name: string, kind: Kind): string;
/** Begin (0) or end (1) of the leaf's validity, ms since 1970; NaN: there is none. */
export function date(name: string, slot: Slot, which: 0 | 1): number;
/** 0: none. */
export function rootsVersion(name: string, slot: Slot): number;
/** Sets the credentials of drivers/tls; `pair` −1: no certificate. `ca`: what is trusted where no bundle is kept. */
export function use(name: string, pair: Slot | -1, roots: Slot, ca: string, profile: 0 | 1): string;
