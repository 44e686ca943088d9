/*
 * A partition of the chip's flash as the port of src/ports/flash.ts has it: read, let bits fall, erase a sector. Plain C over
 * esp_partition; no code of it has to lie in internal RAM, because the IDF's own does while the flash cannot be read. What
 * must go on meanwhile is the interrupt handler of drivers/rs485: none of this may ever be called from it.
 */
#ifndef UCM_FLASH_H
#define UCM_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_partition.h"

enum { UCM_FLASH_SECTOR_BYTES = 4096 };

/* The data partition of this name; NULL: there is none, it is read-only, or not of whole sectors. */
const esp_partition_t* ucmFlashOpen(const char* name);
uint32_t ucmFlashSectors(const esp_partition_t* partition);

/* All of them: ESP_OK, ESP_ERR_INVALID_ARG where it is not ours or crosses a sector, or what the IDF says. */
esp_err_t ucmFlashRead(const esp_partition_t* partition, uint32_t at, void* into, uint32_t count);
/* Lets bits fall, and looks whether they have: ESP_FAIL where they have not. */
esp_err_t ucmFlashProgram(const esp_partition_t* partition, uint32_t at, const void* bytes, uint32_t count);
/* 45 to 300 ms on common parts. */
esp_err_t ucmFlashErase(const esp_partition_t* partition, uint32_t sector);

#endif
