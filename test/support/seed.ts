/**
 * Where generated inputs begin. On a developer's machine each run draws others, and a failure names its seed. In CI (and where
 * OPENUCM_SEED is set) they are the same in each run, so that its result speaks of the change and not of luck.
 */
const said = process.env["OPENUCM_SEED"] ?? (process.env["CI"] === "true" ? "2045" : "");
if (said !== "") {
  if (!/^-?\d{1,10}$/.test(said)) throw new Error(`OPENUCM_SEED is no whole number: ${said}`);
  const { default: fc } = await import("fast-check");
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(said) });
}
