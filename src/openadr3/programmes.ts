import { readDescriptors, type Programme } from "./events.js";
import { listOf, textOf, type Json } from "./json-stream.js";
import { get, type Intake, type Sending } from "./requests.js";

const PAGE = 50;
const MAX_PAGES = 40;
const MAX_PROGRAMMES = 16;

/** The server's programmes, as far as they are wanted: all, or those with the configured names. */
export class Programmes {
  list: readonly Programme[] = [];
  readonly wanted: readonly string[];
  private draft: Programme[] = [];
  private skip = 0;

  constructor(wanted: readonly string[]) {
    this.wanted = wanted;
  }

  begin(): void {
    this.draft = [];
    this.skip = 0;
  }

  request(base: string): Sending {
    return get("programs", `${base}/programs?skip=${String(this.skip)}&limit=${String(PAGE)}`);
  }

  take(value: Json): void {
    const id = textOf(value, "id");
    const name = textOf(value, "programName");
    if (id === "" || (this.wanted.length > 0 && !this.wanted.includes(name))) return;
    if (this.draft.length >= MAX_PROGRAMMES || this.draft.some((one) => one.id === id)) return;
    this.draft.push({ id, name, descriptors: readDescriptors(listOf(value, "payloadDescriptors")) });
  }

  /** A page is in. True where no more is needed; then `list` is new. */
  page(intake: Intake): boolean {
    this.skip += intake.count;
    const all =
      this.wanted.length > 0 && this.wanted.every((name) => this.draft.some((one) => one.name === name));
    if (intake.count === PAGE && !all && this.skip < MAX_PAGES * PAGE) return false;
    this.list = this.draft;
    this.begin();
    return true;
  }
}
