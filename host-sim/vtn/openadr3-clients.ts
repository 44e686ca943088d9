/** The OAuth 2 clients of the bench: made with random secrets at first start, kept in the data folder (mode 0600). */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Client3 } from "./openadr3-auth.js";

export interface Clients3 {
  /** For a module. */
  readonly module: Client3;
  /** For business logic: may write programs and events. */
  readonly utility: Client3;
}

export async function openClients(path: string): Promise<Clients3> {
  const known = await read(path);
  if (known !== undefined) return known;
  const client = (clientId: string, role: Client3["role"]): Client3 => ({
    clientId,
    clientSecret: randomBytes(24).toString("base64url"),
    role,
  });
  const made: Clients3 = { module: client("module", "ven"), utility: client("utility", "bl") };
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(made, undefined, 2)}\n`, { mode: 0o600 });
  return made;
}

async function read(path: string): Promise<Clients3 | undefined> {
  try {
    const { module, utility } = JSON.parse(await readFile(path, "utf8")) as Clients3;
    const good = (c: Client3, role: string): boolean =>
      typeof c.clientId === "string" && typeof c.clientSecret === "string" && c.role === role;
    return good(module, "ven") && good(utility, "bl") ? { module, utility } : undefined;
  } catch {
    return undefined;
  }
}
