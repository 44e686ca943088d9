/**
 * What the link has seen, in one plain object: read by the owner's page, the journal and `ucm --json`.
 * Every byte received stands in exactly one place: in a frame, in a link answer, or among the discarded
 * (own echo is none of ours to count).
 */
export interface LinkCounters {
  /** Whole frames with right check bytes, whatever they earned. */
  framesReceived: number;
  framesSent: number;
  bytesReceived: number;
  bytesSent: number;
  /** Bytes that were no part of a frame or answer. */
  bytesDiscarded: number;
  acksReceived: number;
  acksSent: number;
  /** By code, 0–7. */
  naksReceived: number[];
  naksSent: number[];
  /** ACKs under 40 ms and over 200 ms; taken all the same. */
  earlyAcks: number;
  lateAcks: number;
  /** Link answers that nothing waited for. */
  strayAnswers: number;
  /** Answers of ours that could not leave within 200 ms. */
  answersDropped: number;
  /** Frames sent again. */
  retries: number;
  ackTimeouts: number;
  replyTimeouts: number;
  /** Frames of the peer that were not whole after 500 ms. */
  frameTimeouts: number;
  /** Frames of ours that found no free line. */
  sendTimeouts: number;
  checksumErrors: number;
  /** Frames above our payload limit. */
  tooLong: number;
  /** 06 or 15 with an impossible second byte. */
  badAnswers: number;
  /** Times that the receiver found its feet again after garbage. */
  resyncs: number;
  collisions: number;
  /** Echoes that should have come and did not. */
  echoesMissing: number;
  duplicateFrames: number;
  duplicateReplies: number;
  /** Replies after we had given up. */
  lateReplies: number;
  /** Replies that came before, or instead of, their link ACK. */
  repliesBeforeAck: number;
  /** Requests of ours, by how they ended. */
  requestsOk: number;
  requestsFailed: number;
  peerLost: number;
  unplugs: number;
  bitRateChanges: number;
  bitRateFallbacks: number;
}

export function newCounters(): LinkCounters {
  return {
    framesReceived: 0,
    framesSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    bytesDiscarded: 0,
    acksReceived: 0,
    acksSent: 0,
    naksReceived: [0, 0, 0, 0, 0, 0, 0, 0],
    naksSent: [0, 0, 0, 0, 0, 0, 0, 0],
    earlyAcks: 0,
    lateAcks: 0,
    strayAnswers: 0,
    answersDropped: 0,
    retries: 0,
    ackTimeouts: 0,
    replyTimeouts: 0,
    frameTimeouts: 0,
    sendTimeouts: 0,
    checksumErrors: 0,
    tooLong: 0,
    badAnswers: 0,
    resyncs: 0,
    collisions: 0,
    echoesMissing: 0,
    duplicateFrames: 0,
    duplicateReplies: 0,
    lateReplies: 0,
    repliesBeforeAck: 0,
    requestsOk: 0,
    requestsFailed: 0,
    peerLost: 0,
    unplugs: 0,
    bitRateChanges: 0,
    bitRateFallbacks: 0,
  };
}

/** Counts bytes that were no frame, by the receiver's fault code. */
export function countNoise(c: LinkCounters, fault: string, bytes: number): void {
  c.bytesReceived += bytes;
  c.bytesDiscarded += bytes;
  switch (fault) {
    case "resync":
      c.resyncs++;
      break;
    case "bad-checksum":
      c.checksumErrors++;
      break;
    case "frame-timeout":
      c.frameTimeouts++;
      break;
    case "too-long":
      c.tooLong++;
      break;
    case "bad-answer":
      c.badAnswers++;
      break;
    case "collision":
      c.collisions++;
      break;
    case "echo-missing":
      c.echoesMissing++;
      break;
    case "answer-dropped":
      c.answersDropped++;
      break;
    // "discarded" is a full buffer in the middle of a longer run: its bytes count, its end has the reason.
  }
}
