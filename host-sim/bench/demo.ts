import type { Bench } from "./bench.js";

/** How long the newcomer sees the car charge before the utility's event comes, ms. */
const beforeMs = 8_000;
const eventSeconds = 20;

/**
 * Plays the demonstration once: a car charging at 32 A, an event of level 1 for 20 s, 16 A, and back. Answers the
 * way to stop it.
 */
export function playDemo(bench: Bench, say: (text: string) => void): () => void {
  const timers: NodeJS.Timeout[] = [];
  const at = (ms: number, act: () => void): void => void timers.push(setTimeout(act, ms));
  say("Demonstration: a car is charging.");
  at(beforeMs, () => {
    say(`Demonstration: the utility sends an event of level 1 for ${eventSeconds} s.`);
    const refusal = bench.command({
      do: "event",
      level: 1,
      startInSeconds: 2,
      durationSeconds: eventSeconds,
    });
    if (typeof refusal === "string") say(`Demonstration: the utility refused: ${refusal}`);
  });
  at(beforeMs + (eventSeconds + 10) * 1000, () =>
    say("Demonstration: over. Send events yourself on the page."),
  );
  return () => timers.forEach((timer) => clearTimeout(timer));
}
