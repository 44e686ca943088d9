import type { SpiEvent, SpiPeripheralPort } from "../../src/link/spi.js";

export interface SpiPeripheralOptions {
  /** SPI host: 1 = SPI2, 2 = SPI3 (spi_host_device_t). */
  readonly host: number;
  /** GPIO numbers; `in` is the appliance's data to us. */
  readonly clock: number;
  readonly in: number;
  readonly out: number;
  readonly select: number;
  readonly attention: number;
  readonly reset?: number;
  readonly mode?: number;
}

export default class SpiPeripheral implements SpiPeripheralPort {
  constructor(options: SpiPeripheralOptions);
  close(): void;
  readonly nowMs: number;
  attention(asserted: boolean): void;
  load(bytes: Uint8Array): void;
  poll(): SpiEvent | undefined;
}
