/* XS side of the SPI peripheral: the native functions of spi-peripheral.js. Never run on hardware; see drivers/README.md. */
#include "xsmc.h"
#include "mc.xs.h" /* xsID_… */
#include "xsHost.h"

#include "spi-peripheral.h"

static uint8_t spiBytes[SPI_PERIPHERAL_BYTES];
static char spiToken;

static void checkOpen(xsMachine* the)
{
	if (xsmcGetHostData(xsThis) != &spiToken)
		xsUnknownError("closed");
}

void xs_spi_peripheral_destructor(void* data)
{
	if (data == &spiToken)
		spiPeripheralStop();
}

/* (host, clock, in, out, select, attention, reset, mode) */
void xs_spi_peripheral(xsMachine* the)
{
	SpiPeripheralPins pins = {
		.host = xsmcToInteger(xsArg(0)),
		.clock = xsmcToInteger(xsArg(1)),
		.in = xsmcToInteger(xsArg(2)),
		.out = xsmcToInteger(xsArg(3)),
		.select = xsmcToInteger(xsArg(4)),
		.attention = xsmcToInteger(xsArg(5)),
		.reset = xsmcToInteger(xsArg(6)),
		.mode = xsmcToInteger(xsArg(7)),
	};
	int error;
	if (spiPeripheralRunning())
		xsUnknownError("in use");
	error = spiPeripheralStart(&pins);
	if (error)
		xsUnknownError("SPI failed: %d", error);
	xsmcSetHostData(xsThis, &spiToken);
}

void xs_spi_peripheral_close(xsMachine* the)
{
	if (xsmcGetHostData(xsThis) == &spiToken) {
		spiPeripheralStop();
		xsmcSetHostData(xsThis, NULL);
	}
}

void xs_spi_peripheral_now(xsMachine* the)
{
	checkOpen(the);
	xsmcSetNumber(xsResult, (xsNumberValue)spiPeripheralNowMs());
}

void xs_spi_peripheral_attention(xsMachine* the)
{
	checkOpen(the);
	if (!spiPeripheralAttention(xsmcToBoolean(xsArg(0))))
		xsUnknownError("SPI refused");
}

void xs_spi_peripheral_load(xsMachine* the)
{
	void* bytes;
	xsUnsignedValue length;
	checkOpen(the);
	xsmcGetBufferReadable(xsArg(0), &bytes, &length);
	xsmcSetBoolean(xsResult, length <= SPI_PERIPHERAL_BYTES && spiPeripheralLoad(bytes, (uint16_t)length));
}

/* (event): fills kind, on, atMs, bytes; false = there is none. */
void xs_spi_peripheral_read(xsMachine* the)
{
	SpiPeripheralEvent event;
	checkOpen(the);
	if (!spiPeripheralTake(&event, spiBytes)) {
		xsmcSetFalse(xsResult);
		return;
	}
	xsmcVars(1);
	xsmcSetInteger(xsVar(0), event.kind);
	xsmcSet(xsArg(0), xsID_kind, xsVar(0));
	xsmcSetBoolean(xsVar(0), event.on);
	xsmcSet(xsArg(0), xsID_on, xsVar(0));
	xsmcSetNumber(xsVar(0), (xsNumberValue)event.atMs);
	xsmcSet(xsArg(0), xsID_atMs, xsVar(0));
	xsmcSetArrayBuffer(xsVar(0), spiBytes, event.length);
	xsmcSet(xsArg(0), xsID_bytes, xsVar(0));
	xsmcSetTrue(xsResult);
}
