/** Listens on every address of the module, once; throws. Port 0: a free one. Gives the port. */
export function listen(port: number): number;
/** The number of a connection that has come; −1: none, or there is no room for it yet. */
export function accept(): number;
/** Of the other side; "" where it has gone. */
export function address(at: number): string;
/** What has come, at most 1 KB; undefined: nothing; null: the other side has ended it, or it broke. */
export function read(at: number): ArrayBuffer | undefined | null;
/** How many of the bytes were taken, 0 where there is no room; −1: it broke. */
export function write(at: number, bytes: Uint8Array): number;
/** What was taken is still sent. The number is given to another one. */
export function close(at: number): void;
