/* XS side of the frame line: the native functions of rs485.js. Never run on hardware; see drivers/README.md. */
#include "xsmc.h"
#include "mc.xs.h" /* xsID_… */
#include "xsHost.h"

#include "rs485-esp32.h"

static uint8_t rs485Bytes[RS485_EVENT_BYTES];

/* What the constructor has opened; the line itself is static. */
static char rs485Token;

static void checkOpen(xsMachine* the)
{
	if (xsmcGetHostData(xsThis) != &rs485Token)
		xsUnknownError("closed");
}

void xs_rs485_destructor(void* data)
{
	if (data == &rs485Token)
		rs485Stop();
}

/* (port, transmit, receive, driveEnable, driveInverted, echo, bitsPerSecond) */
void xs_rs485(xsMachine* the)
{
	static const Rs485Settings none = { .maxPayload = 2, .bitRates = 1 };
	Rs485Pins pins = {
		.port = xsmcToInteger(xsArg(0)),
		.transmit = xsmcToInteger(xsArg(1)),
		.receive = xsmcToInteger(xsArg(2)),
		.driveEnable = xsmcToInteger(xsArg(3)),
		.driveInverted = xsmcToBoolean(xsArg(4)),
		.echo = xsmcToBoolean(xsArg(5)),
	};
	int error;
	if (rs485Running())
		xsUnknownError("in use");
	error = rs485Start(&pins, &none, (uint32_t)xsmcToInteger(xsArg(6)));
	if (error)
		xsUnknownError("UART failed: %d", error);
	xsmcSetHostData(xsThis, &rs485Token);
}

void xs_rs485_close(xsMachine* the)
{
	if (xsmcGetHostData(xsThis) == &rs485Token) {
		rs485Stop();
		xsmcSetHostData(xsThis, NULL);
	}
}

void xs_rs485_now(xsMachine* the)
{
	checkOpen(the);
	xsmcSetNumber(xsResult, (xsNumberValue)rs485NowMs());
}

/* (event): fills kind, fault, code, type, atMs, bytes (an ArrayBuffer); false = there is none. */
void xs_rs485_read(xsMachine* the)
{
	Rs485Event event;
	checkOpen(the);
	if (!rs485Take(&event, rs485Bytes)) {
		xsmcSetFalse(xsResult);
		return;
	}
	xsmcVars(1);
	xsmcSetInteger(xsVar(0), event.kind);
	xsmcSet(xsArg(0), xsID_kind, xsVar(0));
	xsmcSetInteger(xsVar(0), event.fault);
	xsmcSet(xsArg(0), xsID_fault, xsVar(0));
	xsmcSetInteger(xsVar(0), event.code);
	xsmcSet(xsArg(0), xsID_code, xsVar(0));
	xsmcSetInteger(xsVar(0), event.type);
	xsmcSet(xsArg(0), xsID_type, xsVar(0));
	xsmcSetNumber(xsVar(0), (xsNumberValue)event.atMs);
	xsmcSet(xsArg(0), xsID_atMs, xsVar(0));
	xsmcSetArrayBuffer(xsVar(0), rs485Bytes, event.length);
	xsmcSet(xsArg(0), xsID_bytes, xsVar(0));
	xsmcSetTrue(xsResult);
}

/* (bytes): one whole frame; false = longer than the line can send. */
void xs_rs485_write(xsMachine* the)
{
	void* bytes;
	xsUnsignedValue length;
	checkOpen(the);
	xsmcGetBufferReadable(xsArg(0), &bytes, &length);
	xsmcSetBoolean(xsResult, length <= RS485_FRAME_BYTES && rs485Send(bytes, (uint16_t)length));
}

/* (bitsPerSecond, maxPayload, bitRates, ...types) */
void xs_rs485_configure(xsMachine* the)
{
	Rs485Settings settings = { 0 };
	int argc = xsmcArgc;
	checkOpen(the);
	settings.maxPayload = (uint16_t)xsmcToInteger(xsArg(1));
	settings.bitRates = (uint16_t)xsmcToInteger(xsArg(2));
	if (argc > 3 + RS485_TYPES)
		xsRangeError("too many types");
	for (int index = 3; index < argc; index++)
		settings.types[settings.typeCount++] = (uint16_t)xsmcToInteger(xsArg(index));
	rs485Configure(&settings, (uint32_t)xsmcToInteger(xsArg(0)));
}

/* (name index 0 eventsLost, 1 framesLost, 2 overruns, 3 lineErrors) */
void xs_rs485_counter(xsMachine* the)
{
	Rs485Counters c = rs485Counters();
	uint32_t values[] = { c.eventsLost, c.framesLost, c.overruns, c.lineErrors };
	xsIntegerValue index = xsmcToInteger(xsArg(0));
	xsmcSetNumber(xsResult, index >= 0 && index < 4 ? values[index] : 0);
}
