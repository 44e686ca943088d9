import { isAnswer } from "../line/framer.js";
import type { LineTap } from "../line/virtual-line.js";

/** Two bytes at 19,200 bit/s take so long. */
const answerAirMs = 20_000 / 19_200;

/**
 * Judges a module's link answers on the line itself. Only a frame of the charger that arrived whole has a deadline:
 * one that collided is nobody's frame, and what the module says after it (a NAK when the line has fallen silent, or
 * nothing) is no answer to it. Such frames, of either side, are counted apart; the link repeats them.
 */
export class AnswerJudge {
  /** Exchanges that the module has begun: its frames that are no link answers. */
  moduleFrames = 0;
  /** Frames of either side that collided. */
  collided = 0;
  #frameEndMs: number | undefined;

  /** Takes what was said; gives the gap in ms from the end of a charger's frame to the module's answer to it. */
  onTap({ from, bytes, collided, atMs }: LineTap): number | undefined {
    const answer = isAnswer(bytes);
    if (collided && !answer) this.collided++;
    if (from === "charger") {
      this.#frameEndMs = answer || collided ? undefined : atMs;
      return undefined;
    }
    if (!answer) {
      this.moduleFrames++;
      return undefined;
    }
    const endMs = this.#frameEndMs;
    this.#frameEndMs = undefined;
    return endMs === undefined ? undefined : atMs - answerAirMs - endMs;
  }
}
