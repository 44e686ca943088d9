import { seededRandom, uniformInt } from "../../src/base/random.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { limitOrder } from "../../host-sim/csms/requests.js";
import type { WebSocketFailure } from "../../src/ports/websocket.js";
import { csmsUpstream, VirtualBench, type Network } from "../../host-sim/virtual/virtual-bench.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What a module may lose for a while. `begin` takes it away and answers how it comes back. */
interface Outage {
  readonly times: number;
  /** Shortest and longest, ms. */
  readonly lasts: readonly [number, number];
  /** Within so long after its end the utility is heard again, ms: what the rules of back-off promise at most. */
  readonly backWithinMs: number;
  begin(bench: VirtualBench): () => void;
}

/** Replaces the way to every server, the platform's too; answers how to take it back. */
function replaced(bench: VirtualBench, network: Network, way: WebSocketFailure): () => void {
  const before = bench.network;
  bench.network = network;
  bench.platformWay = way;
  return () => {
    bench.network = before;
    bench.platformWay = "";
  };
}

/** The longest back-off of an upstream is 15 min, of the station 2 min, and both at once with a connection to make. */
const UPSTREAM_MS = 16 * MINUTE;
const STATION_MS = 3 * MINUTE;

/** What a drill must not bear: an outage that is said to be over and is not. */
export const ENDLESS = "endless";

export const OUTAGES: Readonly<Record<string, Outage>> = {
  "access point off": {
    ...{ times: 10, lasts: [MINUTE, 4 * HOUR], backWithinMs: STATION_MS },
    begin: (bench) => {
      bench.home!.switchAccessPoint(false, bench.nowMs);
      return () => bench.home!.switchAccessPoint(true, bench.nowMs);
    },
  },
  "router without addresses": {
    ...{ times: 6, lasts: [10 * MINUTE, 2 * HOUR], backWithinMs: STATION_MS },
    begin: (bench) => {
      bench.home!.dhcp = false;
      bench.home!.switchAccessPoint(false, bench.nowMs);
      bench.home!.switchAccessPoint(true, bench.nowMs + 4000);
      return () => (bench.home!.dhcp = true);
    },
  },
  // The connection stays and leads nowhere: it has to be noticed (10 min of silence, or of time servers alone) and left.
  "another router, other addresses": {
    ...{ times: 6, lasts: [1, 1], backWithinMs: 100 * MINUTE },
    begin: (bench) => {
      bench.home!.newRouter();
      return () => undefined;
    },
  },
  "radio driver hung": {
    ...{ times: 3, lasts: [1, 1], backWithinMs: 3 * HOUR },
    begin: (bench) => {
      bench.home!.hung = true;
      return () => undefined;
    },
  },
  "names poisoned, strange certificate": {
    ...{ times: 3, lasts: [10 * MINUTE, 6 * HOUR], backWithinMs: UPSTREAM_MS },
    begin: (bench) => replaced(bench, () => "tls-untrusted", "tls-untrusted"),
  },
  "no names": {
    ...{ times: 4, lasts: [10 * MINUTE, 3 * HOUR], backWithinMs: UPSTREAM_MS },
    begin: (bench) => replaced(bench, () => "dns", "dns"),
  },
  "utility dead for an hour": {
    ...{ times: 4, lasts: [HOUR, HOUR], backWithinMs: UPSTREAM_MS },
    begin: (bench) => replaced(bench, () => "timeout", "timeout"),
  },
  "utility dead for three days": {
    ...{ times: 1, lasts: [72 * HOUR, 72 * HOUR], backWithinMs: UPSTREAM_MS },
    begin: (bench) => replaced(bench, () => ({ status: 503, body: "" }), "http-503"),
  },
  "clock off by years": {
    ...{ times: 3, lasts: [1, 1], backWithinMs: 2 * HOUR },
    begin: (bench) => {
      bench.moduleClock.offsetMs += (bench.nowMs % 2 === 0 ? 1 : -1) * 3 * 365 * 24 * HOUR;
      return () => undefined;
    },
  },
};

export interface DrillResult {
  /** From each outage's end to the utility heard again and the clock right, ms. */
  readonly backMs: readonly number[];
  readonly restarts: number;
  readonly reinits: number;
  readonly hours: number;
  readonly bench: VirtualBench;
}

export const DRILLED = ["openadr2b", "openadr3", "ocpp16"] as const;

/** Three days with one kind of outage at random moments, and at the end an event that the charger must follow. */
export async function outageDrill(
  kind: string,
  seed: number,
  protocol: (typeof DRILLED)[number] = "openadr2b",
): Promise<DrillResult> {
  const outage: Outage =
    kind === ENDLESS
      ? {
          ...OUTAGES["utility dead for an hour"]!,
          begin: (bench) => (replaced(bench, () => "timeout", "timeout"), () => undefined),
        }
      : OUTAGES[kind]!;
  const random = seededRandom(seed * 7919);
  const bench = new VirtualBench({
    engine: nodeEngine(),
    seed,
    home: true,
    vtn: { pollSeconds: 60 },
    ...(protocol === "openadr3" ? { protocol } : {}),
    config: {
      ...(protocol === "ocpp16" ? { upstreams: [csmsUpstream] } : {}),
      timeServers: ["time-a.test", "time-b.test", "time-c.test"],
      polling: { stateSeconds: 300, commoditySeconds: 300 },
    },
  });
  let heardMs = -1;
  const through = bench.network;
  bench.network = (request, utcMs) => {
    heardMs = bench.nowMs;
    return through(request, utcMs);
  };
  /** When the utility last heard the module, or the platform's answer last reached it. */
  const heard = (): number => {
    if (protocol !== "ocpp16") return heardMs;
    const { wire } = bench.csms;
    for (let i = wire.length - 1; i >= 0; i--) if (wire[i]!.from === "platform") return wire[i]!.atMs;
    return -1;
  };
  const well = (): boolean =>
    bench.last("upstream")?.state === "online" && Math.abs(bench.moduleClock.offsetMs) < 2000;
  await bench.until("online", well, 5 * MINUTE);
  const backMs: number[] = [];
  const pauseMs = Math.max(0, (72 * HOUR) / outage.times - outage.lasts[1] - outage.backWithinMs);
  for (let i = 0; i < outage.times; i++) {
    await bench.run(uniformInt(random, Math.floor(pauseMs)));
    const end = outage.begin(bench);
    await bench.run(outage.lasts[0] + uniformInt(random, outage.lasts[1] - outage.lasts[0]));
    end();
    const fromMs = bench.nowMs;
    const back = await bench.waitFor(() => heard() > fromMs && well(), outage.backWithinMs);
    if (!back) throw new Error(`${kind}, seed ${seed}: not back after ${outage.backWithinMs / MINUTE} min`);
    backMs.push(bench.nowMs - fromMs);
  }
  await bench.run(Math.max(0, 72 * HOUR - bench.nowMs));
  bench.sgd.plug();
  await bench.until("the car charges", () => bench.sgd.state().currentA > 31, 5 * MINUTE);
  if (protocol === "ocpp16") bench.csms.ask(limitOrder({ limit: 10 }, bench.utcMs));
  else bench.vtn.createEvent({ signal: "SIMPLE", level: 1, startInSeconds: 0, durationSeconds: 1800 }, bench);
  await bench.until("the charger follows", () => bench.sgd.state().currentA <= 16, 5 * MINUTE);
  return {
    backMs,
    restarts: Number(bench.store["net.restarts"] ?? 0),
    reinits: bench.home!.calls.filter(({ call }) => call === "reinit").length,
    hours: bench.nowMs / HOUR,
    bench,
  };
}
