/**
 * Mutants of a scenario: its text with one expected value made wrong. A scenario that passes with a wrong value tests
 * nothing; each mutant must fail.
 */

/**
 * What an expectation asks for, and something that never comes true: a current that no charger of the bench has, because
 * one between two others is passed on the way, and an expectation with time to come true would be content with that.
 */
const WRONG: readonly (readonly [name: string, value: RegExp, wrong: (value: string) => string])[] = [
  ["currentA", /[\d.]+/, () => "77"],
  ["currentMinA", /[\d.]+(?!.*currentMaxA)(?<!currentMaxA.*)/, () => "77"],
  ["currentMaxA", /[\d.]+, currentMinA: [\d.]+/, () => "80, currentMinA: 77"],
  ["currentMinA", /[\d.]+, currentMaxA: [\d.]+/, () => "77, currentMaxA: 80"],
  ["limitA", /[\d.]+/, () => "77"],
  ["opState", /\d+/, (value) => (value === "7" ? "6" : "7")],
  ["command", /\w+/, (value) => (value === "LoadUp" ? "GridEmergency" : "LoadUp")],
  ["result", /[\w-]+/, (value) => (value === "refused" ? "verified" : "refused")],
  ["intent", /[\w-]+/, (value) => (value === "emergency" ? "load-up" : "emergency")],
  ["source", /[\w-]+/, () => "nobody"],
  ["textContains", /"[^"]*"|[\w.]+/, () => "never-said"],
  ["reasonContains", /"[^"]*"|[\w.]+/, () => "never-said"],
  ["logContains", /"[^"]*"|[\w.]+/, () => "never-said"],
];

export interface Mutant {
  readonly what: string;
  readonly text: string;
}

/** Every mutant of a YAML scenario, one wrong value each; values of `expect` alone. */
export function mutantsOf(text: string): readonly Mutant[] {
  const mutants: Mutant[] = [];
  const lines = text.split("\n");
  let inside = false;
  lines.forEach((line, at) => {
    if (/^\s*- /.test(line)) inside = false;
    if (/\bexpect:/.test(line)) inside = true;
    if (!inside) return;
    for (const [name, value, wrong] of WRONG) {
      const found = new RegExp(`\\b${name}: (${value.source})`).exec(line);
      if (found === null) continue;
      const put = found.index + name.length + 2;
      const was = found[1]!;
      const changed = line.slice(0, put) + wrong(was) + line.slice(put + was.length);
      mutants.push({
        what: `line ${at + 1}: ${name} ${was} → ${wrong(was)}`,
        text: lines.map((one, i) => (i === at ? changed : one)).join("\n"),
      });
    }
  });
  return mutants;
}
