/*
 * What the emulated microcontroller has: qemu-system-riscv32 -M virt, one hart, machine mode.
 * UART0 is the CTA-2045 line, a virtio console is the channel to the host, CLINT the clock, a timer interrupt the watchdog.
 */
#ifndef UCM_HARDWARE_H
#define UCM_HARDWARE_H

#include <stddef.h>
#include <stdint.h>

/* Code that must run while flash is erased: lies in RAM, calls nothing that lies in flash. */
#define UCM_IN_RAM __attribute__((section(".sdata.iram"), noinline))

#define REG8(address) (*(volatile uint8_t*)(address))
#define REG32(address) (*(volatile uint32_t*)(address))
#define TICKS_PER_MS 10000u

#define CLINT 0x02000000u

extern void hardwareStart(void);
/* Milliseconds since the start of this boot, from mtime (10 MHz). */
extern uint64_t hardwareTicks(void);
extern uint64_t hardwareMs(void);
extern uint64_t hardwareUs(void);
/* The instruction counter; exact under -icount, counts 2^shift per instruction, and idle time as well. */
extern uint64_t hardwareInstructions(void);
/* What interrupts took of the instruction counter so far. */
extern uint64_t hardwareInterruptInstructions(void);
/* What the line's interrupts took as a whole, the saving of registers left out: what came, the line, the timer. */
typedef struct { uint32_t count; uint64_t sum, most; } InterruptFigures;
extern InterruptFigures hardwareLineInterrupts(void);

/* Host channel. */
extern int hostRead(void); /* next byte or -1 */
extern void hostWrite(const char* text, size_t size);

/* Waits for an interrupt, at most until `ms` (milliseconds of hardwareMs). */
extern void waitUntil(uint64_t ms);
extern void watchdogFeed(void);
/* Stops JavaScript for a time, `afterMs` from now: only interrupts run, as while flash is erased. 0 = no room. */
extern int stopWorld(uint32_t afterMs, uint32_t forMs);
/* The same from the trap handler, in ticks; where there is no room nothing happens. */
extern void stopAt(uint64_t at, uint64_t length);
/* Calls with interrupts masked; arms the timer anew. */
extern int withoutInterrupts(int (*change)(void*, const void*, uint32_t), void* a, const void* b, uint32_t c);

enum { resetPower = 0, resetWatchdog = 1, resetRequested = 2 };
extern int resetReason(void);
extern void hardwareReset(int reason) __attribute__((noreturn));
extern void hardwareExit(int code) __attribute__((noreturn));
/* Called by the trap handler on an exception; ends in hardwareExit. */
extern void hardwareTrap(uint32_t cause, uint32_t address) __attribute__((noreturn));

#endif
