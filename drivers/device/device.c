/*
 * What main.ts needs of the chip and the SDK does not give: random words, why it starts, the watchdog, the update's confirmation.
 * Never run on hardware, nor compiled against the IDF.
 */
#include "xsmc.h"
#include "mc.xs.h" /* xsID_… */
#include "xsHost.h"

#include "esp_attr.h"
#include "esp_ota_ops.h"
#include "esp_random.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "esp_timer.h"

/* Why main.ts restarts the chip, in memory that a restart leaves alone; anything else there: somebody else restarted it. */
static RTC_NOINIT_ATTR uint32_t asked;
#define ASKED 0x55434d00u
/* The numbers are those of device.d.ts. */
enum { POWER, WATCHDOG, CRASH, BROWNOUT, REQUESTED, FACTORY_RESET, NETWORK };

void xs_ucm_random(xsMachine* the) { xsmcSetNumber(xsResult, esp_random()); }
void xs_ucm_now(xsMachine* the) { xsmcSetNumber(xsResult, (xsNumberValue)(esp_timer_get_time() / 1000)); }

/* (why): the restart that comes now is ours. */
void xs_ucm_asked(xsMachine* the) { asked = ASKED | (uint32_t)xsmcToInteger(xsArg(0)); }
void xs_ucm_restart(xsMachine* the) { (void)the; esp_restart(); }

/* To be asked once. */
void xs_ucm_reason(xsMachine* the)
{
	uint32_t why = asked;
	int code;
	asked = 0;
	switch (esp_reset_reason()) {
		case ESP_RST_TASK_WDT: case ESP_RST_INT_WDT: case ESP_RST_WDT: code = WATCHDOG; break;
		case ESP_RST_PANIC: case ESP_RST_CPU_LOCKUP: code = CRASH; break;
		case ESP_RST_BROWNOUT: case ESP_RST_PWR_GLITCH: code = BROWNOUT; break;
		/* XS ends itself by a restart as well, after an exception that nobody caught or without memory. */
		case ESP_RST_SW: code = why >= (ASKED | REQUESTED) && why <= (ASKED | NETWORK) ? (int)(why & 0xff) : CRASH; break;
		default: code = POWER;
	}
	xsmcSetInteger(xsResult, code);
}

/*
 * The task watchdog as one of its users, from the first call on. The SDK subscribes its task and feeds for each turn of its
 * loop; this is beside it, and starves alone where the loop turns and nothing gets on.
 */
void xs_ucm_feed(xsMachine* the)
{
	static esp_task_wdt_user_handle_t user;
	(void)the;
	if (user)
		esp_task_wdt_reset_user(user);
	else if (esp_task_wdt_add_user("ucm", &user))
		user = NULL;
}

/* The image that runs is good: the boot loader will not roll back. Without effect where nothing waits for it. */
void xs_ucm_confirm(xsMachine* the) { (void)the; esp_ota_mark_app_valid_cancel_rollback(); }
