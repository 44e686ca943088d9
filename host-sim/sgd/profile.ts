/** Profiles by name or from a file, on Node. The appliances themselves know only `profile-model.ts`. */
import { readdirSync, readFileSync } from "node:fs";
import { isFault } from "../../src/base/fault.js";
import { DEFAULT_PROFILE, type Profile, readProfile } from "./profile-model.js";

export type { Profile, Profile as SgdProfile } from "./profile-model.js";

const folder = new URL("./profiles/", import.meta.url);

/** Names of the profiles that come with the bench, the default first. */
export function profileNames(): readonly string[] {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith(".json") && file !== "schema.json")
    .map((file) => file.slice(0, -".json".length))
    .sort();
  return [DEFAULT_PROFILE.name, ...names.filter((name) => name !== DEFAULT_PROFILE.name)];
}

/** A profile by name, or from the file of that path. Throws with a sentence for the user where there is none. */
export function loadProfile(nameOrPath: string): Profile {
  const isName = profileNames().includes(nameOrPath);
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(isName ? new URL(`${nameOrPath}.json`, folder) : nameOrPath, "utf8"));
  } catch (error) {
    const why =
      error instanceof SyntaxError ? `is not JSON: ${error.message}` : "is neither a name nor a file";
    throw new Error(`profile "${nameOrPath}" ${why}; names are ${profileNames().join(", ")}`, {
      cause: error,
    });
  }
  const profile = readProfile(document);
  if (!Array.isArray(profile)) return profile as Profile;
  const faults = profile.filter(isFault).map((one) => one.text);
  throw new Error(`profile "${nameOrPath}": ${faults.join("; ")}`);
}
