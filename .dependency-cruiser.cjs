/**
 * The import rule of docs/architecture.md, as a lint. `test/house/` plants a violation of each rule and
 * sees it caught, because a cruise that finds no module at all also exits with 0.
 */
const everyone = "base|ports";
/** What each folder of src may import besides itself, base and ports. */
const allowed = {
  base: everyone,
  ports: everyone,
  wire: everyone,
  link: `${everyone}|wire`,
  sgd: `${everyone}|wire|link`,
  grid: everyone,
  translate: `${everyone}|grid|sgd`,
  openadr2: `${everyone}|grid`,
  openadr3: `${everyone}|grid`,
  ocpp16: `${everyone}|grid`,
  journal: everyone,
  update: everyone,
  websocket: everyone,
  mqtt: everyone,
  setup: everyone,
};
const root = process.env.CRUISE_ROOT ?? "";
module.exports = {
  forbidden: [
    ...Object.entries(allowed).map(([folder, others]) => ({
      name: `${folder}-imports`,
      severity: "error",
      comment: `src/${folder} may import ${others} and itself only`,
      from: { path: `^${root}src/${folder}/` },
      to: { pathNot: `^${root}src/(${folder}|${others})/|^node_modules/crc/` },
    })),
    {
      name: "src-stands-alone",
      severity: "error",
      comment:
        "src never imports the bench, Node or a package that needs Node (crc/calculators is plain arithmetic)",
      from: { path: `^${root}src/` },
      to: { pathNot: `^${root}src/|^node_modules/crc/` },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: { path: `^${root}(src|host-sim)/` },
      to: { circular: true },
    },
    { name: "unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default"],
    },
  },
};
