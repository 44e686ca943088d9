/** The module's own certificates, their renewal, and the roots it trusts. Keys are made and kept by the world; the firmware sees none. */

export type CertificateCall =
  /** Makes a new key and a signing request for it. */
  | { readonly do: "request"; readonly credentials: string }
  /**
   * The chain that was signed, PEM: counts from the next connection on, where it fits the new key. The old one stays beside
   * it until a server has answered over the new one.
   */
  | { readonly do: "install"; readonly credentials: string; readonly chain: string }
  /** How long the newest certificate is valid. */
  | { readonly do: "look"; readonly credentials: string }
  /** Roots (PEM) of a signed bundle: they count beside the old ones until a server has answered over them. */
  | {
      readonly do: "roots";
      readonly credentials: string;
      readonly version: number;
      readonly bundle: string;
    }
  /**
   * What the protocol says in an answer of HTTP 200, where that alone proves nothing (OpenADR 2.0b): the server has taken us,
   * or does not know us. Not answered.
   */
  | { readonly do: "word"; readonly credentials: string; readonly taken: boolean };

/** Each call but the last is answered by one event. */
export type CertificateEvent =
  /** A signing request (PKCS #10, PEM), or undefined where none can be made. */
  | { readonly ev: "requested"; readonly credentials: string; readonly csr: string | undefined }
  | {
      readonly ev: "installed";
      readonly credentials: string;
      readonly ok: boolean;
      /** Why not, a stable word. */
      readonly why?: string;
    }
  /** Without dates there is no certificate. */
  | {
      readonly ev: "validity";
      readonly credentials: string;
      readonly fromUtcMs?: number;
      readonly untilUtcMs?: number;
    }
  /** `why` "old": that version or a later one is there. */
  | {
      readonly ev: "roots";
      readonly credentials: string;
      readonly version: number;
      readonly ok: boolean;
      readonly why: string;
    };

export interface CertificatePort {
  call(call: CertificateCall): void;
}
