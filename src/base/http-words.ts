import type { HttpFailure } from "../ports/http.js";
import { fault, type Fault } from "./fault.js";
import { daysFromCivil, DAY_MS } from "./iso8601.js";

/**
 * A failed request as a fault: whose doing it is and what to do. `what` names the server, e.g. "the utility's
 * server"; `detail` is the world's own text, which is taken as it is where it is a sentence already.
 */
export function httpFailure(reason: HttpFailure, detail: string, what: string): Fault {
  const known = wordsFor(reason, detail, what);
  return detail.endsWith(".") ? { ...known, text: detail } : known;
}

function wordsFor(reason: HttpFailure, detail: string, what: string): Fault {
  const more = detail === "" ? "" : ` (${detail})`;
  switch (reason) {
    case "dns":
      return fault(
        "network",
        "dns",
        `The name of ${what} is not found${more}; check the address and the network.`,
      );
    case "refused":
      return fault(
        "server",
        "refused",
        `${cap(what)} refuses connections${more}; is it running, and the port right?`,
      );
    case "unreachable":
      return fault("network", "unreachable", `${cap(what)} cannot be reached${more}; check the network.`);
    case "timeout":
      return fault("network", "timeout", `${cap(what)} did not answer in time${more}.`);
    case "closed":
      return fault("server", "closed", `${cap(what)} closed the connection before it had answered${more}.`);
    case "too-large":
      return fault("server", "too-large", `The answer of ${what} is larger than this module reads${more}.`);
    case "tls-untrusted":
      return fault(
        "configuration",
        "tls-untrusted",
        `The certificate of ${what} is not signed by an authority that is trusted here${more}; check the ca file.`,
      );
    case "tls-static-rsa":
      return fault(
        "server",
        "tls-static-rsa",
        `${cap(what)} offers static-RSA cipher suites alone${more}, which this module does not speak because nothing stays secret once that key is known: ECDHE suites must be enabled there, e.g. TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256.`,
      );
    case "tls-host-name":
      return fault(
        "server",
        "tls-host-name",
        `The certificate of ${what} is for another host name${more}; check the address.`,
      );
    case "tls-expired":
      return fault(
        "server",
        "tls-expired",
        `The certificate of ${what} has expired${more}; if it has not, the clock here is wrong.`,
      );
    case "tls-not-yet-valid":
      return fault(
        "server",
        "tls-not-yet-valid",
        `The certificate of ${what} is not valid yet${more}; probably the clock here is wrong.`,
      );
    case "tls-client-certificate":
      return fault(
        "configuration",
        "tls-client-certificate",
        `${cap(what)} does not accept the certificate of this module${more}; have it enrolled there.`,
      );
    case "tls-handshake":
      return fault(
        "server",
        "tls-handshake",
        `No secure connection with ${what} came about${more}; it may offer only cipher suites or versions that are not supported here.`,
      );
    case "tls-purpose":
      return fault(
        "server",
        "tls-purpose",
        `The certificate of ${what} is not made for a server${more}; it must be issued anew.`,
      );
    case "tls-version":
      return fault("server", "tls-version", `${cap(what)} speaks no TLS 1.2 or newer${more}.`);
    case "busy":
      return fault("network", "busy", `All connections of this module are in use${more}.`);
    case "protocol":
      return fault("server", "protocol", `${cap(what)} does not speak proper HTTP${more}.`);
    default:
      return fault("network", "aborted", `The request to ${what} was given up${more}.`);
  }
}

/** An HTTP status that is no success, as a fault `http-NNN`. */
export function httpStatusFault(status: number, what: string): Fault {
  const code = `http-${String(status)}`;
  if (status === 401 || status === 403) {
    return fault(
      "configuration",
      code,
      `${cap(what)} refuses this module (HTTP ${String(status)}); is it enrolled there?`,
    );
  }
  if (status === 404) {
    return fault(
      "configuration",
      code,
      `${cap(what)} has nothing at this address (HTTP 404); check the address.`,
    );
  }
  return fault("server", code, `${cap(what)} answers with the error HTTP ${String(status)}.`);
}

function cap(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";

/** UTC ms of an HTTP Date (RFC 9110, IMF-fixdate), or undefined. Precision: one second. */
export function parseHttpDate(text: string): number | undefined {
  const part = /^[A-Za-z]{3}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/.exec(text.trim());
  if (part === null) return undefined;
  const at = MONTHS.indexOf(part[2]!);
  if (at < 0 || at % 3 !== 0) return undefined;
  const days = daysFromCivil(Number(part[3]), at / 3 + 1, Number(part[1]));
  return days * DAY_MS + (Number(part[4]) * 3600 + Number(part[5]) * 60 + Number(part[6])) * 1000;
}
