/* Where records lie: NVS on the chip, a fake of it on the host. Keys have at most 15 characters. */
#ifndef UCM_IDENTITY_STORE_H
#define UCM_IDENTITY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the record, 0 where there is none; only counted where `into` is NULL. */
extern size_t identityStoreRead(const char* key, uint8_t* into, size_t size);
/* The old record or the new one is there afterwards, whatever happens; false: not written. */
extern bool identityStoreWrite(const char* key, const uint8_t* bytes, size_t count);
extern bool identityStoreErase(const char* key);

#endif
