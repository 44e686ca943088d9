/** What sdk.ts uses of the Moddable SDK, as its documentation (ECMA-419) has it, so that it is type-checked without the SDK. */
declare module "embedded:io/socket/tcp" {
  export default class TCP {
    constructor(options: {
      /** A connection of a listener that is taken over; it is not to be used any more. */
      readonly from: TCP;
      readonly format: "buffer";
      readonly onReadable: (count: number) => void;
      readonly onWritable: (count: number) => void;
      readonly onError: () => void;
    });
    readonly remoteAddress: string | undefined;
    read(): number | ArrayBuffer | undefined;
    write(bytes: Uint8Array): void;
    close(): void;
  }
}
declare module "embedded:io/socket/listener" {
  import type TCP from "embedded:io/socket/tcp";
  export default class Listener {
    constructor(options: { readonly port: number; readonly onReadable: (count: number) => void });
    read(): TCP | undefined;
    close(): void;
  }
}
