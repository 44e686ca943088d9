/** Subscription to commodities (section 5.11, end). */
import type { Subscription, SubscriptionMessage } from "./intermediate-message.js";
import { type GroupOf, type LayoutOf, U16, U8 } from "./layout.js";

const subscriptions: GroupOf<Subscription> = {
  list: true,
  least: 2,
  fields: { code: U8, intervalSeconds: U16 },
};

export const subscriptionLayouts: readonly LayoutOf<SubscriptionMessage>[] = [
  { name: "GetSubscription", op: 0x0601, least: 0, fields: {} },
  { name: "SetSubscription", op: 0x0601, least: 1, fields: { subscriptions } },
  { name: "SubscriptionReply", op: 0x0681, least: 1, fields: { responseCode: U8, subscriptions } },
];
