/* XS side of the TLS client: the native functions of tls.js. Never run on hardware; see drivers/README.md. */
#include "xsmc.h"
#include "mc.xs.h" /* xsID_… */
#include "xsHost.h"

#include <math.h>
#include <string.h>

#include "tls-worker.h"

static uint8_t tlsBytes[TLS_BUFFER_BYTES];
static char tlsToken;

static void checkOpen(xsMachine* the)
{
	if (xsmcGetHostData(xsThis) != &tlsToken)
		xsUnknownError("closed");
}

void xs_tls_destructor(void* data)
{
	if (data == &tlsToken)
		tlsWorkerStop();
}

/* One a chip. */
void xs_tls(xsMachine* the)
{
	static bool isUsed;
	if (!isUsed && !tlsWorkerStart())
		xsUnknownError("no task for TLS");
	isUsed = true;
	xsmcSetHostData(xsThis, &tlsToken);
}

void xs_tls_close(xsMachine* the)
{
	if (xsmcGetHostData(xsThis) != &tlsToken)
		return;
	xsmcSetHostData(xsThis, NULL);
	tlsWorkerStop();
}

/* A text or a buffer, or undefined. The bytes stay the machine's: no allocation may come between this and their use. */
static const uint8_t* bytesOf(xsMachine* the, xsSlot* slot, size_t* count)
{
	void* bytes;
	xsUnsignedValue length;
	*count = 0;
	switch (xsmcTypeOf(*slot)) {
	case xsUndefinedType:
	case xsNullType:
		return NULL;
	case xsStringType:
	case xsStringXType: {
		const char* text = xsmcToString(*slot);
		*count = strlen(text);
		return (const uint8_t*)text;
	}
	default:
		xsmcGetBufferReadable(*slot, &bytes, &length);
		*count = length;
		return bytes;
	}
}

/* (name, roots, certificate, key, profile): the name of the reason, "fine" */
void xs_tls_credentials(xsMachine* the)
{
	const uint8_t* bytes[3];
	size_t counts[3];
	char name[TLS_NAME_BYTES];
	TlsProfile profile = xsmcToInteger(xsArg(4)) == 1 ? tlsOpenAdr20b : tlsModern;
	checkOpen(the);
	xsmcToStringBuffer(xsArg(0), name, sizeof name);
	for (int at = 0; at < 3; at++)
		bytes[at] = bytesOf(the, &xsArg(at + 1), &counts[at]);
	xsmcSetString(xsResult, (char*)tlsReasonName(tlsWorkerCredentials(name, bytes, counts, profile)));
}

/* (id, host, port, credentials, utcMs, timeoutMs): undefined, or the HttpFailure and the reason with a blank between. */
static void setReason(xsMachine* the, TlsReason reason)
{
	char text[64];
	snprintf(text, sizeof text, "%s %s", tlsReasonFailure(reason), tlsReasonName(reason));
	xsmcSetString(xsResult, text);
}

void xs_tls_open(xsMachine* the)
{
	char host[TLS_HOST_BYTES], name[TLS_NAME_BYTES];
	int port = xsmcToInteger(xsArg(2));
	xsNumberValue utcMs = xsmcToNumber(xsArg(4));
	TlsReason reason;
	checkOpen(the);
	xsmcToStringBuffer(xsArg(1), host, sizeof host);
	xsmcToStringBuffer(xsArg(3), name, sizeof name);
	TlsRequest request = {
		.id = xsmcToInteger(xsArg(0)),
		.host = host,
		.port = (uint16_t)port,
		.credentials = name,
		.utcMs = isfinite(utcMs) && fabs(utcMs) < 1e15 ? (int64_t)utcMs : TLS_NO_CLOCK,
		.timeoutMs = (uint32_t)xsmcToInteger(xsArg(5)),
	};
	reason = port > 0 && port < 65536 ? tlsWorkerOpen(&request) : tlsUnreachable;
	if (reason != tlsFine)
		setReason(the, reason);
}

/* (id, bytes, from): how many were taken */
void xs_tls_write(xsMachine* the)
{
	void* bytes;
	xsUnsignedValue length;
	xsIntegerValue id = xsmcToInteger(xsArg(0)), from = xsmcToInteger(xsArg(2));
	checkOpen(the);
	xsmcGetBufferReadable(xsArg(1), &bytes, &length);
	if (from < 0 || (xsUnsignedValue)from > length)
		xsUnknownError("out of range");
	xsmcSetInteger(xsResult, (xsIntegerValue)tlsWorkerWrite(id, (uint8_t*)bytes + from, length - (xsUnsignedValue)from));
}

/* (id, waits): 1 while something is still to be written */
void xs_tls_end(xsMachine* the)
{
	checkOpen(the);
	tlsWorkerClose(xsmcToInteger(xsArg(0)), xsmcToInteger(xsArg(1)) != 0);
}

void xs_tls_busy(xsMachine* the)
{
	checkOpen(the);
	xsmcSetInteger(xsResult, tlsWorkerBusy());
}

/* (event): fills kind, id, bytes (of data), fault and text; false = there is none. */
void xs_tls_read(xsMachine* the)
{
	TlsEvent event;
	checkOpen(the);
	tlsWorkerPoll(&event, tlsBytes);
	if (event.kind == tlsEventNone) {
		xsmcSetFalse(xsResult);
		return;
	}
	xsmcVars(1);
	xsmcSetInteger(xsVar(0), event.kind);
	xsmcSet(xsArg(0), xsID_kind, xsVar(0));
	xsmcSetInteger(xsVar(0), event.id);
	xsmcSet(xsArg(0), xsID_id, xsVar(0));
	if (event.kind == tlsEventData) {
		xsmcSetArrayBuffer(xsVar(0), tlsBytes, (xsIntegerValue)event.count);
		mbedtls_platform_zeroize(tlsBytes, event.count);
		xsmcSet(xsArg(0), xsID_bytes, xsVar(0));
	} else {
		if (event.kind == tlsEventFailed) {
			xsmcSetString(xsVar(0), (char*)tlsReasonFailure(event.reason));
			xsmcSet(xsArg(0), xsID_fault, xsVar(0));
			xsmcSetString(xsVar(0), (char*)tlsReasonName(event.reason));
			xsmcSet(xsArg(0), xsID_reason, xsVar(0));
		}
		xsmcSetString(xsVar(0), event.text);
		xsmcSet(xsArg(0), xsID_text, xsVar(0));
	}
	xsmcSetTrue(xsResult);
}
