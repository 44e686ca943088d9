import { seededRandom, uniformInt } from "../../src/base/random.js";
import { Harness } from "./ocpp-harness.js";

type Json = Readonly<Record<string, unknown>>;

const now = "2026-11-21T12:00:00Z";
const profile = (purpose: string): Json => ({
  chargingProfileId: 1,
  stackLevel: 1,
  chargingProfilePurpose: purpose,
  chargingProfileKind: "Recurring",
  recurrencyKind: "Daily",
  chargingSchedule: {
    duration: 86_400,
    startSchedule: now,
    chargingRateUnit: "A",
    chargingSchedulePeriod: [
      { startPeriod: 0, limit: 16 },
      { startPeriod: 3600, limit: 6, numberPhases: 1 },
    ],
  },
});

/** Good messages that the fuzz begins from. */
const SEEDS: readonly (readonly [string, Json])[] = [
  ["SetChargingProfile", { connectorId: 0, csChargingProfiles: profile("ChargePointMaxProfile") }],
  ["SetChargingProfile", { connectorId: 1, csChargingProfiles: profile("TxDefaultProfile") }],
  ["RemoteStartTransaction", { connectorId: 1, idTag: "TAG", chargingProfile: profile("TxProfile") }],
  ["RemoteStopTransaction", { transactionId: 1 }],
  ["ClearChargingProfile", { id: 1 }],
  ["GetCompositeSchedule", { connectorId: 1, duration: 86_400, chargingRateUnit: "W" }],
  ["ChangeConfiguration", { key: "MeterValueSampleInterval", value: "30" }],
  ["ChangeConfiguration", { key: "ClockAlignedDataInterval", value: "900" }],
  ["ChangeConfiguration", { key: "AuthorizationKey", value: "0123456789abcdef0123" }],
  ["GetConfiguration", { key: ["HeartbeatInterval", "Nonsense"] }],
  ["TriggerMessage", { requestedMessage: "MeterValues", connectorId: 1 }],
  ["ExtendedTriggerMessage", { requestedMessage: "SignChargePointCertificate" }],
  ["ChangeAvailability", { connectorId: 0, type: "Inoperative" }],
  ["ChangeAvailability", { connectorId: 1, type: "Operative" }],
  ["Reset", { type: "Soft" }],
  ["UpdateFirmware", { location: "https://x.test/fw", retrieveDate: now }],
  ["GetLog", { logType: "SecurityLog", requestId: 1, log: { remoteLocation: "https://x.test/" } }],
  ["CertificateSigned", { certificateChain: "-----BEGIN CERTIFICATE-----" }],
  ["DataTransfer", { vendorId: "x", data: "y" }],
  ["ReserveNow", { connectorId: 1 }],
];

const ODD: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  0.05,
  1e308,
  -1e308,
  2 ** 53,
  "",
  "\u0000",
  "\ud800",
  "Nonsense",
  [],
  {},
  [[]],
  "9999-12-31T23:59:59Z",
  "0000-01-01T00:00:00Z",
  "x".repeat(300),
];
const RAW: readonly string[] = [
  "",
  " ",
  "[",
  "]",
  "{}",
  "null",
  "[2]",
  "[2,1,2,3]",
  '[2,"a"]',
  '[9,"a",{}]',
  '[3,"zz",{}]',
  '[4,"zz","GenericError","",{}]',
  "[".repeat(5000),
  '{"a":'.repeat(200),
  '"'.repeat(50),
  "\ufeff[]",
  `["${"x".repeat(20_000)}"]`,
  '[2,"a","Reset",[]]',
  '[2,"a","Reset",{}] x',
];

export interface FuzzReport {
  readonly closes: Readonly<Record<number, number>>;
  readonly answered: number;
  readonly restarts: number;
}

/** Sends `count` right, spoilt and senseless messages. Throws where the charge point does, or falls out of its states. */
export function fuzz(count: number, seed: number): FuzzReport {
  const source = seededRandom(seed);
  const draw = (n: number): number => uniformInt(source, n - 1);
  const harness = new Harness({ startsBy: draw(2) === 0 ? "charging" : "platform" }).start();
  let closes = 0;
  let answered = 0;
  let restarts = 0;
  const seen: Record<number, number> = {};
  for (let i = 0; i < count; i++) {
    // The back-off goes up to ten minutes where nothing sensible comes in between.
    for (let minute = 0; minute < 12 && !harness.isConnected; minute++) harness.advance(60_000);
    if (!harness.isConnected) throw new Error("it does not come back");
    const sent = harness.sent.length;
    harness.deliver(fuzzText(draw)).settle();
    answered += harness.sent.length - sent;
    harness.sent.length = 0;
    for (const { code } of harness.closes.splice(0)) {
      closes++;
      seen[code] = (seen[code] ?? 0) + 1;
      // Our own restarts and new passwords (1001), nothing to be made of a message (1002, 1007), too long (1009).
      if (![1001, 1002, 1007, 1009].includes(code)) throw new Error(`closed with ${String(code)}`);
    }
    if (draw(50) === 0) harness.tell({ opState: draw(15), powerW: draw(2) * 7000, energyWh: 5000 + i });
    if (draw(50) === 0) harness.advance(draw(100_000));
    if (draw(2000) === 0) {
      harness.boot().start();
      restarts++;
    }
    if (harness.faults.length > 0) throw new Error(harness.faults[0]);
    const { status } = harness.point.session.status(harness.ms);
    if (status === undefined || harness.events.length > 2) throw new Error("no defined state");
    if (harness.logs.length > 100) harness.logs.length = 0;
    if (harness.csms.records.length > 500) harness.csms.records.length = 0;
    if (harness.csms.transactions.length > 100) harness.csms.transactions.length = 0;
  }
  void closes;
  return { closes: seen, answered, restarts };
}

/** A message, right, spoilt or senseless. */
export function fuzzText(draw: (n: number) => number): string {
  const kind = draw(10);
  if (kind === 0) return RAW[draw(RAW.length)]!;
  const [action, payload] = SEEDS[draw(SEEDS.length)]!;
  const id = `f${String(draw(1000))}`;
  const good = kind < 3 ? payload : spoil(payload, draw);
  const whole = JSON.stringify(
    kind === 9
      ? [draw(6), draw(9) === 0 ? 5 : id, draw(9) === 0 ? null : action, good]
      : [2, id, action, good],
  );
  if (kind !== 8) return whole;
  // Bytes changed, cut or doubled.
  const at = draw(whole.length);
  const rest = whole.slice(at + draw(3));
  return whole.slice(0, at) + String.fromCharCode(draw(0x250)) + rest;
}

function spoil(value: unknown, draw: (n: number) => number): unknown {
  if (typeof value !== "object" || value === null || draw(8) === 0) return ODD[draw(ODD.length)];
  if (Array.isArray(value)) {
    const list = [...(value as unknown[])];
    if (list.length > 0 && draw(3) > 0) list[draw(list.length)] = spoil(list[0], draw);
    else for (let i = draw(40); i > 0; i--) list.push(list[0]);
    return list;
  }
  const names = Object.keys(value);
  const copy: Record<string, unknown> = { ...(value as Json) };
  if (names.length === 0) return { [`f${String(draw(9))}`]: ODD[draw(ODD.length)] };
  const name = names[draw(names.length)]!;
  if (draw(4) === 0) delete copy[name];
  else copy[name] = spoil(copy[name], draw);
  return copy;
}
