import type { FrameLineSettings } from "../ports/line.js";
import { DataLinkOp, MessageType, NakCode } from "../wire/message.js";

/**
 * The link answer that a frame with right check bytes earns: −1 ACK, else a NAK code. Unknown type 06;
 * a length that the family cannot have 02; a data-link request that we do not do 07.
 */
export function linkAnswer(settings: FrameLineSettings, type: number, payload: Uint8Array): number {
  if (!settings.types.includes(type)) return NakCode.UnsupportedType;
  const n = payload.length;
  if (n === 0) return -1;
  switch (type) {
    case MessageType.Basic:
      return n === 2 ? -1 : NakCode.InvalidLength;
    case MessageType.Intermediate:
      return n >= 2 ? -1 : NakCode.InvalidLength;
    case MessageType.DataLink: {
      if (n !== 2) return NakCode.InvalidLength;
      const op = payload[0]!;
      if (op === DataLinkOp.QueryMaxPayload || op === DataLinkOp.MaxPayload) return -1;
      const code = payload[1]!;
      const rates = settings.bitRates ?? 1;
      return op === DataLinkOp.BitRate && code < 16 && (rates >> code) & 1 ? -1 : NakCode.NotSupported;
    }
    default:
      return -1;
  }
}
