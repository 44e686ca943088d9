import type { LinkCommand, LinkResult } from "../link/messages.js";
import { BasicOp, MessageType, NakCode } from "../wire/message.js";

/**
 * What the session awaits. At most one request is under way; its answer is read by what was awaited, and by
 * nothing else. `by` says who asked, where several may ask the same.
 */
export type Job =
  | { readonly awaits: "type-answer"; readonly type: number }
  | { readonly awaits: "max-payload" }
  | { readonly awaits: "information" }
  | { readonly awaits: "state"; readonly by: "discovery" | "poll" | "load" }
  | { readonly awaits: "commodity"; readonly by: "discovery" | "poll" | "load" }
  | { readonly awaits: "load-answer"; readonly op: number; readonly arg: number }
  | { readonly awaits: "inform-answer"; readonly op: number; readonly arg: number }
  | { readonly awaits: "reboot-answer"; readonly kind: number }
  | { readonly awaits: "override-answer"; readonly on: boolean };

/** An answer, told apart by what the session does about it. */
export type Answer =
  /** The request did its work: link ACK where nothing more is due, App ACK, a state, an Intermediate reply. */
  | { readonly is: "ok"; readonly reply: Uint8Array | undefined }
  /** Application NAK with its reason. */
  | { readonly is: "app-nak"; readonly reason: number }
  /** The appliance does not do this: link NAK 06, 07 or 02, or too long for it. */
  | { readonly is: "refused"; readonly nak: number }
  /** No link ACK, or a NAK that tells of a bad line. */
  | { readonly is: "silent" }
  /** Link ACK, but no or a senseless reply. */
  | { readonly is: "mute" }
  /** Nothing was tried: the link was reset or the line went away. */
  | { readonly is: "cancelled" };

/** True for what another wish makes worthless or can wait; discovery and orders are neither. */
export function isOfTheMoment({ awaits }: Job): boolean {
  return (
    awaits === "load-answer" || awaits === "state" || awaits === "commodity" || awaits === "inform-answer"
  );
}

const basic = (op: number, arg: number): Uint8Array => new Uint8Array([op, arg]);

/** The link command that starts a job. */
export function requestFor(job: Job, id: number): LinkCommand {
  switch (job.awaits) {
    case "max-payload":
      return { cmd: "query-max-payload", id };
    case "type-answer":
      return { cmd: "request", id, type: job.type, payload: new Uint8Array(0) };
    case "information":
      return { cmd: "request", id, type: MessageType.Intermediate, payload: basic(0x01, 0x01) };
    case "commodity":
      return { cmd: "request", id, type: MessageType.Intermediate, payload: basic(0x06, 0x00) };
    case "state":
      return { cmd: "request", id, type: MessageType.Basic, payload: basic(BasicOp.QueryState, 0) };
    case "load-answer":
    case "inform-answer":
      return { cmd: "request", id, type: MessageType.Basic, payload: basic(job.op, job.arg) };
    case "reboot-answer":
      return { cmd: "request", id, type: MessageType.Basic, payload: basic(BasicOp.Reboot, job.kind) };
    case "override-answer":
      return {
        cmd: "request",
        id,
        type: MessageType.Basic,
        payload: basic(BasicOp.CustomerOverride, job.on ? 1 : 0),
      };
  }
}

/** Reads a link result as the answer to `job`. */
export function answerTo(job: Job, result: LinkResult): Answer {
  switch (result.outcome) {
    case "no-ack":
      return { is: "silent" };
    case "no-reply":
      return { is: "mute" };
    case "cancelled":
      return { is: "cancelled" };
    case "too-long":
      return { is: "refused", nak: NakCode.InvalidLength };
    case "nak":
      return result.nak === NakCode.UnsupportedType ||
        result.nak === NakCode.NotSupported ||
        result.nak === NakCode.InvalidLength
        ? { is: "refused", nak: result.nak }
        : { is: "silent" };
    case "ok":
      return readReply(job, result.reply);
  }
}

function readReply(job: Job, reply: Uint8Array | undefined): Answer {
  switch (job.awaits) {
    case "type-answer":
    case "max-payload":
      return { is: "ok", reply };
    case "information":
    case "commodity":
      return reply !== undefined && reply.length >= 3 ? { is: "ok", reply } : { is: "mute" };
    default: {
      if (reply?.length !== 2) return { is: "mute" };
      if (reply[0] === BasicOp.AppNak) return { is: "app-nak", reason: reply[1]! };
      const wanted = job.awaits === "state" ? BasicOp.State : BasicOp.AppAck;
      return reply[0] === wanted ? { is: "ok", reply } : { is: "mute" };
    }
  }
}
