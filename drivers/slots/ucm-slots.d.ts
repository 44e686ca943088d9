/** 0 slot, 1 trial, 2 the other slot's state, 3 bytes of a slot, 4 security version; −1 without two slots. */
export function state(which: 0 | 1 | 2 | 3 | 4): number;
/** All of them: an error of the IDF, 0 = done. */
export function erase(at: number): number;
export function write(at: number, bytes: Uint8Array): number;
/** `raw`: as it lies in the flash, not decrypted. */
export function read(at: number, into: Uint8Array, raw: boolean): number;
export function hash(at: number, length: number, into: Uint8Array): number;
export function boot(): number;
export function confirm(): number;
export function rollBack(): number;
export function verify(spki: Uint8Array, signature: Uint8Array, text: Uint8Array): boolean;
