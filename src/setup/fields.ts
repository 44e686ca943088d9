import type { Spec } from "./spec.js";

const text = (about: string, maxLength = 256): Spec => ({ type: "string", about, minLength: 1, maxLength });
const seconds = (about: string, min: number, max: number): Spec => ({
  type: "number",
  integer: true,
  about,
  min,
  max,
});

/** One upstream. Fields that only one protocol uses say so; paths are relative to the configuration file. */
const upstream: Spec = {
  type: "object",
  about: "One utility, aggregator or charging platform",
  required: ["id", "protocol", "url"],
  fields: {
    id: text("Short name of your choice; stands in logs and reasons", 32),
    protocol: {
      type: "string",
      about: "Language that the server speaks",
      oneOf: ["openadr2b", "openadr3", "ocpp16"],
    },
    url: {
      type: "string",
      about: "Address of the server; for openadr3 also mdns:_openadr3._tcp, one on the local network",
      minLength: 9,
      prefixes: ["https://", "http://", "wss://", "ws://", "mdns:"],
    },
    venName: text("Name under which the module registers"),
    ca: text("File with the trusted root certificates, PEM"),
    cert: text("File with the module's client certificate, PEM"),
    key: text("File with the private key of that certificate, PEM"),
    est: {
      type: "string",
      about: "EST server (RFC 7030) that renews the client certificate, e.g. https://host/.well-known/est",
      minLength: 12,
      maxLength: 200,
      prefixes: ["https://"],
    },
    estSecretFile: text("File with the password for a first certificate from that server"),
    pollSeconds: seconds("Seconds between polls; never undercuts what the server asks for", 1, 86400),
    marketContexts: {
      type: "array",
      about: "Market contexts or programmes to take part in; empty or absent = all",
      items: text("Market context (2.0b) or programme name (3)"),
      maxItems: 16,
    },
    emergency: {
      type: "boolean",
      about: "The programme permits Grid Emergency: contactor open, no override by the customer",
    },
    programme: {
      type: "string",
      about: "Signals mean the demand response modes of AS/NZS 4755, DRM 0 to 4 (openadr2b)",
      oneOf: ["as4755"],
    },
    capacityReference: {
      type: "string",
      about:
        "What a fraction refers to: the rated power (default), the installer's maximum (default of as4755), or the mean of the 5 min before (openadr2b)",
      oneOf: ["rated", "installer", "dynamic"],
    },
    clientId: text("OAuth2 client id (openadr3)"),
    clientSecretFile: text("File with the OAuth2 client secret (openadr3)"),
    resourceName: text("Name of the charger at the server, default venName (openadr3)", 128),
    setpointUnit: {
      type: "string",
      about: "Unit of set-points for which the server names none (openadr2b, openadr3)",
      oneOf: ["W", "A", "fraction"],
    },
    normalPrice: {
      type: "number",
      about:
        "Usual price per kWh, in the currency of the server's prices; relative prices need it (openadr2b, openadr3)",
      min: 0.0001,
      max: 1_000_000,
    },
    remoteReboot: {
      type: "boolean",
      about: "The customer has consented that the utility reboots the appliance (openadr3)",
    },
    remoteOverride: {
      type: "boolean",
      about: "The customer has consented that the utility sets the override of the appliance (openadr3)",
    },
    venId: text("venID that the utility gave beforehand; else the server assigns one (openadr2b)", 128),
    targets: {
      type: "array",
      about:
        "Names of this module in event targets: resourceID:…, groupID:…, groupName:…, partyID:… (openadr2b)",
      items: text("Kind and name", 128),
      maxItems: 16,
    },
    deviceClasses: {
      type: "array",
      about: "Device classes that are this charger's, default EVSE and Electric_Vehicle (openadr2b)",
      items: text("Device class", 64),
      maxItems: 8,
    },
    opt: {
      type: "string",
      about:
        "How the customer's override is told: EiOpt (default), a second oadrCreatedEvent, or not (openadr2b)",
      oneOf: ["createOpt", "createdEvent", "off"],
    },
    security: {
      type: "string",
      about: "Security level that the utility demands; high (XML signatures) is refused (openadr2b)",
      oneOf: ["standard", "high"],
    },
    optOutReports: {
      type: "boolean",
      about:
        "Tell the customer's override also where an event asks for no such report, default yes (openadr3)",
    },
    callbackUrl: {
      type: "string",
      about:
        "Address under which the server can call this program, for webhooks; a computer's only, the device does not listen (openadr3)",
      minLength: 12,
      maxLength: 512,
      prefixes: ["https://", "http://"],
    },
    chargePointId: text("Charge point identity (ocpp16)", 48),
    passwordFile: text("File with the basic-auth password (ocpp16)"),
    idTag: text("idTag of transactions that begin at the charger, default the identity, cut (ocpp16)", 20),
    startsBy: {
      type: "string",
      about: "Charging begins a transaction (default), or nothing is charged without the platform (ocpp16)",
      oneOf: ["charging", "platform"],
    },
    plugEvidence: {
      type: "string",
      about: "Whether the charger's storage figures tell that a car is plugged in (ocpp16)",
      oneOf: ["auto", "storage", "none"],
    },
  },
};

