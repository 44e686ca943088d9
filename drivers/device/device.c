/*
 * What main.ts needs of the chip and the SDK does not give: random words, flash by sectors, the update's confirmation.
 * Never run on hardware, nor compiled against the IDF.
 */
#include "xsmc.h"
#include "mc.xs.h" /* xsID_… */
#include "xsHost.h"

#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_random.h"
#include "esp_system.h"
#include "esp_timer.h"

#define SECTOR_BYTES 4096

static const esp_partition_t* journal(xsMachine* the)
{
	static const esp_partition_t* found;
	if (!found)
		found = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "journal");
	if (!found)
		xsUnknownError("no partition named journal");
	return found;
}

static void check(xsMachine* the, esp_err_t error)
{
	if (error)
		xsUnknownError("flash: %d", error);
}

void xs_ucm_random(xsMachine* the) { xsmcSetNumber(xsResult, esp_random()); }
void xs_ucm_now(xsMachine* the) { xsmcSetNumber(xsResult, (xsNumberValue)(esp_timer_get_time() / 1000)); }
void xs_ucm_restart(xsMachine* the) { (void)the; esp_restart(); }

/* 0 power, 1 watchdog, 2 requested, 3 other. */
void xs_ucm_reason(xsMachine* the)
{
	esp_reset_reason_t reason = esp_reset_reason();
	int code = reason == ESP_RST_POWERON || reason == ESP_RST_BROWNOUT ? 0
		: reason == ESP_RST_TASK_WDT || reason == ESP_RST_INT_WDT || reason == ESP_RST_WDT ? 1
		: reason == ESP_RST_SW ? 2 : 3;
	xsmcSetInteger(xsResult, code);
}

/* The image that runs is good: the boot loader will not roll back. Without effect where nothing waits for it. */
void xs_ucm_confirm(xsMachine* the) { (void)the; esp_ota_mark_app_valid_cancel_rollback(); }

void xs_ucm_flash_sectors(xsMachine* the) { xsmcSetInteger(xsResult, (xsIntegerValue)(journal(the)->size / SECTOR_BYTES)); }

void xs_ucm_flash_read(xsMachine* the)
{
	void* bytes;
	xsUnsignedValue length;
	xsmcGetBufferWritable(xsArg(1), &bytes, &length);
	check(the, esp_partition_read(journal(the), (size_t)xsmcToInteger(xsArg(0)), bytes, length));
}

void xs_ucm_flash_program(xsMachine* the)
{
	void* bytes;
	xsUnsignedValue length;
	xsmcGetBufferReadable(xsArg(1), &bytes, &length);
	check(the, esp_partition_write(journal(the), (size_t)xsmcToInteger(xsArg(0)), bytes, length));
}

void xs_ucm_flash_erase(xsMachine* the)
{
	check(the, esp_partition_erase_range(journal(the), (size_t)xsmcToInteger(xsArg(0)) * SECTOR_BYTES, SECTOR_BYTES));
}
