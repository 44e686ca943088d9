/**
 * The whole of this folder in one import: payloads to messages and back, and both in words. What must stay
 * small imports payload.ts alone; frames are in frame.ts, their JSON in decode.ts.
 */
export { basic } from "./basic.js";
export { dataLink } from "./data-link.js";
export { describe, nameOf } from "./describe.js";
export { fieldsOf } from "./fields.js";
export { emitMessage, parseMessage, payloadLength, payloadOf, typeOf } from "./payload.js";
export { defaultSettings, type WireSettings } from "./settings.js";
