/** Messages of a VEN, written here by hand and with other prefixes than the VTN's, for the tests of the VTN. */
const NS =
  'xmlns="http://openadr.org/oadr-2.0b/2012/07" xmlns:p2="http://docs.oasis-open.org/ns/energyinterop/201110"' +
  ' xmlns:p3="http://docs.oasis-open.org/ns/energyinterop/201110/payloads" xmlns:c="urn:ietf:params:xml:ns:icalendar-2.0"' +
  ' xmlns:s="urn:ietf:params:xml:ns:icalendar-2.0:stream" xmlns:e="http://docs.oasis-open.org/ns/emix/2011/06"' +
  ' xmlns:w="http://docs.oasis-open.org/ns/emix/2011/06/power" xmlns:sc="http://docs.oasis-open.org/ns/emix/2011/06/siscale"';

export function wrap(name: string, inner: string): string {
  return `<oadrPayload ${NS}><oadrSignedObject><${name} p2:schemaVersion="2.0b">${inner}</${name}></oadrSignedObject></oadrPayload>`;
}

const request = "<p3:requestID>r1</p3:requestID>";
const ven = (id: string | undefined): string => (id === undefined ? "" : `<p2:venID>${id}</p2:venID>`);

export const query = wrap("oadrQueryRegistration", request);

export function register(
  venName: string,
  ids: { venId?: string; registrationId?: string; signs?: boolean } = {},
): string {
  const registrationId =
    ids.registrationId === undefined ? "" : `<p2:registrationID>${ids.registrationId}</p2:registrationID>`;
  return wrap(
    "oadrCreatePartyRegistration",
    `${request}${registrationId}${ven(ids.venId)}<oadrProfileName>2.0b</oadrProfileName><oadrTransportName>simpleHttp</oadrTransportName>` +
      `<oadrReportOnly>false</oadrReportOnly><oadrXmlSignature>${ids.signs ?? false}</oadrXmlSignature>` +
      `<oadrVenName>${venName}</oadrVenName><oadrHttpPullModel>true</oadrHttpPullModel>`,
  );
}

export function cancelRegistration(registrationId: string): string {
  return wrap(
    "oadrCancelPartyRegistration",
    `${request}<p2:registrationID>${registrationId}</p2:registrationID>`,
  );
}

export function poll(venId: string): string {
  return wrap("oadrPoll", ven(venId));
}

export function requestEvent(venId: string): string {
  return wrap("oadrRequestEvent", `<p3:eiRequestEvent>${request}${ven(venId)}</p3:eiRequestEvent>`);
}

const ok = `<p2:eiResponse><p2:responseCode>200</p2:responseCode>${request}</p2:eiResponse>`;

export function createdEvent(
  venId: string,
  eventId: string,
  modification: number,
  optType = "optIn",
  code = 200,
): string {
  return wrap(
    "oadrCreatedEvent",
    `<p3:eiCreatedEvent>${ok}<p2:eventResponses><p2:eventResponse><p2:responseCode>${code}</p2:responseCode>${request}` +
      `<p2:qualifiedEventID><p2:eventID>${eventId}</p2:eventID><p2:modificationNumber>${modification}</p2:modificationNumber>` +
      `</p2:qualifiedEventID><p2:optType>${optType}</p2:optType></p2:eventResponse></p2:eventResponses>${ven(venId)}</p3:eiCreatedEvent>`,
  );
}

export function createOpt(venId: string, optId: string, eventId: string): string {
  return wrap(
    "oadrCreateOpt",
    `<p2:optID>${optId}</p2:optID><p2:optType>optOut</p2:optType><p2:optReason>overrideStatus</p2:optReason>${ven(venId)}` +
      `<p2:createdDateTime>2026-06-01T00:00:00Z</p2:createdDateTime>${request}<p2:qualifiedEventID><p2:eventID>${eventId}</p2:eventID>` +
      `<p2:modificationNumber>0</p2:modificationNumber></p2:qualifiedEventID><p2:eiTarget>${ven(venId)}</p2:eiTarget>`,
  );
}

export function cancelOpt(venId: string, optId: string): string {
  return wrap("oadrCancelOpt", `${request}<p2:optID>${optId}</p2:optID>${ven(venId)}`);
}

