/** The bench's platform on real sockets with a module, line and charger in real time beside it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Csms, Json } from "../../host-sim/csms/platform.js";
import { type CsmsOptions, startCsms } from "../../host-sim/csms/server.js";
import type { CsmsPoint } from "../../host-sim/csms/core.js";
import { OcppRig, type OcppRigOptions } from "./ocpp-rig.js";

export interface PlatformOptions {
  readonly dataDir: string;
  readonly csms?: Partial<CsmsOptions>;
  readonly rig?: Partial<OcppRigOptions>;
  /** What the module shows; default: the platform's CA and password. */
  readonly credentials?: (csms: Csms) => OcppRigOptions["credentials"];
}

export interface Platform {
  readonly csms: Csms;
  readonly rig: OcppRig;
  readonly point: CsmsPoint;
  ask(action: string, payload?: Json): Promise<Json>;
  close(): Promise<void>;
}

export async function startPlatform({
  dataDir,
  csms: wishes,
  rig: more,
  credentials,
}: PlatformOptions): Promise<Platform> {
  const csms = await startCsms({ dataDir, heartbeatSeconds: 60, ...wishes });
  const rig = new OcppRig({
    ...{ url: csms.url, dataDir, credentials: (credentials ?? withPassword)(csms) },
    ...more,
  });
  rig.start();
  return {
    ...{ csms, rig, point: csms.core.point("CP-1") },
    ask: (action, payload = {}) => csms.ask({ action, payload }),
    close: async () => {
      await rig.close();
      await csms.close();
    },
  };
}

/** Why a module with these credentials does not get in; throws where it does. */
export async function refusedBy(options: PlatformOptions): Promise<string> {
  const platform = await startPlatform({ ...options, rig: { dataDir: join(options.dataDir, "none") } });
  try {
    await platform.rig.until("it fails", () => platform.rig.upstream.fault !== "", 200_000);
    if (platform.csms.connected().length > 0) throw new Error("it got in");
    return platform.rig.upstream.fault;
  } finally {
    await platform.close();
  }
}

export const caOf = (csms: Csms): string => readFileSync(csms.ca, "utf8");
export const passwordOf = (csms: Csms): string => readFileSync(csms.passwordFile, "utf8").trim();
/** Security profile 2. */
export const withPassword = (csms: Csms) => ({ ca: caOf(csms), password: passwordOf(csms) });
/** Security profile 3. */
export const withCertificate = (csms: Csms) => ({
  ca: caOf(csms),
  cert: readFileSync(csms.clientCert, "utf8"),
  key: readFileSync(csms.clientKey, "utf8"),
});
