/*
 * What XS asks of its platform, for a machine that runs byte code only: no debugger, no threads, no parser, no file.
 * The same header serves the 32-bit program on the host (tools/xs-host) and the bare-metal one (boards/qemu-rv32).
 */
#ifndef UCM_PLATFORM_H
#define UCM_PLATFORM_H

#undef mxLittleEndian
#define mxLittleEndian 1

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define XS_FUNCTION_NORETURN __attribute__((noreturn))
#define mxExport extern
#define mxImport extern

#define mxMachinePlatform \
	int promiseJobs;

#define mxUseDefaultBuildKeys 1
#define mxUseDefaultSharedChunks 1
#define mxUseDefaultCStackLimit 0

/* Strings as on the device: UTF-8 with surrogates apart. */
#define mxCESU8 1
/* Module names are paths inside one archive. */
#define C_PATH_MAX 256

/* C allocations pass through the machine, which puts what belongs to ROM into ROM. */
extern void* ucmMalloc(size_t size);
extern void* ucmCalloc(size_t count, size_t size);
extern void* ucmRealloc(void* address, size_t size);
extern void ucmFree(void* address);
#define c_malloc ucmMalloc
#define c_calloc ucmCalloc
#define c_realloc ucmRealloc
#define c_free ucmFree
#define c_malloc_uint32 ucmMalloc
#define c_free_uint32 ucmFree

#endif
