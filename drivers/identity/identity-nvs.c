/*
 * Records in NVS. A blob is written beside the old one, which goes last (ESP-IDF, NVS, "power-off tolerance"). It is
 * encrypted where the board's sdkconfig says so. Never run on hardware; run on the host over a fake of NVS.
 */
#include "identity-store.h"

#include "nvs.h"

#define SPACE "ucm-identity"

size_t identityStoreRead(const char* key, uint8_t* into, size_t size)
{
	nvs_handle_t handle;
	size_t count = into ? size : 0;
	if (nvs_open(SPACE, NVS_READONLY, &handle) != ESP_OK)
		return 0;
	if (nvs_get_blob(handle, key, into, &count) != ESP_OK)
		count = 0;
	nvs_close(handle);
	return count;
}

static bool finish(nvs_handle_t handle, esp_err_t error)
{
	if (error == ESP_OK)
		error = nvs_commit(handle);
	nvs_close(handle);
	return error == ESP_OK;
}

bool identityStoreWrite(const char* key, const uint8_t* bytes, size_t count)
{
	nvs_handle_t handle;
	if (nvs_open(SPACE, NVS_READWRITE, &handle) != ESP_OK)
		return false;
	return finish(handle, nvs_set_blob(handle, key, bytes, count));
}

bool identityStoreErase(const char* key)
{
	nvs_handle_t handle;
	esp_err_t error;
	if (nvs_open(SPACE, NVS_READWRITE, &handle) != ESP_OK)
		return false;
	error = nvs_erase_key(handle, key);
	return finish(handle, error == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : error);
}
