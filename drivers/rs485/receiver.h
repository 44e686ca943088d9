/*
 * The receiver of the CTA-2045 line, for an interrupt handler: finds frames and link answers in bytes with times, checks
 * them, and decides which link ACK or NAK each frame earns and when. The exact twin of src/link/receiver.ts; the rules
 * of both are docs/protocol/link-receiver.md, and a test holds them equal on generated streams
 * (test/xs/receiver-twin.test.ts).
 *
 * It guarantees: no allocation, no call out of this folder, no division of 64 bits, no constant tables; the work of one
 * byte is bounded. Everything it does is reported as events in the queue (event-queue.h). What is given to it must come
 * from one context at a time: its owner masks interrupts around every call.
 *
 * Times are milliseconds since some start and never step back.
 */
#ifndef RS485_RECEIVER_H
#define RS485_RECEIVER_H

#include <stdint.h>

#include "event-queue.h"

/* Longest payload that can be configured, bytes; a frame has six more. */
#define RS485_CAPACITY 512
#define RS485_FRAME_BYTES (RS485_CAPACITY + 6)
/* Message types that can be configured. */
#define RS485_TYPES 16

/* Times in ms: names, values and sources are those of src/link/timing.ts. */
#ifndef RS485_ACK_DELAY_MS
#define RS485_ACK_DELAY_MS 45
#endif
#ifndef RS485_ACK_MAX_MS
#define RS485_ACK_MAX_MS 200
#endif
#ifndef RS485_IDLE_MS
#define RS485_IDLE_MS 20
#endif
#ifndef RS485_FRAME_MAX_MS
#define RS485_FRAME_MAX_MS 500
#endif
#ifndef RS485_ECHO_SLACK_MS
#define RS485_ECHO_SLACK_MS 30
#endif

/* A time that never comes. */
#define RS485_NEVER INT64_MAX
/* No answer; −1 is the ACK, 0…7 a NAK. */
#define RS485_NO_ANSWER (-2)
#define RS485_ACK (-1)

enum {
	rs485NakInvalidLength = 2,
	rs485NakChecksum = 3,
	rs485NakTimeout = 5,
	rs485NakUnsupportedType = 6,
	rs485NakNotSupported = 7,
};

/* What is acknowledged: FrameLineSettings of src/ports/line.ts without the bit rate. */
typedef struct {
	uint16_t types[RS485_TYPES];
	uint16_t typeCount;
	uint16_t maxPayload;
	uint16_t bitRates;
} Rs485Settings;

typedef struct {
	Rs485EventQueue* events;
	Rs485Settings settings;
	uint16_t capacity; /* longest payload taken; RS485_CAPACITY but in tests */

	uint8_t mode; /* enum in receiver.c */
	uint8_t previous; /* the byte before, of a frame above the limit */
	int8_t skipCode, answerCode;
	uint16_t length;
	uint16_t plain; /* bytes before this one decide nothing: they are stored and summed; 0 where every byte decides */
	uint16_t whole; /* bytes of the frame, 0 while the header is not complete */
	uint16_t taken; /* of a frame above the limit */
	uint16_t sum;
	uint16_t second, secondWhole, secondSum;
	int64_t firstMs, lastMs, secondFirstMs, answerEndMs;

	const uint8_t* echo; /* what was sent and is expected back */
	uint16_t echoLength, echoAt;
	int64_t echoUntilMs;

	uint8_t bytes[RS485_FRAME_BYTES];
} Rs485Receiver;

/* To be called once, before anything else; not in a handler. */
extern void rs485ReceiverStart(Rs485Receiver* r, Rs485EventQueue* events, const Rs485Settings* settings, uint16_t capacity);
/* Types, payload limit and bit rates that are acknowledged from now on. */
extern void rs485ReceiverConfigure(Rs485Receiver* r, const Rs485Settings* settings);
/* Forgets everything in progress: the line was unplugged, or its rate has changed. */
extern void rs485ReceiverReset(Rs485Receiver* r);
/* We start to send these bytes on a line that echoes. They must stay until their echo is complete. */
extern void rs485ReceiverExpectEcho(Rs485Receiver* r, const uint8_t* bytes, uint16_t length, int64_t atMs);
/* The last bit of what we sent has left: its echo must be complete soon. */
extern void rs485ReceiverEchoEnds(Rs485Receiver* r, int64_t atMs);
/* From when we may send; RS485_NEVER while a frame is half here or an answer is due. */
extern int64_t rs485ReceiverFreeMs(const Rs485Receiver* r);
/* When rs485ReceiverPoll has something to do, RS485_NEVER if nothing. */
extern int64_t rs485ReceiverNextMs(const Rs485Receiver* r);

/*
 * What the receiver asks of its owner, which defines it (frame-line.c): sends the link answer that is due now.
 * rs485OnFrame is told after a frame has been reported.
 */
typedef struct Rs485FrameLine Rs485FrameLine;
extern void rs485SendAnswer(Rs485FrameLine* line, int8_t code);
extern void rs485OnFrame(Rs485FrameLine* line);

/* Lets time pass up to nowMs. */
extern void rs485ReceiverPoll(Rs485Receiver* r, Rs485FrameLine* line, int64_t nowMs);
/* Takes bytes, those that rs485ReceiverQuick does not take among them; all of them count as received at atMs. */
extern void rs485ReceiverFeed(Rs485Receiver* r, Rs485FrameLine* line, const uint8_t* bytes, uint16_t count, int64_t atMs);

/*
 * Most bytes begin a frame or lie inside one, come without a pause, and find no answer due: those decide nothing, and are
 * stored and summed by this, inside the handler that has them. 1: taken. 0: nothing was done, rs485ReceiverFeed is for it.
 */
#define RS485_INLINE static inline __attribute__((always_inline))
enum { rs485ModeCollect = 0, rs485SumStart = 0xaa, rs485AckByte = 0x06, rs485NakByte = 0x15 };

/* Sum of the wire format: two sums modulo 255 in one number (src/wire/frame.ts). */
RS485_INLINE uint16_t rs485SumByte(uint32_t sum, uint32_t byte)
{
	uint32_t c1 = (sum & 0xff) + byte;
	if (c1 >= 255)
		c1 -= 255;
	uint32_t c2 = (sum >> 8) + c1;
	if (c2 >= 255)
		c2 -= 255;
	return (uint16_t)(c2 << 8 | c1);
}

/* No pause before this byte, and the frame's time is not over. */
RS485_INLINE int rs485ReceiverFlows(const Rs485Receiver* r, int64_t atMs)
{
	return (uint32_t)(atMs - r->lastMs) < RS485_IDLE_MS && (uint32_t)(atMs - r->firstMs) < RS485_FRAME_MAX_MS;
}

RS485_INLINE int rs485ReceiverQuick(Rs485Receiver* r, uint8_t b, int64_t atMs)
{
	uint32_t k = r->length;
	if (k == 0) {
		if (r->mode != rs485ModeCollect || r->answerCode != RS485_NO_ANSWER || r->echoLength || b == rs485AckByte || b == rs485NakByte)
			return 0;
		r->firstMs = atMs;
		r->sum = rs485SumByte(rs485SumStart, b);
		r->whole = 0;
		r->second = 0;
		r->plain = 3;
	}
	else {
		if (k >= r->plain || !rs485ReceiverFlows(r, atMs))
			return 0;
		uint32_t whole = r->whole;
		if (whole == 0 || k + 2 < whole)
			r->sum = rs485SumByte(r->sum, b);
	}
	r->bytes[k] = b;
	r->length = (uint16_t)(k + 1);
	r->lastMs = atMs;
	return 1;
}

#endif
