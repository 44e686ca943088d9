/**
 * As much of fast-check as this project's portable properties use, for machines in which fast-check does not fit: drawing
 * from a seed, without shrinking. A property that fails here says its run and its values; it is looked into on Node.
 */
import { seededRandom, uniformInt } from "../../../src/base/random.js";
import type { RandomPort } from "../../../src/ports/time.js";

export class Arbitrary<T> {
  constructor(readonly draw: (random: RandomPort) => T) {}

  map<U>(change: (value: T) => U): Arbitrary<U> {
    return new Arbitrary((random) => change(this.draw(random)));
  }

  chain<U>(next: (value: T) => Arbitrary<U>): Arbitrary<U> {
    return new Arbitrary((random) => next(this.draw(random)).draw(random));
  }

  filter(fits: (value: T) => boolean): Arbitrary<T> {
    return new Arbitrary((random) => {
      for (;;) {
        const value = this.draw(random);
        if (fits(value)) return value;
      }
    });
  }
}

interface Sizes {
  readonly minLength?: number;
  readonly maxLength?: number;
}

type Weighted = { readonly weight: number; readonly arbitrary: Arbitrary<unknown> };

const integer = ({ min = -0x80000000, max = 0x7fffffff }: { min?: number; max?: number } = {}) =>
  new Arbitrary((random) => min + uniformInt(random, max - min));

const lengthOf = ({ minLength = 0, maxLength = minLength + 10 }: Sizes, random: RandomPort): number =>
  minLength + uniformInt(random, maxLength - minLength);

const array = <T>(item: Arbitrary<T>, sizes: Sizes = {}) =>
  new Arbitrary((random) => Array.from({ length: lengthOf(sizes, random) }, () => item.draw(random)));

function oneof(...choices: readonly (Arbitrary<unknown> | Weighted)[]): Arbitrary<unknown> {
  const weighted = choices.map((one) => (one instanceof Arbitrary ? { weight: 1, arbitrary: one } : one));
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  return new Arbitrary((random) => {
    let left = uniformInt(random, total - 1);
    for (const { weight, arbitrary } of weighted) {
      if (left < weight) return arbitrary.draw(random);
      left -= weight;
    }
    return undefined;
  });
}

function uniqueArray<T>(item: Arbitrary<T>, sizes: Sizes & { readonly selector?: (value: T) => unknown }) {
  return array(item, sizes).map((values) => {
    const { selector = (value: T): unknown => value } = sizes;
    const keys = values.map(selector);
    return values.filter((_, i) => keys.indexOf(keys[i]) === i);
  });
}

const record = (members: Readonly<Record<string, Arbitrary<unknown>>>) =>
  new Arbitrary((random) => {
    const value: Record<string, unknown> = {};
    for (const key of Object.keys(members)) value[key] = members[key]!.draw(random);
    return value;
  });

const option = (item: Arbitrary<unknown>, choice: { freq?: number; nil?: unknown } = {}) =>
  new Arbitrary((random) => {
    const nil = "nil" in choice ? choice.nil : null;
    return uniformInt(random, (choice.freq ?? 5) - 1) === 0 ? nil : item.draw(random);
  });

interface Property {
  readonly draw: (random: RandomPort) => unknown[];
  readonly holds: (...values: unknown[]) => unknown;
}

function property(...parts: unknown[]): Property {
  const arbitraries = parts.slice(0, -1) as Arbitrary<unknown>[];
  return {
    draw: (random) => arbitraries.map((one) => one.draw(random)),
    holds: parts.at(-1) as Property["holds"],
  };
}

const limits = { runs: 100 };

/** How often a property is tried at most, whatever it asks for. */
export function limitRuns(runs: number): void {
  limits.runs = runs;
}

function assert(
  one: Property,
  { numRuns = 100, seed = 2045 }: { numRuns?: number; seed?: number } = {},
): void {
  const random = seededRandom(seed);
  for (let run = 0; run < Math.min(numRuns, limits.runs); run++) {
    const values = one.draw(random);
    try {
      if (one.holds(...values) === false) throw new Error("it does not hold");
    } catch (error) {
      throw new Error(`run ${run}: ${String(error)} for ${JSON.stringify(values).slice(0, 300)}`, {
        cause: error,
      });
    }
  }
}

export default {
  assert,
  property,
  integer,
  array,
  uniqueArray,
  oneof,
  record,
  option,
  nat: ({ max = 0x7fffffff }: { max?: number } = {}) => integer({ min: 0, max }),
  boolean: () => new Arbitrary((random) => uniformInt(random, 1) === 1),
  constant: <T>(value: T) => new Arbitrary(() => value),
  constantFrom: <T>(...values: readonly T[]) =>
    new Arbitrary((random) => values[uniformInt(random, values.length - 1)]),
  tuple: (...items: readonly Arbitrary<unknown>[]) =>
    new Arbitrary((random) => items.map((item) => item.draw(random))),
  uint8Array: (sizes: Sizes = {}) =>
    array(integer({ min: 0, max: 255 }), sizes).map((bytes) => Uint8Array.from(bytes)),
  subarray: (values: readonly unknown[]) =>
    new Arbitrary((random) => values.filter(() => uniformInt(random, 1) === 1)),
};
