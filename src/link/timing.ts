/**
 * Every limit of the link, once. Where the rule for sending and the tolerance for accepting differ, both stand
 * here side by side: strict in what we send, lenient in what we accept. Sources are named as in
 * docs/protocol/cta2045.md, section 0; "2.4" and the like are its sections.
 */

/** A delay of its own for one application reply that we send. */
export interface ReplyDelay {
  readonly type: number;
  /** opcode1 of the reply. */
  readonly op: number;
  readonly delayMs: number;
}

export interface LinkTiming {
  /** tMA, the rule: our link ACK leaves so long after the frame's end. Legal 40–200 ms (2.4, three sources). */
  readonly ackDelayMs: number;
  /** tMA, shortest legal: an earlier ACK is taken all the same and counted (RINNAI: 10–20 ms). */
  readonly ackMinMs: number;
  /** tMA, longest legal: we send no later one, and a later one that we receive is counted. */
  readonly ackMaxMs: number;
  /** Tolerance: we wait so long for an ACK; 200 ms and what a scheduler may add (section 13). */
  readonly ackWaitMs: number;
  /** tAR, the rule: our application reply follows the end of our ACK by at least this. Legal 100 ms–3 s. */
  readonly replyDelayMs: number;
  /** tAR for single opcodes. RINNAI missed a max-payload reply after 150 ms and took it after 1 s. */
  readonly replyDelays: readonly ReplyDelay[];
  /** tAR, longest legal: a request of the peer blocks ours for so long while it is owed a reply. */
  readonly replyMaxMs: number;
  /** Tolerance: we wait so long for an application reply. */
  readonly replyWaitMs: number;
  /** tIM, the rule: silence before a message of ours. Legal minimum 100 ms; the maximum of 1 s (INTWINE) is not kept. */
  readonly gapMs: number;
  /**
   * Who was acknowledged waits so much longer than who acknowledged, so that two sides that both have something to say
   * take turns instead of beginning in the same millisecond. Ours; no source. More than a driver takes to tell a byte.
   */
  readonly turnMs: number;
  /** tML: a frame takes no longer than this from first to last byte, ours or theirs (VENMGR: 100 ms). */
  readonly frameMaxMs: number;
  /** Silence after which the next byte begins a message (INTWINE, citing MCI v2 14.1.4). */
  readonly idleMs: number;
  /** Times that a frame goes out in all (INTWINE 3, EPRI-LIB 1). */
  readonly tries: number;
  /** Random pause before a further try (INTWINE's comment; it itself repeats after a fixed 500 ms). */
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** So long without valid traffic, and rate and limits are at their defaults again (EPRI-SIM, RINNAI 9.1.3). */
  readonly silenceMs: number;
  /**
   * A frame equal to the last one within this time may be its repetition: the longest ACK wait and back-off of a
   * peer. Twice as long for a message that is owed a reply, where a third try may follow a second that was lost.
   */
  readonly duplicateMs: number;
  /** After a change of the bit rate something valid must come in this time, else back to 19,200. Ours; no source. */
  readonly bitRateTrialMs: number;
  /** A frame that finds no free line for so long is given back unsent. Ours; no source. */
  readonly holdMaxMs: number;
  /** An echo may arrive so long after our last bit (latency of USB adapters, 16 ms). */
  readonly echoSlackMs: number;
  /** DC form: who pulls SELECT waits so long for the partner's ATTENTION (INTWINE, citing 15.3.1.9). */
  readonly spiPartnerMs: number;
  /** DC form: no side waits longer than this for a transfer to begin or to end (EPRI-SIM, INTWINE). */
  readonly spiGuardMs: number;
  /**
   * Longest reply that we send while the peer has not told its limit. The rule is 2 bytes; but a peer that asks
   * GetInformation first (EPRI-SIM; recorded: EPRI-LIB took 16 bytes) can only want the answer. Requests keep to 2.
   */
  readonly unnegotiatedReplyBytes: number;
  /** True: payloads up to our own limit are taken even before the peer has asked for it (recorded: EPRI-LIB). */
  readonly acceptUnnegotiated: boolean;
}

export const DEFAULT_TIMING: LinkTiming = {
  ackDelayMs: 45,
  ackMinMs: 40,
  ackMaxMs: 200,
  ackWaitMs: 250,
  replyDelayMs: 110,
  replyDelays: [{ type: 0x0803, op: 0x19, delayMs: 1000 }],
  replyMaxMs: 3000,
  replyWaitMs: 3200,
  gapMs: 110,
  turnMs: 30,
  frameMaxMs: 500,
  idleMs: 20,
  tries: 3,
  backoffMinMs: 100,
  backoffMaxMs: 2000,
  silenceMs: 900_000,
  duplicateMs: 2500,
  bitRateTrialMs: 10_000,
  holdMaxMs: 1000,
  echoSlackMs: 30,
  spiPartnerMs: 100,
  spiGuardMs: 500,
  unnegotiatedReplyBytes: 64,
  acceptUnnegotiated: true,
};

/** The defaults with a profile's changes. */
export function linkTiming(changes: Partial<LinkTiming> = {}): LinkTiming {
  return { ...DEFAULT_TIMING, ...changes };
}

/** Bit rate at start and after every loss of the peer. */
export const DEFAULT_BITS_PER_SECOND = 19_200;
/** Payload limit of both directions at start (2.5). */
export const DEFAULT_PAYLOAD = 2;

/** Bit rates by code of data-link 17 (1.2; codes above 0 have one source, EPRI-SIM). */
export const BIT_RATES: readonly number[] = [
  19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600, 1_843_200, 3_686_400,
];

/** Payload limits by code of data-link 19 (2.5, four sources). */
export const PAYLOAD_LIMITS: readonly number[] = [
  2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1280, 1500, 2048, 4096,
];

/** Time of `bytes` on an 8N1 line, ms, rounded up. */
export function airMs(bytes: number, bitsPerSecond: number): number {
  return Math.ceil((bytes * 10_000) / bitsPerSecond);
}

/** The highest code of {@link PAYLOAD_LIMITS} that is at most `bytes` and whose frame keeps tML at this rate. */
export function payloadCode(bytes: number, bitsPerSecond: number, frameMaxMs: number): number {
  let code = 0;
  for (let c = 1; c < PAYLOAD_LIMITS.length; c++) {
    const limit = PAYLOAD_LIMITS[c]!;
    if (limit <= bytes && airMs(limit + 6, bitsPerSecond) <= frameMaxMs) code = c;
  }
  return code;
}
