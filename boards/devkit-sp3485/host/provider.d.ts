import type { Rs485Options } from "rs485";

declare const device: {
  readonly rs485: Rs485Options;
  readonly pin: Readonly<Record<string, number>>;
  readonly lamp?: { readonly pin: number; readonly activeLow: boolean; readonly ws2812?: boolean };
};
export default device;
