/**
 * The Intermediate DR messages (section 5 of docs/protocol/cta2045.md) beyond those that message.ts spells
 * out. A request that carries a value and the reply to a query share one type for that value, because they
 * share one layout. In a reply the value is `undefined` where nothing follows the response code: the answer
 * to a "set", or a refused "get". Optional members can only be missing from the end.
 */

interface Head<Name extends string> {
  readonly family: "intermediate";
  readonly name: Name;
}

/** A reply that is nothing but its response code. */
interface Reply<Name extends string> extends Head<Name> {
  readonly responseCode: number;
}

/** Section 5.4. */
export interface UtcTime {
  /** Seconds since 2000-01-01T00:00:00Z (`EPOCH_2000_MS` of base). */
  readonly utcSeconds: number;
  /** Standard-time offset from UTC in quarter hours, −128…127. */
  readonly offsetQuarters: number;
  /** Daylight saving now in force, in quarter hours. */
  readonly dstQuarters: number;
}

export type TimeMessage =
  | Head<"GetTime">
  | (Head<"SetTime"> & { readonly time: UtcTime })
  | (Reply<"TimeReply"> & { readonly time: UtcTime | undefined });

/** Section 5.5. The price is `price` / 10^`digits` of `currency` (ISO 4217 number) a kWh. */
export interface EnergyPrice {
  /** Present price in 32 bits (2045-A and later) or 16 (2013): told apart by the length of the payload. */
  readonly wide: boolean;
  readonly price: number;
  readonly currency: number;
  readonly digits: number;
  /** Seconds since 2000 when the next price comes into force. */
  readonly expirySeconds?: number | undefined;
  readonly nextPrice?: number | undefined;
}

/** Section 5.6. */
export interface PriceTier {
  readonly tier: number;
  readonly expirySeconds?: number | undefined;
  readonly nextTier?: number | undefined;
}

export type PriceMessage =
  | Head<"GetPrice">
  | (Head<"SetPrice"> & { readonly price: EnergyPrice })
  | (Reply<"PriceReply"> & { readonly price: EnergyPrice | undefined })
  | Head<"GetTier">
  | (Head<"SetTier"> & { readonly tier: PriceTier })
  | (Reply<"TierReply"> & { readonly tier: PriceTier | undefined });

/** Section 5.7. */
export interface TemperatureOffset {
  /** −128…127; as a byte where `temperatureOffsetSigned` of the settings is off, see `offsetDegrees`. */
  readonly offset: number;
  /** 0 °F, 1 °C. */
  readonly units: number;
}

/** Section 5.8. Whole degrees; {@link NO_SET_POINT} = leave unchanged, or not supported. */
export interface SetPoint {
  readonly deviceType: number;
  /** 0 °F, 1 °C. */
  readonly units: number;
  readonly setPoint1: number;
  readonly setPoint2?: number | undefined;
}

/** 0x8000 as a set point. */
export const NO_SET_POINT = -0x8000;

/** Section 5.9. */
export interface PresentTemperature {
  readonly deviceType: number;
  /** 0 °F, 1 °C. */
  readonly units: number;
  /** As sent; whole degrees or hundredths, see `presentDegrees`. */
  readonly raw: number;
}

export type TemperatureMessage =
  | Head<"GetTemperatureOffset">
  | (Head<"SetTemperatureOffset"> & { readonly offset: TemperatureOffset })
  | (Reply<"TemperatureOffsetReply"> & { readonly offset: TemperatureOffset | undefined })
  | Head<"GetSetPoint">
  | (Head<"SetSetPoint"> & { readonly setPoint: SetPoint })
  | (Reply<"SetPointReply"> & { readonly setPoint: SetPoint | undefined })
  | Head<"GetPresentTemperature">
  | (Reply<"PresentTemperatureReply"> & { readonly temperature: PresentTemperature | undefined });

/** Section 5.10. */
export type CyclingMessage =
  | (Head<"StartCycling"> & {
      readonly eventId: number;
      /** Seconds since 2000, UTC; 0 = now. */
      readonly startSeconds: number;
      readonly durationMinutes: number;
      /** Reduction, percent. */
      readonly dutyPercent: number;
      /** Shifts the start by a random number of seconds within so many minutes. */
      readonly startRandomMinutes?: number | undefined;
      readonly endRandomMinutes?: number | undefined;
      readonly criticality?: number | undefined;
      readonly periodMinutes?: number | undefined;
    })
  | Reply<"StartCyclingReply">
  | (Head<"TerminateCycling"> & {
      readonly eventId: number;
      readonly endRandomMinutes?: number | undefined;
    })
  | Reply<"TerminateCyclingReply">;

/** Section 5.3. */
export type CapabilityMessage =
  | Head<"GetEfficiency">
  | (Reply<"EfficiencyReply"> & { readonly level: number | undefined })
  | (Head<"SetCapability"> & {
      /** Bit of the capability bitmap, 6 = Advanced Load Up. */
      readonly bit: number;
      /** 1 on, 0 off. */
      readonly value: number;
    })
  | Reply<"SetCapabilityReply">;

/** One line of a subscription (section 5.11). */
export interface Subscription {
  /** Commodity code. */
  readonly code: number;
  readonly intervalSeconds: number;
}

export type SubscriptionMessage =
  | Head<"GetSubscription">
  | (Head<"SetSubscription"> & { readonly subscriptions: readonly Subscription[] })
  | (Reply<"SubscriptionReply"> & { readonly subscriptions: readonly Subscription[] });

/** Section 5.12; its replies have no response code. */
export type ActivationMessage =
  | (Head<"GetActivation"> & { readonly index: number })
  | (Head<"ActivationReply"> & { readonly index: number; readonly status: number })
  | (Head<"SetActivation"> & {
      readonly index: number;
      readonly status: number;
      readonly key?: string | undefined;
    })
  | (Head<"SetActivationReply"> & { readonly index: number; readonly response: number });

/** Section 5.13; its replies have no response code. */
interface Preference {
  readonly preferenceType: number;
  readonly level: number;
}

export type PreferenceMessage =
  | (Head<"GetPreference"> & {
      /** 0 demand, 1 energy. */
      readonly preferenceType: number;
    })
  | (Head<"PreferenceReply"> & Preference)
  | (Head<"SetPreference"> & Preference)
  | (Head<"SetPreferenceReply"> & Preference);

/** Section 5.14. Energy is `value` in units of 10^`units` Wh. */
export interface LoadUpState {
  readonly remainingMinutes: number;
  readonly value: number;
  /** 0…3; 0xFF = not active. */
  readonly units: number;
  /** 0…10. */
  readonly efficiency?: number | undefined;
}

export type LoadUpMessage =
  | Head<"GetAdvancedLoadUp">
  | (Head<"SetAdvancedLoadUp"> & {
      readonly durationMinutes: number;
      /** 0xFFFF = as much as possible; 0 with units 0xFF = no effect. */
      readonly value: number;
      readonly units: number;
      readonly efficiency?: number | undefined;
      readonly eventId?: number | undefined;
      readonly startSeconds?: number | undefined;
      readonly startRandomMinutes?: number | undefined;
      readonly endRandomMinutes?: number | undefined;
    })
  | (Reply<"AdvancedLoadUpReply"> & { readonly loadUp: LoadUpState | undefined });

export type FurtherIntermediateMessage =
  | TimeMessage
  | PriceMessage
  | TemperatureMessage
  | CyclingMessage
  | CapabilityMessage
  | SubscriptionMessage
  | ActivationMessage
  | PreferenceMessage
  | LoadUpMessage;
