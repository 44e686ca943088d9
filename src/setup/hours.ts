/**
 * Off-peak hours as an owner says them. The schedule's windows end at midnight (src/grid/regions.ts); hours past midnight
 * are two of them, and one here: its `toMin` is not after its `fromMin`.
 */
export interface Span {
  /** Bit 0 = Sunday … bit 6 = Saturday. */
  readonly days: number;
  /** Minutes from midnight. */
  readonly fromMin: number;
  readonly toMin: number;
}

/** A week has no use for more, and a page no room. */
export const MOST_SPANS = 8;

const daysAfter = (days: number): number => ((days << 1) | (days >> 6)) & 127;

export function windowsOf({ days, fromMin, toMin }: Span): Span[] {
  if (toMin === 0) return [{ days, fromMin, toMin: 1440 }];
  if (!(toMin < fromMin)) return [{ days, fromMin, toMin }];
  return [
    { days, fromMin, toMin: 1440 },
    { days: daysAfter(days), fromMin: 0, toMin },
  ];
}

export function spansOf(windows: readonly Span[]): Span[] {
  const mornings: Span[] = [];
  const spans = windows.map((evening) => {
    if (evening.toMin !== 1440) return evening;
    const after = windows.find(
      (one) =>
        one.fromMin === 0 &&
        one.toMin < evening.fromMin &&
        one.days === daysAfter(evening.days) &&
        !mornings.includes(one),
    );
    if (after === undefined) return evening;
    mornings.push(after);
    return { ...evening, toMin: after.toMin };
  });
  return spans.filter((_, i) => !mornings.includes(windows[i]!));
}

/** What names a span in a form. */
export function spanKey({ days, fromMin, toMin }: Span): string {
  return `${days}-${fromMin}-${toMin}`;
}

/**
 * The windows with `span` instead of "all", of the one that is named so, or of "none"; without a span that one is taken
 * away. A text for the owner where it cannot be.
 */
export function withSpan(windows: readonly Span[], instead: string, span: Span | undefined): Span[] | string {
  const spans = instead === "all" ? [] : spansOf(windows);
  const at =
    instead === "all" || instead === "none"
      ? spans.length
      : spans.findIndex((one) => spanKey(one) === instead);
  if (at < 0) return "Those hours are not there any more.";
  spans.splice(at, 1, ...(span === undefined ? [] : [span]));
  return spans.length > MOST_SPANS && instead === "none"
    ? "These are enough: change one of them."
    : spans.flatMap(windowsOf);
}
