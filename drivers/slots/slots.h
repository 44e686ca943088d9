/*
 * The two slots of the program flash as src/ports/update.ts asks for them: plain C over the IDF's partitions and OTA data.
 * The IDF's esp_ota_begin/write/end are not used, because they erase a whole slot at once; here a sector is erased when the
 * line is quiet. What boots, what is on trial and what a reset goes back to is the boot loader's (CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE).
 */
#ifndef UCM_SLOTS_H
#define UCM_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_ota_ops.h"

enum { UCM_SLOT_SECTOR_BYTES = 4096 };

/* In the order of OtherSlot in src/ports/update.ts. */
typedef enum { UCM_OTHER_EMPTY, UCM_OTHER_WRITTEN, UCM_OTHER_VALID, UCM_OTHER_ABORTED, UCM_OTHER_INVALID } UcmOther;

typedef struct {
	int slot; /* 0: ota_0 runs, 1: ota_1 */
	bool trial;
	UcmOther other;
	uint32_t slotBytes;
	uint32_t securityVersion;
} UcmSlots;

/* ESP_ERR_NOT_SUPPORTED where the partition table has no two slots of the same size. */
esp_err_t ucmSlotsState(UcmSlots* state);

/* All of the other slot. ESP_ERR_INVALID_ARG: outside of it, or not aligned (a sector to erase, 16 bytes to write). */
esp_err_t ucmSlotsErase(uint32_t at);
esp_err_t ucmSlotsWrite(uint32_t at, const void* bytes, uint32_t count);
/* raw: as it lies in the flash, not decrypted; what is erased is FF there. */
esp_err_t ucmSlotsRead(uint32_t at, void* into, uint32_t count, bool raw);
esp_err_t ucmSlotsHash(uint32_t at, uint32_t count, uint8_t hash[32]);

/* The other slot boots next, once; ESP_ERR_OTA_VALIDATE_FAILED where the boot loader would not take it. */
esp_err_t ucmSlotsBoot(void);
/* What runs stays; where it carries a higher security version, the IDF burns that now. */
esp_err_t ucmSlotsConfirm(void);
/* Returns only where it failed. */
esp_err_t ucmSlotsRollBack(void);

/*
 * ECDSA P-256 over SHA-256. `spki`: subject public key info, 91 bytes; `der`: the signature. False for anything that is not
 * exactly that, e.g. another curve or a signature with bytes behind it.
 */
bool ucmSlotsVerify(const uint8_t* spki, size_t spkiBytes, const uint8_t* der, size_t derBytes, const uint8_t* text,
	size_t textBytes);

#endif
