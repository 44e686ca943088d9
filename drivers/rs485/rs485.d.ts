import type { FrameLine, FrameLineEvent, FrameLineSettings } from "../../src/ports/line.js";

export interface Rs485Options {
  /** UART number. */
  readonly port: number;
  /** GPIO numbers. */
  readonly transmit: number;
  readonly receive: number;
  /** GPIO of DE; absent where the transceiver finds the direction by itself. */
  readonly driveEnable?: number;
  readonly driveInverted?: boolean;
  /** The receiver hears our own bytes. */
  readonly echo?: boolean;
  readonly bitsPerSecond?: number;
}

export default class Rs485 implements FrameLine {
  constructor(options: Rs485Options);
  close(): void;
  /** The line's clock, monotonic ms: that of its events. */
  readonly nowMs: number;
  /** What the handler had to drop, and what the UART found broken, since the start. */
  readonly lost: {
    readonly events: number;
    readonly frames: number;
    readonly overruns: number;
    readonly lineErrors: number;
  };
  sendFrame(bytes: Uint8Array): void;
  configure(settings: FrameLineSettings): void;
  poll(): FrameLineEvent | undefined;
}