/** The whole configuration of a module. */
export const configurationSpec: Spec = {
  type: "object",
  about: "Configuration of an OpenUCM module",
  required: ["upstreams"],
  fields: {
    upstreams: {
      type: "array",
      about: "Where demand-response events come from",
      items: upstream,
      maxItems: 4,
    },
    region: {
      type: "string",
      about: "Rules for overrides, delays and default schedules",
      oneOf: ["us", "au", "uk"],
    },
    timeZone: text("POSIX TZ rule, e.g. GMT0BST,M3.5.0/1,M10.5.0 (default UTC0)", 64),
    timeServers: {
      type: "array",
      about:
        "NTP servers that the device asks, 1 to 4, without leap smearing (default 0. to 2.pool.ntp.org; whoever ships devices asks the pool for a zone of his own)",
      items: text("Host name", 100),
      minItems: 1,
      maxItems: 4,
    },
    charger: {
      type: "object",
      about: "What the module cannot learn from the appliance",
      required: [],
      fields: {
        installerMaxA: {
          type: "number",
          about: "Maximum that the installer has set, amperes",
          min: 6,
          max: 80,
        },
        ratedA: {
          type: "number",
          about: "Rated maximum, amperes; used where the appliance does not report it",
          min: 6,
          max: 80,
        },
        phases: { type: "number", about: "Phases in use", min: 1, max: 3, oneOf: [1, 2, 3], integer: true },
        voltage: {
          type: "number",
          about: "Volts between line and neutral, or line and line in North America",
          min: 90,
          max: 300,
        },
      },
    },
    polling: {
      type: "object",
      about: "How often the appliance is asked",
      required: [],
      fields: {
        stateSeconds: seconds("Operational state", 5, 3600),
        commoditySeconds: seconds("Power and energy", 2, 3600),
      },
    },
    randomDelay: {
      type: "object",
      about: "Random delay of every change of load",
      required: [],
      fields: {
        enabled: { type: "boolean", about: "Default as the region has it" },
        maxSeconds: seconds("Longest delay", 0, 1800),
      },
    },
    ceilingPercent: {
      type: "number",
      about: "Never charge with more than this part of the installer's maximum, %",
      min: 0,
      max: 100,
    },
    floorPercent: {
      type: "number",
      about: "No utility may hold charging to less than this part of it, %, emergencies excepted",
      min: 0,
      max: 100,
    },
    offPeak: {
      type: "array",
      about:
        "Local hours without charging that the owner is offered at first use (default as the region has it)",
      maxItems: 32,
      items: {
        type: "object",
        about: "A span of local time; one over midnight is two",
        required: ["days", "from", "to"],
        fields: {
          days: {
            type: "array",
            about: "Weekdays",
            minItems: 1,
            maxItems: 7,
            items: {
              type: "string",
              about: "Weekday",
              oneOf: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
            },
          },
          from: { type: "string", about: "HH:MM", minLength: 5, maxLength: 5 },
          to: { type: "string", about: "HH:MM; 24:00 for the end of the day", minLength: 5, maxLength: 5 },
        },
      },
    },
    afterPowerCut: {
      type: "string",
      about:
        "When power returns: stay off, go on after a random delay, or at once (default as the region has it)",
      oneOf: ["off", "delay", "at-once"],
    },
    remoteFactoryReset: {
      type: "boolean",
      about: "Let a utility reset the appliance to how it left the factory (default no)",
    },
    shareChargingData: {
      type: "boolean",
      about: "The owner lets the remote agent read sessions and energy (default no)",
    },
    oneProvider: {
      type: "boolean",
      about: "One OpenADR server at a time; the owner's order provider changes it (PAS 1878; default no)",
    },
    update: {
      type: "object",
      about: "Where updates of the firmware come from (docs/how-to/release-firmware.md)",
      required: ["url", "root"],
      fields: {
        url: {
          type: "string",
          about: "Address of the folder that was published",
          minLength: 9,
          maxLength: 200,
          prefixes: ["https://"],
        },
        root: text("File with the root of trust that the device was made with, root.json"),
        ca: text("File with the trusted root certificates of that server, PEM"),
        checkHours: {
          type: "number",
          about: "About so long between two looks (default 24)",
          min: 0.001,
          max: 720,
        },
      },
    },
    openEndedCapHours: {
      type: "number",
      about: "An open-ended event ends this long after communication was lost",
      min: 0.1,
      max: 72,
    },
    testEventsMoveLoad: { type: "boolean", about: "Let test events act on the charger (default no)" },
  },
};
