/** EiRegisterParty: query, create, cancel, and the answers to what the VTN asked by poll. */
import { type Reply, type VtnState, eiResponse, oadrResponse } from "./state.js";
import { type VenRecord, newVen } from "./ven.js";
import { type XmlNode, duration, leaf, textAt } from "./xml.js";

export function registerParty(
  state: VtnState,
  message: XmlNode,
  fingerprint: string | undefined,
  utcMs: number,
): Reply {
  const requestId = textAt(message, "requestID") ?? "";
  switch (message.name) {
    case "oadrQueryRegistration":
      return created(state, "200", requestId, findByCertificate(state, fingerprint));
    case "oadrCreatePartyRegistration":
      return create(state, message, requestId, fingerprint, utcMs);
    case "oadrCancelPartyRegistration":
      return cancel(state, message, requestId, fingerprint);
    case "oadrCanceledPartyRegistration": {
      const ven = state.vens.get(textAt(message, "venID") ?? "");
      if (ven !== undefined) remove(state, ven);
      return oadrResponse("200", requestId, ven?.venId);
    }
    default:
      return oadrResponse("200", requestId, textAt(message, "venID"));
  }
}

function created(
  state: VtnState,
  code: string,
  requestId: string,
  ven: VenRecord | undefined,
  description = "OK",
): Reply {
  return {
    name: "oadrCreatedPartyRegistration",
    code,
    inner:
      eiResponse(code, requestId, description) +
      leaf("ei:registrationID", ven?.registrationId) +
      leaf("ei:venID", ven?.venId) +
      leaf("ei:vtnID", state.vtnId) +
      "<oadr:oadrProfiles><oadr:oadrProfile><oadr:oadrProfileName>2.0b</oadr:oadrProfileName><oadr:oadrTransports>" +
      "<oadr:oadrTransport><oadr:oadrTransportName>simpleHttp</oadr:oadrTransportName></oadr:oadrTransport>" +
      "</oadr:oadrTransports></oadr:oadrProfile></oadr:oadrProfiles>" +
      `<oadr:oadrRequestedOadrPollFreq>${leaf("xcal:duration", duration(state.pollSeconds * 1000))}</oadr:oadrRequestedOadrPollFreq>`,
  };
}

/** A certificate that has registered one VEN: that one. */
function findByCertificate(state: VtnState, fingerprint: string | undefined): VenRecord | undefined {
  if (fingerprint === undefined) return undefined;
  const own = [...state.vens.values()].filter((ven) => ven.fingerprint === fingerprint);
  return own.length === 1 ? own[0] : undefined;
}

function create(
  state: VtnState,
  message: XmlNode,
  requestId: string,
  fingerprint: string | undefined,
  utcMs: number,
): Reply {
  const refuse = (code: string, text: string): Reply => created(state, code, requestId, undefined, text);
  if (textAt(message, "oadrProfileName") !== "2.0b") return refuse("459", "oadrProfileName must be 2.0b");
  if (textAt(message, "oadrTransportName") !== "simpleHttp") {
    return refuse("459", "oadrTransportName must be simpleHttp");
  }
  if (textAt(message, "oadrReportOnly") === undefined) return refuse("459", "oadrReportOnly is missing");
  const signs = textAt(message, "oadrXmlSignature");
  if (signs === undefined) return refuse("459", "oadrXmlSignature is missing");
  if (isTrue(signs))
    return refuse("459", "XML signatures are not supported here: register with oadrXmlSignature false");
  if (!isTrue(textAt(message, "oadrHttpPullModel"))) {
    return refuse("459", "only the pull model is supported here: oadrHttpPullModel must be true");
  }
  const venId = textAt(message, "venID");
  const registrationId = textAt(message, "registrationID");
  const venName = textAt(message, "oadrVenName") ?? "";
  let ven = venId === undefined ? findByName(state, fingerprint, venName) : state.vens.get(venId);
  if (venId !== undefined && ven === undefined && state.strictIds)
    return refuse("452", `venID ${venId} is not known`);
  if (ven !== undefined && ven.fingerprint !== fingerprint) {
    return refuse("463", "the client certificate is not the one that this venID registered with");
  }
  if (
    ven !== undefined &&
    registrationId !== undefined &&
    registrationId !== ven.registrationId &&
    state.strictIds
  ) {
    return refuse("452", `registrationID ${registrationId} is not known`);
  }
  if (ven === undefined) {
    ven = newVen(state.newId("ven"), state.newId("registration"), venName, fingerprint, utcMs);
    state.vens.set(ven.venId, ven);
  } else {
    ven.registrations += 1;
    ven.sentChange = -1;
    ven.sentSignature = "";
  }
  ven.reportOnly = isTrue(textAt(message, "oadrReportOnly"));
  ven.lastSeenUtcMs = utcMs;
  // A re-registration that is still queued has just been answered.
  for (let i = ven.queue.length - 1; i >= 0; i--) {
    if (ven.queue[i]!.name === "oadrRequestReregistration") ven.queue.splice(i, 1);
  }
  state.tell({ change: "registered", venId: ven.venId, venName: ven.venName });
  return created(state, "200", requestId, ven);
}

/** The same certificate and name is the same VEN, whatever it has forgotten. */
function findByName(
  state: VtnState,
  fingerprint: string | undefined,
  venName: string,
): VenRecord | undefined {
  return [...state.vens.values()].find((ven) => ven.fingerprint === fingerprint && ven.venName === venName);
}

function cancel(
  state: VtnState,
  message: XmlNode,
  requestId: string,
  fingerprint: string | undefined,
): Reply {
  const registrationId = textAt(message, "registrationID");
  const venId = textAt(message, "venID");
  const ven = [...state.vens.values()].find((v) => v.registrationId === registrationId);
  const reply = (code: string, text: string): Reply => ({
    name: "oadrCanceledPartyRegistration",
    code,
    inner:
      eiResponse(code, requestId, text) + leaf("ei:registrationID", registrationId) + leaf("ei:venID", venId),
  });
  if (ven === undefined) return reply("452", "this registrationID is not known");
  if (venId !== undefined && venId !== ven.venId)
    return reply("452", "venID and registrationID do not belong together");
  if (ven.fingerprint !== fingerprint) return reply("463", "the client certificate is not this VEN's");
  remove(state, ven);
  return reply("200", "OK");
}

function remove(state: VtnState, ven: VenRecord): void {
  state.vens.delete(ven.venId);
  state.tell({ change: "unregistered", venId: ven.venId, venName: ven.venName });
}

function isTrue(text: string | undefined): boolean {
  return text === "true" || text === "1";
}
