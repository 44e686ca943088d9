/*
 * NVS in the file that IDENTITY_NVS names, so that it outlives the program as flash does. IDENTITY_CUT=n: the n-th change
 * is not made, and none after it, as after a power cut; the program is then run anew without it.
 */
#include "nvs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { records = 32 };
static struct {
	char key[16];
	size_t count;
	uint8_t* bytes;
} kept[records];
static int isLoaded, changes;

static void load(void)
{
	const char* path = getenv("IDENTITY_NVS");
	FILE* file = path ? fopen(path, "rb") : NULL;
	uint32_t count;
	if (isLoaded++ || !file)
		return;
	for (int at = 0; at < records && fread(kept[at].key, 16, 1, file) == 1 && fread(&count, 4, 1, file) == 1; at++) {
		kept[at].count = count;
		kept[at].bytes = malloc(count + 1);
		if (fread(kept[at].bytes, 1, count, file) != count)
			abort();
	}
	fclose(file);
}

static esp_err_t save(void)
{
	const char* path = getenv("IDENTITY_NVS");
	FILE* file = path ? fopen(path, "wb") : NULL;
	if (!file)
		return path ? ESP_FAIL : ESP_OK;
	for (int at = 0; at < records; at++) {
		uint32_t count = (uint32_t)kept[at].count;
		if (!kept[at].bytes)
			continue;
		fwrite(kept[at].key, 16, 1, file);
		fwrite(&count, 4, 1, file);
		fwrite(kept[at].bytes, 1, count, file);
	}
	fclose(file);
	return ESP_OK;
}

static int find(const char* key)
{
	for (int at = 0; at < records; at++)
		if (kept[at].bytes && !strcmp(kept[at].key, key))
			return at;
	return -1;
}

static int isCut(void)
{
	const char* cut = getenv("IDENTITY_CUT");
	return cut && ++changes >= atoi(cut);
}

esp_err_t nvs_open(const char* space, nvs_open_mode_t mode, nvs_handle_t* handle)
{
	load();
	if (strlen(space) > 15)
		return ESP_ERR_NVS_INVALID_NAME;
	*handle = mode == NVS_READWRITE ? 2 : 1;
	return ESP_OK;
}

void nvs_close(nvs_handle_t handle) { (void)handle; }

esp_err_t nvs_get_blob(nvs_handle_t handle, const char* key, void* into, size_t* count)
{
	int at = find(key);
	(void)handle;
	if (at < 0)
		return ESP_ERR_NVS_NOT_FOUND;
	if (into && *count < kept[at].count)
		return ESP_ERR_NVS_INVALID_LENGTH;
	*count = kept[at].count;
	if (into)
		memcpy(into, kept[at].bytes, kept[at].count);
	return ESP_OK;
}

esp_err_t nvs_set_blob(nvs_handle_t handle, const char* key, const void* bytes, size_t count)
{
	int at = find(key);
	uint8_t* copy;
	if (handle != 2 || strlen(key) > 15)
		return ESP_ERR_NVS_INVALID_NAME;
	if (isCut())
		return ESP_FAIL;
	for (int free = 0; at < 0 && free < records; free++)
		if (!kept[free].bytes)
			at = free;
	copy = at < 0 ? NULL : malloc(count + 1);
	if (!copy)
		return ESP_FAIL;
	memcpy(copy, bytes, count);
	free(kept[at].bytes);
	memset(kept[at].key, 0, sizeof kept[at].key);
	strcpy(kept[at].key, key);
	kept[at].bytes = copy;
	kept[at].count = count;
	return save();
}

esp_err_t nvs_erase_key(nvs_handle_t handle, const char* key)
{
	int at = find(key);
	if (handle != 2)
		return ESP_FAIL;
	if (at < 0)
		return ESP_ERR_NVS_NOT_FOUND;
	if (isCut())
		return ESP_FAIL;
	free(kept[at].bytes);
	kept[at].bytes = NULL;
	return save();
}

esp_err_t nvs_commit(nvs_handle_t handle) { return handle == 2 ? ESP_OK : ESP_FAIL; }
