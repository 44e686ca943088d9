/** The module's own certificates and their renewal. Keys are made and kept by the world; the firmware sees none. */

export type CertificateCall =
  /** Makes a new key and a signing request for it. */
  | { readonly do: "request"; readonly credentials: string }
  /** The chain that was signed, PEM, leaf first: counts from the next connection on, where it fits the new key. */
  | { readonly do: "install"; readonly credentials: string; readonly chain: string };

/** Each call is answered by one event. */
export type CertificateEvent =
  /** A signing request (PKCS #10, PEM), or undefined where none can be made. */
  | { readonly ev: "requested"; readonly credentials: string; readonly csr: string | undefined }
  | { readonly ev: "installed"; readonly credentials: string; readonly ok: boolean };

export interface CertificatePort {
  call(call: CertificateCall): void;
}
