/** Entry of one mutant's process: the short fuzz and the vectors. Exit 0: nothing found; 1: found, and said. */
import { Fuzz } from "./check.js";
import { fuzzExchanges } from "./exchange.js";
import { checkVectors } from "./vectors.js";

function complain(error: unknown): never {
  const text = error instanceof Error ? error.message : String(error);
  process.stdout.write(`${text.slice(0, 300)}\n`);
  process.exit(1);
}

try {
  checkVectors();
  for (let seed = 1; seed <= 80; seed++) fuzzExchanges(seed);
} catch (error) {
  complain(error);
}
const fuzz = new Fuzz(1);
try {
  fuzz.run(60_000);
} catch (error) {
  complain(fuzz.tell(error));
}
