#include "der.h"

#include <stdio.h>
#include <string.h>

void derPut(DerWriter* to, const void* bytes, size_t count)
{
	if (to->full || (size_t)(to->at - to->start) < count) {
		to->full = true;
		return;
	}
	to->at -= count;
	memcpy(to->at, bytes, count);
}

void derHead(DerWriter* to, uint8_t tag, const uint8_t* end)
{
	size_t count = (size_t)(end - to->at);
	uint8_t head[4] = { tag, 0x82, (uint8_t)(count >> 8), (uint8_t)count };
	if (count >= 0x100)
		derPut(to, head, 4);
	else {
		head[1] = 0x81;
		head[2] = head[3];
		if (count < 0x80)
			head[1] = head[2];
		derPut(to, head, count < 0x80 ? 2 : 3);
	}
}

void derUnsigned(DerWriter* to, const uint8_t* bytes, size_t count)
{
	const uint8_t* end = to->at;
	static const uint8_t zero;
	while (count > 1 && *bytes == 0) {
		bytes++;
		count--;
	}
	derPut(to, bytes, count);
	if (*bytes & 0x80)
		derPut(to, &zero, 1);
	derHead(to, 0x02, end);
}

const uint8_t* derEnter(const uint8_t** at, const uint8_t* end, uint8_t tag, size_t* count)
{
	const uint8_t* from = *at;
	size_t length, more;
	if (end - from < 2 || from[0] != tag)
		return NULL;
	length = from[1];
	from += 2;
	if (length & 0x80) {
		more = length & 0x7f;
		if (more == 0 || more > 2 || (size_t)(end - from) < more)
			return NULL;
		for (length = 0; more > 0; more--)
			length = length << 8 | *from++;
	}
	if ((size_t)(end - from) < length)
		return NULL;
	*count = length;
	*at = from + length;
	return from;
}

size_t pemPut(char* text, size_t size, size_t used, const char* label, const uint8_t* der, size_t count)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t letters = (count + 2) / 3 * 4, lines = (letters + 63) / 64, column = 0;
	if (used + letters + lines + 2 * (strlen(label) + 17) + 1 > size)
		return 0;
	used += (size_t)sprintf(text + used, "-----BEGIN %s-----\n", label);
	for (size_t at = 0; at < count; at += 3) {
		uint32_t bits = (uint32_t)der[at] << 16 | (at + 1 < count ? (uint32_t)der[at + 1] << 8 : 0) | (at + 2 < count ? der[at + 2] : 0);
		text[used++] = digits[bits >> 18];
		text[used++] = digits[bits >> 12 & 63];
		text[used++] = at + 1 < count ? digits[bits >> 6 & 63] : '=';
		text[used++] = at + 2 < count ? digits[bits & 63] : '=';
		column += 4;
		if (column == 64 || at + 3 >= count) {
			text[used++] = '\n';
			column = 0;
		}
	}
	used += (size_t)sprintf(text + used, "-----END %s-----\n", label);
	return used;
}
