import type { Rs485Options } from "rs485";

declare const device: { readonly rs485: Rs485Options; readonly pin: Readonly<Record<string, number>> };
export default device;
