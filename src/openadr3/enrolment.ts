import { listOf, textOf, type Json } from "./json-stream.js";
import { get, post, type Ask, type Sending } from "./requests.js";
import { percent } from "./token.js";

const MAX_TARGETS = 8;

export interface EnrolmentNames {
  readonly venName: string;
  readonly resourceName: string;
  /** W. */
  readonly ratedW: number | undefined;
}

/** The objects by which the server knows this module: a VEN, and the charger as its resource. Found, else made. */
export class Enrolment {
  venId = "";
  resourceId = "";
  /** What the utility has put us into, for questions about events. */
  targets: readonly string[] = [];
  /** The server knows no VENs, or not us: go on without. */
  refused = false;
  private readonly base: string;
  private readonly names: EnrolmentNames;
  private next: "find-ven" | "make-ven" | "find-resource" | "make-resource" | "done" = "find-ven";

  constructor(base: string, names: EnrolmentNames) {
    this.base = base;
    this.names = names;
  }

  begin(): void {
    this.next = "find-ven";
  }

  get done(): boolean {
    return this.refused || this.next === "done";
  }

  request(): Sending {
    const { venName, resourceName, ratedW } = this.names;
    const { base } = this;
    switch (this.next) {
      case "find-ven":
        return get("find-ven", `${base}/vens?venName=${percent(venName)}&skip=0&limit=8`);
      case "make-ven": {
        const attributes = [{ type: "DESCRIPTION", values: ["CTA-2045 communications module"] }];
        return post(
          "make-ven",
          `${base}/vens`,
          JSON.stringify({ objectType: "VEN_VEN_REQUEST", venName, attributes }),
        );
      }
      case "find-resource": {
        const query = `venID=${percent(this.venId)}&resourceName=${percent(resourceName)}`;
        return get("find-resource", `${base}/resources?${query}&skip=0&limit=8`);
      }
      default: {
        const power =
          ratedW === undefined ? [] : [{ type: "MAX_POWER_CONSUMPTION", values: [ratedW / 1000] }];
        const attributes = [...power, { type: "DESCRIPTION", values: ["EV charger"] }];
        const body = { objectType: "VEN_RESOURCE_REQUEST", resourceName, venID: this.venId, attributes };
        return post("make-resource", `${base}/resources`, JSON.stringify(body));
      }
    }
  }

  /** An object of an answer to `ask`. */
  take(ask: Ask, value: Json): void {
    const { venName, resourceName } = this.names;
    const id = textOf(value, "id");
    if ((ask === "find-ven" || ask === "make-ven") && textOf(value, "venName") === venName) {
      this.venId = id;
      this.targets = targetsOf(value);
      this.next = "find-resource";
    } else if (
      (ask === "find-resource" || ask === "make-resource") &&
      textOf(value, "resourceName") === resourceName
    ) {
      this.resourceId = id;
      this.targets = [...this.targets, ...targetsOf(value)].slice(0, MAX_TARGETS);
      this.next = "done";
    }
  }

  /** The answer to `ask` is whole: what was not found is made; what was made and is not there is given up. */
  answered(ask: Ask): void {
    if (this.next !== ask) return;
    if (ask === "find-ven") this.next = "make-ven";
    else if (ask === "find-resource") this.next = "make-resource";
    else this.next = "done";
  }

  /** What is to be deleted first when the module leaves; undefined where nothing is left. */
  leave(): Sending | undefined {
    const path =
      this.resourceId !== "" ? `resources/${percent(this.resourceId)}` : `vens/${percent(this.venId)}`;
    if (this.resourceId === "" && this.venId === "") return undefined;
    return { ask: "leave", method: "DELETE", url: `${this.base}/${path}`, body: undefined };
  }

  left(): void {
    if (this.resourceId !== "") this.resourceId = "";
    else this.venId = "";
  }
}

function targetsOf(value: Json): readonly string[] {
  return listOf(value, "targets")
    .filter((one): one is string => typeof one === "string" && one !== "" && one.length <= 128)
    .slice(0, MAX_TARGETS);
}
