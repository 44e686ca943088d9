/* Two slots, see slots.h. Never run on hardware, nor compiled against the IDF. */
#include "slots.h"

#include "psa/crypto.h"

static const esp_partition_t* otherSlot(void)
{
	const esp_partition_t* running = esp_ota_get_running_partition();
	const esp_partition_t* other = esp_ota_get_next_update_partition(NULL);
	return running && other && other != running && other->size == running->size ? other : NULL;
}

static UcmOther stateOf(const esp_partition_t* other)
{
	esp_ota_img_states_t state;
	if (esp_ota_get_state_partition(other, &state) != ESP_OK)
		return UCM_OTHER_EMPTY;
	switch (state) {
	case ESP_OTA_IMG_VALID: return UCM_OTHER_VALID;
	case ESP_OTA_IMG_ABORTED: return UCM_OTHER_ABORTED;
	case ESP_OTA_IMG_INVALID: return UCM_OTHER_INVALID;
	default: return UCM_OTHER_WRITTEN;
	}
}

esp_err_t ucmSlotsState(UcmSlots* state)
{
	const esp_partition_t* running = esp_ota_get_running_partition();
	const esp_partition_t* other = otherSlot();
	esp_ota_img_states_t own;
	if (!other)
		return ESP_ERR_NOT_SUPPORTED;
	state->slot = running->subtype == ESP_PARTITION_SUBTYPE_APP_OTA_0 ? 0 : 1;
	state->trial = esp_ota_get_state_partition(running, &own) == ESP_OK && own == ESP_OTA_IMG_PENDING_VERIFY;
	state->other = stateOf(other);
	state->slotBytes = other->size;
	state->securityVersion = esp_efuse_read_secure_version();
	return ESP_OK;
}

/* Within the slot; written so that nothing overflows. */
static const esp_partition_t* within(uint32_t at, uint32_t count, uint32_t align)
{
	const esp_partition_t* other = otherSlot();
	if (!other || at % align || count % align || at > other->size || count > other->size - at)
		return NULL;
	return other;
}

esp_err_t ucmSlotsErase(uint32_t at)
{
	const esp_partition_t* other = within(at, UCM_SLOT_SECTOR_BYTES, UCM_SLOT_SECTOR_BYTES);
	return other ? esp_partition_erase_range(other, at, UCM_SLOT_SECTOR_BYTES) : ESP_ERR_INVALID_ARG;
}

esp_err_t ucmSlotsWrite(uint32_t at, const void* bytes, uint32_t count)
{
	const esp_partition_t* other = within(at, count, 16);
	return other ? esp_partition_write(other, at, bytes, count) : ESP_ERR_INVALID_ARG;
}

esp_err_t ucmSlotsRead(uint32_t at, void* into, uint32_t count, bool raw)
{
	const esp_partition_t* other = within(at, count, 1);
	if (!other)
		return ESP_ERR_INVALID_ARG;
	return raw ? esp_partition_read_raw(other, at, into, count) : esp_partition_read(other, at, into, count);
}

esp_err_t ucmSlotsHash(uint32_t at, uint32_t count, uint8_t hash[32])
{
	const esp_partition_t* other = within(at, count, 1);
	psa_hash_operation_t operation = PSA_HASH_OPERATION_INIT;
	uint8_t piece[256];
	size_t length = 0;
	esp_err_t error = ESP_OK;
	if (!other)
		return ESP_ERR_INVALID_ARG;
	if (psa_crypto_init() || psa_hash_setup(&operation, PSA_ALG_SHA_256))
		return ESP_FAIL;
	for (uint32_t done = 0; !error && done < count;) {
		uint32_t part = count - done < sizeof piece ? count - done : (uint32_t)sizeof piece;
		error = esp_partition_read(other, at + done, piece, part);
		if (!error && psa_hash_update(&operation, piece, part))
			error = ESP_FAIL;
		done += part;
	}
	if (!error && (psa_hash_finish(&operation, hash, 32, &length) || length != 32))
		error = ESP_FAIL;
	if (error)
		psa_hash_abort(&operation);
	return error;
}

esp_err_t ucmSlotsBoot(void)
{
	const esp_partition_t* other = otherSlot();
	return other ? esp_ota_set_boot_partition(other) : ESP_ERR_NOT_SUPPORTED;
}

esp_err_t ucmSlotsConfirm(void) { return esp_ota_mark_app_valid_cancel_rollback(); }
esp_err_t ucmSlotsRollBack(void) { return esp_ota_mark_app_invalid_rollback_and_reboot(); }
