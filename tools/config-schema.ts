/**
 * Writes the published schemas from the tables that the programs themselves check by: docs/config.schema.json
 * and docs/scenario.schema.json. Run: npm run schema
 */
import { writeFileSync } from "node:fs";
import { format } from "prettier";
import { scenarioSchema } from "../host-sim/scenario/spec.js";
import { configurationSpec } from "../src/setup/fields.js";
import { jsonSchemaOf } from "../src/setup/spec.js";

const schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "OpenUCM module configuration",
  ...jsonSchemaOf(configurationSpec),
};
writeFileSync(new URL("../docs/config.schema.json", import.meta.url), `${JSON.stringify(schema, null, 2)}\n`);
const scenario = await format(JSON.stringify(scenarioSchema()), { parser: "json", printWidth: 110 });
writeFileSync(new URL("../docs/scenario.schema.json", import.meta.url), scenario);
