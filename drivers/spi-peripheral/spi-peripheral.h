/*
 * The DC form of CTA-2045 on an ESP32: the module is the SPI peripheral, the appliance clocks. It is the port of
 * src/link/spi.ts (ATTENTION, what is to be clocked out) and tells SELECT, RESET and what was clocked in.
 * One per chip, all data static. Never run on hardware by this project; tested on the host against drivers/fake-idf.
 */
#ifndef UCM_SPI_PERIPHERAL_H
#define UCM_SPI_PERIPHERAL_H

#include <stdint.h>

/* Longest transfer: a frame of 512 bytes of payload, rounded up for DMA. */
#define SPI_PERIPHERAL_BYTES 520
#define SPI_PERIPHERAL_EVENTS 16

typedef struct {
	int host, clock, in, out, select, mode; /* in: the appliance's data to us */
	int attention, reset;                   /* both active low; reset −1: not wired */
} SpiPeripheralPins;

enum { spiSelect = 1, spiIn, spiOut, spiReset };

typedef struct {
	uint8_t kind, on;
	uint16_t length; /* of spiIn */
	int64_t atMs;
} SpiPeripheralEvent;

/* 0, or the esp_err_t of what failed. */
extern int spiPeripheralStart(const SpiPeripheralPins* pins);
extern void spiPeripheralStop(void);
extern int spiPeripheralRunning(void);
extern int64_t spiPeripheralNowMs(void);
/* What is clocked out next, then FF; 0 = too long, or a transfer is under way. */
extern int spiPeripheralLoad(const uint8_t* bytes, uint16_t length);
/* Asserting it arms a transfer: the appliance clocks only after it has seen ATTENTION. 0 = the SPI driver refused. */
extern int spiPeripheralAttention(int asserted);
/* The oldest event; bytes: SPI_PERIPHERAL_BYTES. 0 = none. */
extern int spiPeripheralTake(SpiPeripheralEvent* event, uint8_t* bytes);
/* Events that found no room. */
extern uint32_t spiPeripheralLost(void);

#endif
