/**
 * The words of CTA-2045 that whoever wishes something of the appliance needs: opcodes, states, price bytes. Kept
 * here so that wishes can be made without knowing the wire.
 */
export { encodePrice, OpState } from "../wire/basic.js";
export { BasicOp } from "../wire/message.js";
