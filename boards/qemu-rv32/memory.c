/*
 * Copying and filling by words, as the C library in an ESP32's ROM does. Picolibc's own go byte by byte, and the engine
 * copies slots of 16 bytes all the time: a quarter of all instructions would be theirs.
 */
#include <stddef.h>
#include <stdint.h>

#pragma GCC optimize("O2", "no-tree-loop-distribute-patterns")

typedef uint32_t __attribute__((may_alias)) Word;
#define WORD_ALIGNED(x) (((uintptr_t)(x) & 3) == 0)

void* memcpy(void* restrict to, const void* restrict from, size_t size)
{
	uint8_t* t = to;
	const uint8_t* f = from;
	if (WORD_ALIGNED((uintptr_t)t | (uintptr_t)f)) {
		for (; size >= 16; size -= 16, t += 16, f += 16) {
			Word a = ((const Word*)f)[0], b = ((const Word*)f)[1], c = ((const Word*)f)[2], d = ((const Word*)f)[3];
			((Word*)t)[0] = a;
			((Word*)t)[1] = b;
			((Word*)t)[2] = c;
			((Word*)t)[3] = d;
		}
		for (; size >= 4; size -= 4, t += 4, f += 4)
			*(Word*)t = *(const Word*)f;
	}
	while (size--)
		*t++ = *f++;
	return to;
}

void* memset(void* to, int value, size_t size)
{
	uint8_t* t = to;
	for (; size && !WORD_ALIGNED(t); size--)
		*t++ = (uint8_t)value;
	Word word = (uint8_t)value * 0x01010101u;
	for (; size >= 16; size -= 16, t += 16) {
		((Word*)t)[0] = word;
		((Word*)t)[1] = word;
		((Word*)t)[2] = word;
		((Word*)t)[3] = word;
	}
	for (; size >= 4; size -= 4, t += 4)
		*(Word*)t = word;
	while (size--)
		*t++ = (uint8_t)value;
	return to;
}
