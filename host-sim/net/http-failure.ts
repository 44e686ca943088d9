/** Node's many error codes, told as one of the few reasons of `HttpFailure`, in words that say what to do. */
import type { HttpFailure } from "../../src/ports/http.js";

export interface Explained {
  readonly reason: HttpFailure;
  readonly text: string;
}

export interface FailureContext {
  /** Host and port as a person would write it. */
  readonly host: string;
  /** True when the request carries a client certificate. */
  readonly hasClientCertificate: boolean;
  /** True when trust roots were configured; else the system's are used. */
  readonly hasCa: boolean;
  /** The TLS handshake had succeeded. */
  readonly secured: boolean;
  /** The head of the answer had come. */
  readonly answered: boolean;
}

const UNTRUSTED = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "CERT_REVOKED",
  "CERT_CHAIN_TOO_LONG",
]);

/** A certificate of the chain is not for this use. */
const PURPOSE = new Set(["INVALID_CA", "INVALID_PURPOSE", "PATH_LENGTH_EXCEEDED"]);

/** TLS alerts by which a server says that it does not take our certificate, or wants one. */
const CLIENT_CERTIFICATE =
  /ALERT_(BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_|NO_CERTIFICATE|UNSUPPORTED_CERT|ACCESS_DENIED)/;

/** Says why a request failed. Takes anything that Node throws or emits. */
export function explain(error: unknown, context: FailureContext): Explained {
  const { host } = context;
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_NODATA":
    case "EAI_FAIL":
      return told("dns", `The name of ${host} cannot be resolved: check the address and the network's DNS.`);
    case "ECONNREFUSED":
      return told(
        "refused",
        `${host} refuses connections: is the server running, and is this the right port?`,
      );
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ENETDOWN":
    case "EADDRNOTAVAIL":
    case "EACCES":
      return told("unreachable", `${host} cannot be reached: check the network connection (${code}).`);
    case "ETIMEDOUT":
      return told("timeout", `${host} does not answer in time.`);
    case "CERT_HAS_EXPIRED":
      return told(
        "tls-expired",
        `The certificate of ${host} has expired: it must be renewed there; if this module's clock is wrong, set it.`,
      );
    case "CERT_NOT_YET_VALID":
      return told(
        "tls-not-yet-valid",
        `The certificate of ${host} is not valid yet: check the clock of this module, then the server's certificate.`,
      );
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return told(
        "tls-host-name",
        `The certificate that was shown is for another name than ${host}: check the configured url.`,
      );
  }
  if (UNTRUSTED.has(code)) {
    const by = context.hasCa ? "the configured CA" : "a CA that this computer trusts";
    return told(
      "tls-untrusted",
      `The server's certificate is not signed by ${by} (${host}, ${code}): check the setting ca, or whether somebody stands between.`,
    );
  }
  if (PURPOSE.has(code)) {
    return told(
      "tls-purpose",
      `The certificate of ${host}, or of one of its issuers, is not made for this use (${code}): it must be issued anew.`,
    );
  }
  // On a write Node gives EPROTO and OpenSSL's own text: "sslv3 alert handshake failure".
  const ssl = code === "EPROTO" ? message.toUpperCase().replaceAll(" ", "_") : code;
  if (CLIENT_CERTIFICATE.test(ssl)) return clientCertificate(context, code);
  if (/ALERT_HANDSHAKE_FAILURE/.test(ssl)) {
    if (!context.hasClientCertificate) return clientCertificate(context, code);
    return told(
      "tls-handshake",
      `${host} and this module share no TLS 1.2 cipher suite, or it does not take the client certificate (${code}).`,
    );
  }
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(ssl)) {
    return told("tls-handshake", `${host} does not speak TLS on this port: check the url.`);
  }
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/.test(ssl)) {
    return told("tls-version", `${host} speaks no TLS 1.2 or newer.`);
  }
  if (code.startsWith("ERR_SSL_") || code === "EPROTO") {
    return told("tls-handshake", `The TLS handshake with ${host} failed (${code}).`);
  }
  if (code.startsWith("ERR_OSSL_")) {
    return told(
      "tls-client-certificate",
      `The configured ca, cert or key cannot be used: check that they are PEM and belong together (${code}).`,
    );
  }
  if (code.startsWith("HPE_") || code === "ERR_INVALID_PROTOCOL") {
    return told("protocol", `${host} sends what is not HTTP (${code}): check the url.`);
  }
  if (/ERR_(HTTP|INVALID|UNESCAPED)/.test(code))
    return told("protocol", `The request cannot be sent: ${message}.`);
  if (
    code === "ECONNRESET" ||
    code === "EPIPE" ||
    code === "ERR_STREAM_PREMATURE_CLOSE" ||
    code === "ECONNABORTED"
  ) {
    if (context.answered) return told("closed", `${host} closed the connection in the middle of its answer.`);
    const when = context.secured ? "before it answered" : "before the TLS handshake was through";
    // Some servers (Node's among them) drop a client whose certificate they do not trust without an alert.
    const hint = context.hasClientCertificate
      ? " If it always does, it may not accept this client certificate."
      : "";
    return told("closed", `${host} closed the connection ${when}.${hint}`);
  }
  return told("protocol", `The request to ${host} failed: ${message}${code === "" ? "" : ` (${code})`}.`);
}

function clientCertificate(context: FailureContext, code: string): Explained {
  const text = context.hasClientCertificate
    ? `${context.host} does not accept this module's client certificate (${code}): have it signed by the CA that the server trusts, or enrol its fingerprint there.`
    : `${context.host} demands a client certificate (${code}): configure cert and key.`;
  return told("tls-client-certificate", text);
}

function told(reason: HttpFailure, text: string): Explained {
  return { reason, text };
}

/** Several addresses tried: Node gives an AggregateError, of which the first tells enough. */
function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  const e = error as { code?: unknown; errors?: unknown };
  if (typeof e.code === "string" && e.code !== "") return e.code;
  return Array.isArray(e.errors) && e.errors.length > 0 ? codeOf(e.errors[0]) : "";
}