/** Offers TELEMETRY_USAGE with power and energy. */
export function registerReport(venId: string): string {
  const point = (rId: string, type: string, base: string): string =>
    `<oadrReportDescription><p2:rID>${rId}</p2:rID><p2:reportDataSource><p2:resourceID>evse</p2:resourceID></p2:reportDataSource>` +
    `<p2:reportType>${type}</p2:reportType>${base}<p2:readingType>Direct Read</p2:readingType>` +
    "<oadrSamplingRate><oadrMinPeriod>PT1S</oadrMinPeriod><oadrMaxPeriod>PT1H</oadrMaxPeriod><oadrOnChange>false</oadrOnChange></oadrSamplingRate>" +
    "</oadrReportDescription>";
  const power =
    "<w:powerReal><w:itemDescription>RealPower</w:itemDescription><w:itemUnits>W</w:itemUnits><sc:siScaleCode>none</sc:siScaleCode>" +
    "<w:powerAttributes><w:hertz>60</w:hertz><w:voltage>240</w:voltage><w:ac>true</w:ac></w:powerAttributes></w:powerReal>";
  const energy =
    "<w:energyReal><w:itemDescription>RealEnergy</w:itemDescription><w:itemUnits>Wh</w:itemUnits><sc:siScaleCode>k</sc:siScaleCode></w:energyReal>";
  return wrap(
    "oadrRegisterReport",
    `${request}<oadrReport><c:duration><c:duration>PT1H</c:duration></c:duration>${point("power", "usage", power)}${point("energy", "usage", energy)}` +
      "<p2:reportRequestID>0</p2:reportRequestID><p2:reportSpecifierID>TU</p2:reportSpecifierID>" +
      "<p2:reportName>METADATA_TELEMETRY_USAGE</p2:reportName><p2:createdDateTime>2026-06-01T00:00:00Z</p2:createdDateTime></oadrReport>" +
      ven(venId),
  );
}

export function updateReport(
  venId: string,
  requestId: string,
  values: Readonly<Record<string, number>>,
): string {
  const payloads = Object.entries(values).map(
    ([rId, value]) =>
      `<oadrReportPayload><p2:rID>${rId}</p2:rID><p2:payloadFloat><p2:value>${value}</p2:value></p2:payloadFloat></oadrReportPayload>`,
  );
  return wrap(
    "oadrUpdateReport",
    `${request}<oadrReport><c:dtstart><c:date-time>2026-06-01T00:00:00Z</c:date-time></c:dtstart>` +
      `<s:intervals><p2:interval><c:duration><c:duration>PT1M</c:duration></c:duration>${payloads.join("")}</p2:interval></s:intervals>` +
      `<p2:reportRequestID>${requestId}</p2:reportRequestID><p2:reportSpecifierID>TU</p2:reportSpecifierID>` +
      `<p2:reportName>TELEMETRY_USAGE</p2:reportName><p2:createdDateTime>2026-06-01T00:01:00Z</p2:createdDateTime></oadrReport>${ven(venId)}`,
  );
}

export function updateStatus(venId: string, requestId: string): string {
  return wrap(
    "oadrUpdateReport",
    `${request}<oadrReport><s:intervals><p2:interval><c:dtstart><c:date-time>2026-06-01T00:00:00Z</c:date-time></c:dtstart>` +
      "<oadrReportPayload><p2:rID>status</p2:rID><oadrPayloadResourceStatus><oadrOnline>true</oadrOnline><oadrManualOverride>false</oadrManualOverride>" +
      "<oadrLoadControlState><oadrCapacity><oadrMax>1</oadrMax><oadrCurrent>0.5</oadrCurrent></oadrCapacity></oadrLoadControlState>" +
      `</oadrPayloadResourceStatus></oadrReportPayload></p2:interval></s:intervals><p2:reportRequestID>${requestId}</p2:reportRequestID>` +
      "<p2:reportSpecifierID>TS</p2:reportSpecifierID><p2:reportName>TELEMETRY_STATUS</p2:reportName>" +
      `<p2:createdDateTime>2026-06-01T00:01:00Z</p2:createdDateTime></oadrReport>${ven(venId)}`,
  );
}
