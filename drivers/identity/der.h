/* Just enough DER to write a certification request, and PEM around it. */
#ifndef UCM_IDENTITY_DER_H
#define UCM_IDENTITY_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Written from the end to the beginning, so that lengths are known when they are written. `full`: it did not fit. */
typedef struct {
	uint8_t* start;
	uint8_t* at;
	bool full;
} DerWriter;

extern void derPut(DerWriter* to, const void* bytes, size_t count);
/* Puts the head of what was written since `end`. */
extern void derHead(DerWriter* to, uint8_t tag, const uint8_t* end);
/* An INTEGER without sign of `count` bytes. */
extern void derUnsigned(DerWriter* to, const uint8_t* bytes, size_t count);

/* One element of `tag` at *at: its content; *at moves behind it. NULL: there is none. */
extern const uint8_t* derEnter(const uint8_t** at, const uint8_t* end, uint8_t tag, size_t* count);

/* Appends at `used`; the new length without the end of text, or 0 where it does not fit. */
extern size_t pemPut(char* text, size_t size, size_t used, const char* label, const uint8_t* der, size_t count);

#endif
