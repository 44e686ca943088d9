import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

interface Validator {
  /** Throws with the errors where the value does not fit. */
  validate(schemaId: string, value: unknown): boolean;
}

let validator: Validator | undefined;

/** The judge of `ocpp-rpc`'s strict mode for OCPP 1.6 and its security extension. */
export function ocppValidator(): Validator {
  const rpc = require("ocpp-rpc") as { createValidator(name: string, schemas: unknown): Validator };
  validator ??= rpc.createValidator("ocpp1.6", require("ocpp-rpc/lib/schemas/ocpp1_6.json"));
  return validator;
}

/** "" where a payload fits, else what is wrong. */
export function schemaFault(action: string, kind: "req" | "conf", payload: unknown): string {
  try {
    ocppValidator().validate(`urn:${action}.${kind}`, payload);
    return "";
  } catch (error) {
    return `${action}.${kind}: ${(error as Error).message}: ${JSON.stringify(payload)}`;
  }
}
