/**
 * Subscriptions at an MQTT 3.1.1 broker over TLS. To the firmware a message is a hint to ask by HTTP, never data: what
 * real servers publish differs. On a computer host-sim/net/node-mqtt.ts serves it, on the chip drivers/mqtt.
 */
export interface MqttPort {
  /** Connects and keeps connected, with back-off of its own. */
  subscribe(request: MqttSubscription): void;
  /** Ends it; no further event of it arrives. */
  end(id: number): void;
}

export interface MqttSubscription {
  /** Chosen by the firmware. */
  readonly id: number;
  /** `mqtts://host[:port]`. */
  readonly uri: string;
  readonly topics: readonly string[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Which upstream's trust roots and client certificate to use: its id. */
  readonly credentials: string;
}

export type MqttEvent =
  | { readonly id: number; readonly ev: "up" | "down" }
  | { readonly id: number; readonly ev: "message"; readonly topic: string };
