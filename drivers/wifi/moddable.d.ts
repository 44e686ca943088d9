/** What sdk.ts uses of the Moddable SDK, as its documentation has it, so that it is type-checked without the SDK. */
declare module "wifi" {
  export default class WiFi {
    static readonly Mode: {
      readonly off: -5;
      readonly none: 0;
      readonly station: 1;
      readonly accessPoint: 2;
    };
    static mode: number;
    constructor(options: undefined, callback: (message: string, value?: number) => void);
    close(): void;
    static connect(options: { readonly ssid: string; readonly password?: string }): void;
    static disconnect(): void;
    static scan(options: object, callback: (item: { readonly ssid: string } | null) => void): void;
    static accessPoint(options: {
      readonly ssid: string;
      readonly password: string;
      readonly max: number;
      readonly station: boolean;
    }): void;
  }
}
declare module "net" {
  const Net: {
    get(what: "RSSI" | "IP" | "MAC" | "SSID"): string | number;
    resolve(host: string, callback: (name: string, address?: string) => void): void;
  };
  export default Net;
}
declare module "socket" {
  export class Socket {
    constructor(options: { readonly kind: "UDP" });
    close(): void;
    read(type: ArrayBufferConstructor): ArrayBuffer;
    write(address: string, port: number, data: ArrayBufferLike): void;
    callback(message: number, length?: number, address?: string): void;
  }
}
declare module "time" {
  const Time: { readonly ticks: number; set(utcSeconds: number): void };
  export default Time;
}
