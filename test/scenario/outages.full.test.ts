// Every kind of outage with every upstream, over three virtual days each.
import { describe, it } from "vitest";
import { DRILLED, OUTAGES } from "../support/outage-drill.js";
import { drilled } from "../support/outage-drilled.js";
import { describeNeeding } from "../support/needs.js";

describeNeeding([], "three days of outages, all upstreams", () => {
  describe.each(DRILLED)("%s", (protocol) => {
    it.each(Object.keys(OUTAGES))("%s", async (kind) => await drilled(kind, 2, protocol));
  });
});
