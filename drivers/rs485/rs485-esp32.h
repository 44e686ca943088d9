/*
 * The frame line on a UART of an ESP32: interrupt handler, transmit-enable, clock. One line per chip, all data static.
 * Never run on hardware by this project; compiled and tested on the host against drivers/fake-idf.
 */
#ifndef RS485_ESP32_H
#define RS485_ESP32_H

#include "frame-line.h"

typedef struct {
	int port, transmit, receive;
	int driveEnable;   /* GPIO of DE (and /RE), −1: the transceiver finds the direction by itself */
	int driveInverted; /* DE is active low */
	int echo;          /* the receiver hears our own bytes: /RE is tied to ground, or the transceiver echoes */
} Rs485Pins;

/* 0, or the esp_err_t of what failed (nothing stays allocated then). */
extern int rs485Start(const Rs485Pins* pins, const Rs485Settings* settings, uint32_t bitsPerSecond);
extern void rs485Stop(void);
extern int rs485Running(void);
/* The line's clock, monotonic ms since the start of the chip. */
extern int64_t rs485NowMs(void);
/* The oldest event; 0 = none. bytes: RS485_EVENT_BYTES. */
extern int rs485Take(Rs485Event* event, uint8_t* bytes);
/* 0 = too long. */
extern int rs485Send(const uint8_t* bytes, uint16_t length);
extern void rs485Configure(const Rs485Settings* settings, uint32_t bitsPerSecond);
extern Rs485Counters rs485Counters(void);

#endif
