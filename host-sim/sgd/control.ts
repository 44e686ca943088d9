/** The control interface of `openucm sgd --control`: what a test rig does to a charger, over HTTP. */
import { RequestError } from "../control/local-server.js";
import { faultNames } from "./faults.js";
import type { SgdSimulator } from "./simulator.js";

function field<T extends "boolean" | "string">(
  body: unknown,
  name: string,
  type: T,
): T extends "boolean" ? boolean : string {
  const value =
    typeof body === "object" && body !== null ? (body as Record<string, unknown>)[name] : undefined;
  if (typeof value !== type) {
    throw new RequestError(
      400,
      `the body must be {"${name}": ${type === "boolean" ? "true or false" : '"text"'}}`,
    );
  }
  return value as T extends "boolean" ? boolean : string;
}

/** Answers the handler for {@link startLocalServer}. */
export function controlHandler(sgd: SgdSimulator): (method: string, path: string, body: unknown) => unknown {
  return (method, path, body) => {
    switch (`${method} ${path}`) {
      case "POST /plug":
        sgd.plug();
        return sgd.state();
      case "POST /unplug":
        sgd.unplug();
        return sgd.state();
      case "POST /override":
        sgd.override(field(body, "on", "boolean"));
        return sgd.state();
      case "POST /fault": {
        const name = field(body, "name", "string");
        if (!sgd.fault(name)) {
          throw new RequestError(
            400,
            `there is no fault "${name}"; known are ${faultNames().join(", ")} (NAME:N hits N times)`,
          );
        }
        return sgd.state();
      }
      case "GET /state":
        return sgd.state();
      case "GET /faults":
        return faultNames();
      default:
        return undefined;
    }
  };
}
