/** Delivers OpenADR 3.1 notifications to the callbacks of subscriptions: one try each, failures are counted. */
import * as http from "node:http";
import * as https from "node:https";
import type { Notification3 } from "./openadr3-notify.js";

const TIMEOUT_MS = 5000;

/**
 * Sends to every webhook that asked.
 * @param ca PEM that callbacks over TLS are checked against
 * @param failed called with the URL and the reason of each delivery that did not arrive
 */
export function deliverWebhooks(
  notification: Notification3,
  ca: string,
  failed: (url: string, why: string) => void,
): void {
  const body = JSON.stringify(notification.body);
  for (const { url, bearerToken } of notification.webhooks) {
    const options: https.RequestOptions = {
      method: "POST",
      timeout: TIMEOUT_MS,
      headers: {
        "Content-Type": "application/json",
        ...(bearerToken === undefined ? {} : { Authorization: `Bearer ${bearerToken}` }),
      },
    };
    try {
      const target = new URL(url);
      const loopback = ["localhost", "127.0.0.1", "[::1]"].includes(target.hostname);
      if (target.protocol !== "https:" && !(target.protocol === "http:" && loopback)) {
        failed(url, "a callback must be https");
        continue;
      }
      const outgoing =
        target.protocol === "https:"
          ? https.request(target, { ...options, ca })
          : http.request(target, options);
      outgoing.on("response", (response) => {
        response.resume();
        if ((response.statusCode ?? 0) >= 300) failed(url, `status ${response.statusCode}`);
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error("no answer in time")));
      outgoing.on("error", (error) => failed(url, error.message));
      outgoing.end(body);
    } catch (error) {
      failed(url, error instanceof Error ? error.message : String(error));
    }
  }
}
