/*
 * One XS machine as the chip has it, for the host program and for the emulated microcontroller.
 *
 * Built in two steps, as the SDK's linker and loader do: ucmBuildRom makes the built-ins and runs the preloaded modules
 * in a root machine that is then frozen and shared; ucmStart clones it into a machine of fixed size, which starts nearly
 * empty. What the root holds lies in flash on the chip, so only the clone counts as RAM.
 *
 * The entry module exports `step(jsonText) -> jsonText`. The argument lives in the caller's buffer (it costs no heap)
 * and must not be kept by the callee beyond the call. It may also export
 * `receive(nowMs, utcMs | null, atMs, bytes: Uint8Array, count) -> jsonText`: what the line brought, without JSON. `bytes` is
 * one buffer that is used again for every call.
 */
#ifndef UCM_MACHINE_H
#define UCM_MACHINE_H

#include "xsAll.h"

/* The size of a machine; the names are those of `creation` in a Moddable manifest. */
typedef struct {
	long chunkBytes;   /* strings, buffers, arrays: never grows */
	long slotCount;    /* slots of 16 bytes: never grows */
	long stackCount;   /* slots of the JavaScript stack */
	long keyCount;     /* names beyond ROM's before the table of names grows */
	long keyIncrement; /* by how many it grows; 0 = it may not */
	long nameModulo;   /* size of the hash table of names */
} ucmCreation;

extern const ucmCreation ucmDefaultCreation;

enum ucmPreload { ucmPreloadNone, ucmPreloadImports, ucmPreloadAll };

/* Exit codes of both programs: 10 + what XS says; see README.md. */
enum { ucmFaultBase = 10, ucmFaultArchive = 30, ucmFaultEntry = 31, ucmFaultRom = 32 };

/* archive: what archive.mjs writes; it is changed in place. Ends in ucmFault on errors. */
extern txMachine* ucmBuildRom(void* archive, size_t size, enum ucmPreload preload, const ucmCreation* creation);
/* Clones the ROM, imports the entry module and finds its `step`. A size that the archive brings goes before `creation`. */
extern txMachine* ucmStart(txMachine* rom, const ucmCreation* creation);
/* Calls `step` with a zero-terminated text; the answer goes to ucmAnswer before anything can move it. */
extern void ucmStep(txMachine* the, char* text);
/* Calls `receive`, at most UCM_RECEIVE_BYTES at once. utcMs: NAN = unknown. */
#define UCM_RECEIVE_BYTES 256
extern int ucmCanReceive(void);
extern void ucmReceive(txMachine* the, double nowMs, double utcMs, double atMs, const void* bytes, int count);
/* Prints the figures as one JSON object (no newline) into buffer; live figures are exact after fxCollectGarbage. */
extern int ucmStats(txMachine* the, char* buffer, size_t size);

/* What the program around the machine supplies. */
extern void ucmAnswer(const char* text);
extern void ucmFault(txMachine* the, int status, const char* code, const char* message) XS_FUNCTION_NORETURN;
extern char* ucmCStackLimit(void);
extern void* ucmRomAllocate(size_t size); /* zeroed, 16-byte aligned, never freed */
extern void* ucmRamAllocate(size_t size);
extern int ucmInRom(const void* address);

#endif
