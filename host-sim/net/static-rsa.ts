import * as tls from "node:tls";

/**
 * What this computer offers: Node's suites without static RSA, as on the device, whose Mbed TLS 4 has none. A server that
 * a module cannot talk to must not work on the bench.
 */
export const ECDHE_ONLY = `${tls.DEFAULT_CIPHERS}:!kRSA`;

const PROBE_MS = 5000;

/**
 * Whether a server that has just refused a handshake takes one with static-RSA suites. Nothing is sent to it but that
 * handshake, and nothing of it is trusted.
 */
export function isStaticRsaAlone(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    let done = false;
    const end = (alone: boolean): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      socket.destroy();
      resolve(alone);
    };
    const timer = setTimeout(() => end(false), PROBE_MS);
    const socket = tls.connect({
      host,
      port,
      ciphers: "kRSA:@SECLEVEL=0",
      maxVersion: "TLSv1.2",
      // Only which suite it chooses is of interest; the connection ends here.
      rejectUnauthorized: false,
    });
    // Its certificate request, or its complaint that there is no certificate, comes after it has chosen a suite.
    socket.on("secureConnect", () => end(true));
    socket.on("error", () =>
      end(socket.getCipher()?.name !== undefined && isStatic(socket.getCipher().name)),
    );
  });
}

/** OpenSSL's names: static RSA has no key exchange in front. */
function isStatic(name: string): boolean {
  return /^(AES|CAMELLIA|DES|ARIA)/.test(name);
}
