/**
 * `npm run fuzz:long`: 100 million inputs, on as many threads as there are processors. `-- COUNT SEED` for others;
 * a failure prints the seed, the number of the input and its bytes, and exits with 1.
 */
import { fuzzInParallel } from "./parallel.js";

const count = Number(process.argv[2] ?? 100_000_000);
const seed = Number(process.argv[3] ?? 1);
if (!(count > 0) || !Number.isInteger(seed)) {
  process.stderr.write("fuzz: the count and the seed must be numbers\n");
  process.exit(2);
}
let told = 0;
try {
  const report = await fuzzInParallel(count, seed, (inputs) => {
    if (inputs - told < 1_000_000) return;
    told = inputs;
    process.stdout.write(`${(inputs / 1e6).toFixed(0)} of ${(count / 1e6).toFixed(0)} million\n`);
  });
  process.stdout.write(
    `${report.counts.inputs} inputs in ${report.seconds.toFixed(0)} s on ${report.threads} threads, ` +
      `heap grown by ${report.grownBytes} bytes: nothing found\n`,
  );
  process.exit(0);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
