import type { Now } from "../ports/time.js";
import type { FlashStore } from "./flash-store.js";
import type { Journal } from "./journal.js";

const KEY = "journal.purging";
/**
 * Values whose names begin so are the module's, not its owner's: which versions of the firmware and of its metadata were
 * seen. Were they forgotten, whoever can press the button could hand out old ones again.
 */
const KEPT = "update.";

/**
 * Factory reset, a sector at a time, so that the line can be served between two erasures. It is noted in flash
 * before it begins and that note is the last to go: a power cut in the middle only delays it. It says in the
 * security log that it was done before the note goes, so at worst it says so twice.
 */
export class FactoryReset {
  private journalDone = false;

  constructor(
    private readonly journal: Journal,
    private readonly store: FlashStore,
    /** The security log stays. */
    private readonly keepSecurityLog: boolean,
  ) {
    if (isResetting(store)) return;
    // A store that is full to the brim makes room: what it holds is going to be forgotten anyway.
    while (!store.set(KEY, "1")) {
      const key = [...store.keys()].find((one) => !one.startsWith(KEPT));
      if (key === undefined) throw new Error("FactoryReset: an empty store has no room");
      store.delete(key);
    }
  }

  /** Erases at most one sector. False when all is forgotten; then the module has to start anew. */
  step(now: Now): boolean {
    const { journal, store } = this;
    if (!this.journalDone) {
      if (journal.purgeStep(this.keepSecurityLog)) return true;
      journal.purge(this.keepSecurityLog, now);
      this.journalDone = true;
      return true;
    }
    if (store.purgeStep((key) => key === KEY || key.startsWith(KEPT))) return true;
    store.delete(KEY);
    return false;
  }
}

/** True where a factory reset has been begun and not ended: go on with it before anything else. */
export function isResetting(store: FlashStore): boolean {
  return store.get(KEY) !== undefined;
}
