/** What main.ts uses of the Moddable SDK and of our own modules, so that it is type-checked without the SDK. */
/** To the debugger or the console. */
declare function trace(text: string): void;
declare module "timer" {
  const Timer: { repeat(callback: () => void, periodMs: number): unknown };
  export default Timer;
}
declare module "mc/config" {
  const config: Readonly<Record<string, unknown>>;
  export default config;
}
/** NVS; names of at most 15 characters. */
declare module "preference" {
  const Preference: {
    get(domain: string, key: string): string | boolean | number | ArrayBuffer | undefined;
    set(domain: string, key: string, value: string): void;
    delete(domain: string, key: string): void;
    keys(domain: string): string[];
  };
  export default Preference;
}
/** host/provider.js of the board. */
declare module "device" {
  import type { Rs485Options } from "rs485";
  const device: {
    readonly rs485: Rs485Options;
    readonly pin: Readonly<Record<string, number>>;
    /** A plain one; a WS2812 needs a driver of its own. */
    readonly lamp?: { readonly pin: number; readonly activeLow: boolean; readonly ws2812?: boolean };
  };
  export default device;
}
