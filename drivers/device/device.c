/*
 * What main.ts needs of the chip and the SDK does not give: random words, the update's confirmation.
 * Never run on hardware, nor compiled against the IDF.
 */
#include "xsmc.h"
#include "mc.xs.h" /* xsID_… */
#include "xsHost.h"

#include "esp_ota_ops.h"
#include "esp_random.h"
#include "esp_system.h"
#include "esp_timer.h"

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
