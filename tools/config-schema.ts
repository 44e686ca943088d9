/** Writes docs/config.schema.json from the table that the module itself checks by. Run: npm run schema */
import { writeFileSync } from "node:fs";
import { configurationSpec } from "../src/setup/fields.js";
import { jsonSchemaOf } from "../src/setup/spec.js";

const schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "OpenUCM module configuration",
  ...jsonSchemaOf(configurationSpec),
};
writeFileSync(new URL("../docs/config.schema.json", import.meta.url), `${JSON.stringify(schema, null, 2)}\n`);
