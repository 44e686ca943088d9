/*
 * Where the code of the receiver lies. It must run while flash is being erased, when neither core can fetch code or
 * constants from flash: functions are marked RS485_RAM, tables and strings are not used.
 */
#ifndef RS485_PLACEMENT_H
#define RS485_PLACEMENT_H

/* A build that knows its linker script may define RS485_RAM itself (boards/qemu-rv32/Makefile). */
#ifndef RS485_RAM
#ifdef ESP_PLATFORM
#include "esp_attr.h"
#define RS485_RAM IRAM_ATTR
#else
#define RS485_RAM
#endif
#endif

/*
 * No jump table (it would be a constant in flash), and no loop that the compiler turns into a call of memcpy or memset
 * (their code may lie in flash). For speed, whatever the rest is built for: the SDK builds for size, with which a received
 * byte costs 15 % more. Used by every file whose functions are RS485_RAM, before its first function.
 */
#if defined(__GNUC__) && !defined(__clang__)
#define RS485_RAM_OPTIONS \
	_Pragma("GCC optimize (\"O2\", \"no-jump-tables\", \"no-tree-switch-conversion\", \"no-tree-loop-distribute-patterns\")")
#else
#define RS485_RAM_OPTIONS
#endif

#endif
