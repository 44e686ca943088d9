/** The faults that a line wrapper can play: {@link LINE_FAULTS} names and explains each. */

export type LineFault = keyof typeof LINE_FAULTS;

/** Name → what the other side sees. */
export const LINE_FAULTS = {
  "wrong-checksum": "Every frame goes out with a wrong check byte.",
  "wrong-length": "The length field of every frame is one too large; the check bytes fit it.",
  "no-ack": "Frames received are neither acknowledged nor refused.",
  "late-ack": "Link answers leave 300 ms after the frame, past the 200 ms allowed.",
  "early-ack": "A link ACK leaves 5 ms after the frame, before the 40 ms allowed.",
  "coalesced-ack": "The link ACK is held back and leaves in one burst with the reply.",
  "duplicate-ack": "Every link answer is sent twice.",
  "duplicate-frame": "Every frame is sent twice, 30 ms apart.",
  "nak-03": "Every frame is answered with link NAK 03 (checksum error).",
  "nak-07": "Every frame is answered with link NAK 07 (request not supported).",
  "reset-mid-frame": "A frame stops half-way and its sender starts anew.",
  babble: "Random bursts are put on the line all the time.",
  deaf: "Nothing is heard.",
  mute: "Nothing is sent.",
  echo: "Every byte sent is heard again by its sender.",
  "bit-flips": "One received byte in a hundred has a bit turned.",
  "lost-bytes": "One received byte in a hundred is lost.",
  "duplicated-bytes": "One received byte in a hundred comes twice.",
  collision: "Talks into every frame that is under way.",
  "slow-bytes": "Frames leave a byte every 5 ms, as from a slow processor.",
  break: "The line is held at space for 250 ms: what is said meanwhile is lost, and a 00 is heard.",
  unplugged: "The plug is out: nothing is heard and nothing is sent.",
} as const;

export function isLineFault(name: string): name is LineFault {
  return Object.hasOwn(LINE_FAULTS, name);
}
