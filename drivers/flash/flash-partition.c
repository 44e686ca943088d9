/* Flash by sectors, see flash-partition.h. Never run on hardware, nor compiled against the IDF. */
#include "flash-partition.h"

const esp_partition_t* ucmFlashOpen(const char* name)
{
	const esp_partition_t* found = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, name);
	if (!found || found->readonly || found->encrypted)
		return NULL; /* Encrypted flash is written 16 bytes at a time, which records are not. */
	if (found->size == 0 || found->size % UCM_FLASH_SECTOR_BYTES || found->erase_size != UCM_FLASH_SECTOR_BYTES)
		return NULL;
	return found;
}

uint32_t ucmFlashSectors(const esp_partition_t* partition) { return partition->size / UCM_FLASH_SECTOR_BYTES; }

/* Within the partition; written so that nothing overflows. */
static bool isWithin(const esp_partition_t* partition, uint32_t at, uint32_t count)
{
	return at <= partition->size && count <= partition->size - at;
}

esp_err_t ucmFlashRead(const esp_partition_t* partition, uint32_t at, void* into, uint32_t count)
{
	if (!isWithin(partition, at, count))
		return ESP_ERR_INVALID_ARG;
	return count == 0 ? ESP_OK : esp_partition_read(partition, at, into, count);
}

esp_err_t ucmFlashProgram(const esp_partition_t* partition, uint32_t at, const void* bytes, uint32_t count)
{
	const uint8_t* wanted = bytes;
	uint8_t seen[64];
	esp_err_t error;
	if (!isWithin(partition, at, count) || (at % UCM_FLASH_SECTOR_BYTES) + count > UCM_FLASH_SECTOR_BYTES)
		return ESP_ERR_INVALID_ARG;
	if (count == 0)
		return ESP_OK;
	error = esp_partition_write(partition, at, bytes, count);
	for (uint32_t done = 0; !error && done < count;) {
		uint32_t part = count - done < sizeof seen ? count - done : (uint32_t)sizeof seen;
		error = esp_partition_read(partition, at + done, seen, part);
		for (uint32_t index = 0; !error && index < part; index++)
			if (seen[index] & ~wanted[done + index])
				error = ESP_FAIL; /* A bit that should be 0 is still 1: worn out, or write-protected. */
		done += part;
	}
	return error;
}

esp_err_t ucmFlashErase(const esp_partition_t* partition, uint32_t sector)
{
	if (sector >= ucmFlashSectors(partition))
		return ESP_ERR_INVALID_ARG;
	return esp_partition_erase_range(partition, (size_t)sector * UCM_FLASH_SECTOR_BYTES, UCM_FLASH_SECTOR_BYTES);
}
