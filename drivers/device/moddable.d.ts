/** What main.ts uses of the Moddable SDK and of our own modules, so that it is type-checked without the SDK. */
declare module "timer" {
  const Timer: { repeat(callback: () => void, periodMs: number): unknown };
  export default Timer;
}
declare module "mc/config" {
  const config: Readonly<Record<string, unknown>>;
  export default config;
}
/** host/provider.js of the board. */
declare module "device" {
  import type { Rs485Options } from "rs485";
  const device: { readonly rs485: Rs485Options; readonly pin: Readonly<Record<string, number>> };
  export default device;
}
