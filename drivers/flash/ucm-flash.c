/* XS side of the flash: the native functions of ucm-flash.js. Never run on hardware, nor compiled against the IDF. */
#include "xsmc.h"
#include "mc.xs.h" /* xsID_… */
#include "xsHost.h"

#include "flash-partition.h"

/* The host data is the IDF's own record of the partition, which lasts for ever: nothing is to be freed. */
void xs_ucm_flash_destructor(void* data) { (void)data; }

static const esp_partition_t* opened(xsMachine* the)
{
	const esp_partition_t* partition = xsmcGetHostData(xsThis);
	if (!partition)
		xsUnknownError("closed");
	return partition;
}

static void check(xsMachine* the, esp_err_t error)
{
	if (error == ESP_ERR_INVALID_ARG)
		xsRangeError("not within a sector of the flash");
	if (error)
		xsUnknownError("flash: %d", error);
}

/* An address or a sector; a number that is none becomes one that is refused. */
static uint32_t natural(xsMachine* the, int index)
{
	xsNumberValue value = xsmcToNumber(xsArg(index));
	return value >= 0 && value < 4294967295.0 && value == (xsNumberValue)(uint32_t)value ? (uint32_t)value : UINT32_MAX;
}

/* (name of the partition): how many sectors it has. */
void xs_ucm_flash(xsMachine* the)
{
	char name[17]; /* as long as the partition table can have it */
	const esp_partition_t* partition;
	xsmcToStringBuffer(xsArg(0), name, sizeof name);
	partition = ucmFlashOpen(name);
	if (!partition)
		xsUnknownError("no such partition of whole, plain sectors");
	xsmcSetHostData(xsThis, (void*)partition);
	xsmcSetInteger(xsResult, (xsIntegerValue)ucmFlashSectors(partition));
}

void xs_ucm_flash_close(xsMachine* the) { xsmcSetHostData(xsThis, NULL); }

/* (at, into) */
void xs_ucm_flash_read(xsMachine* the)
{
	const esp_partition_t* partition = opened(the);
	uint32_t at = natural(the, 0);
	void* bytes;
	xsUnsignedValue length;
	xsmcGetBufferWritable(xsArg(1), &bytes, &length);
	check(the, ucmFlashRead(partition, at, bytes, length));
}

/* (at, bytes) */
void xs_ucm_flash_program(xsMachine* the)
{
	const esp_partition_t* partition = opened(the);
	uint32_t at = natural(the, 0);
	void* bytes;
	xsUnsignedValue length;
	xsmcGetBufferReadable(xsArg(1), &bytes, &length);
	check(the, ucmFlashProgram(partition, at, bytes, length));
}

/* (sector) */
void xs_ucm_flash_erase(xsMachine* the)
{
	const esp_partition_t* partition = opened(the);
	check(the, ucmFlashErase(partition, natural(the, 0)));
}
