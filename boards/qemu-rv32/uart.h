/*
 * UART0, the CTA-2045 line, in the strength that the build chose (make LINE=byte|frame, src/ports/line.ts): its interrupt
 * fills a ring of bytes for JavaScript, or is the frame line of drivers/rs485 and acknowledges by itself.
 */
#ifndef UCM_UART_H
#define UCM_UART_H

#include <stddef.h>
#include <stdint.h>

#ifdef UCM_FRAME_LINE
#include "../../drivers/rs485/frame-line.h"
#endif

#define LINE_RING_BYTES 2048

typedef struct { uint32_t received, dropped, sent; } LineCounters;

extern void uartStart(uint64_t bootTicks);
/* From the trap handler, in RAM: bytes have come (1: uartDueTicks may be sooner now); time has come; when the next call is due. */
extern int uartInterrupt(void);
extern void uartTimer(uint64_t nowTicks);
extern uint64_t uartDueTicks(void);
/* Is there anything for JavaScript? */
extern int uartPending(void);
extern LineCounters lineCounters(void);
/* What received bytes took of the instruction counter in the handler: bytes, their sum, and the dearest interrupt. */
typedef struct { uint32_t bytes; uint64_t sum, most; } LineFigures;
extern LineFigures lineFigures(void);

#ifdef UCM_FRAME_LINE
#define UCM_LINE_NAME "frame"
extern int lineTake(Rs485Event* event, uint8_t* bytes);
extern int lineSendFrame(const uint8_t* bytes, size_t size);
extern void lineConfigure(const Rs485Settings* settings, uint32_t bitsPerSecond);
#else
#define UCM_LINE_NAME "byte"
/* Bytes wait in a ring that the interrupt fills; a full ring drops and counts. */
extern size_t lineRead(uint8_t* target, size_t size, uint64_t* lastAtMs);
extern void lineWrite(const uint8_t* bytes, size_t size);
#endif

#endif
