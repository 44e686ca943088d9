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

/* The two sums of the wire format (src/wire/frame.ts). Their modulo is left to the end: over RS485_FRAME_BYTES they stay below 2^26. */
typedef struct {
	uint32_t c1, c2;
} Rs485Sums;

typedef struct {
	int64_t firstMs, lastMs;
	/* What every byte asks for is whole words, as halves cost more. */
	uint32_t length;
	uint32_t plain; /* bytes before this one decide nothing, they are stored; 0 where every byte decides: plan() in receiver.c */
	uint32_t whole; /* bytes of the frame, 0 while the header is not complete, and with no byte */
	uint8_t mode; /* enum in receiver.c */
	int8_t answerCode, skipCode;
	uint8_t previous; /* the byte before, of a frame above the limit */
	uint16_t taken; /* of a frame above the limit, as are these */
	Rs485Sums sums;
	uint16_t second, secondWhole; /* of the second reading, 0 where there is none: where it begins, its `whole` */
	int64_t secondFirstMs, answerEndMs;

	const uint8_t* echo; /* what was sent and is expected back */
	uint16_t echoLength, echoAt;
	int64_t echoUntilMs;

	Rs485EventQueue* events;
	Rs485Settings settings;
	uint16_t capacity; /* longest payload taken; RS485_CAPACITY but in tests */
	uint32_t longest; /* frame that is taken, as configured */

	union {
		uint8_t bytes[RS485_FRAME_BYTES];
		uint32_t words[(RS485_FRAME_BYTES + 3) / 4]; /* as the queue takes them */
	};
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
/* Takes bytes; all of them count as received at atMs. */
extern void rs485ReceiverFeed(Rs485Receiver* r, Rs485FrameLine* line, const uint8_t* bytes, uint16_t count, int64_t atMs);
/* Takes one byte; made for one that rs485ReceiverQuick has not taken. In its owner's order, so that registers stay as they are. */
extern void rs485ReceiverByte(Rs485Receiver* r, uint8_t byte, int64_t atMs, Rs485FrameLine* line);

enum { rs485AckByte = 0x06, rs485NakByte = 0x15 };

/* No pause before this byte, and the frame's time is not over. */
RS485_INLINE int rs485ReceiverFlows(const Rs485Receiver* r, int64_t atMs)
{
	return (uint32_t)(atMs - r->lastMs) < RS485_IDLE_MS && (uint32_t)(atMs - r->firstMs) < RS485_FRAME_MAX_MS;
}

/*
 * Most bytes begin a frame or lie inside one, come without a pause, and find no answer due: those decide nothing, and are
 * stored by this, inside the handler that has them. 1: taken. 0: nothing was done, rs485ReceiverByte is for it.
 */
RS485_INLINE int rs485ReceiverQuick(Rs485Receiver* r, uint8_t b, int64_t atMs)
{
	uint32_t k = r->length;
	if (k >= r->plain)
		return 0;
	if (k == 0) {
		if (b == rs485AckByte || b == rs485NakByte)
			return 0;
		r->firstMs = atMs;
		r->lastMs = atMs;
	}
	else if ((uint32_t)(atMs - r->lastMs)) { /* in the same millisecond as the byte before nothing can have come due */
		if (!rs485ReceiverFlows(r, atMs))
			return 0;
		r->lastMs = atMs;
	}
	r->bytes[k] = b;
	r->length = k + 1;
	return 1;
}

#endif
