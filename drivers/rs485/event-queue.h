/*
 * Events from the interrupt handler to the owner of the line: a ring of records, each a header and bytes. The handler
 * puts, the owner takes; both with interrupts masked. Whole records only: what finds no room is counted, not cut.
 */
#ifndef RS485_EVENT_QUEUE_H
#define RS485_EVENT_QUEUE_H

#include <stdint.h>

/* Room for seven of the longest frames: 1.9 s of a line that never rests at 19,200 bit/s. A power of two. */
#define RS485_QUEUE_BYTES 4096
/* Bytes that an event can have. */
#define RS485_EVENT_BYTES 518
#define RS485_INLINE static inline __attribute__((always_inline))

/* The events of src/ports/line.ts (FrameLineEvent), in its order. */
enum {
	rs485EventFrame = 1, /* type, code = the answer that it earned; bytes = payload */
	rs485EventAnswer,    /* code */
	rs485EventSent,
	rs485EventUnsent,    /* fault = rs485Received or rs485Busy */
	rs485EventAnswered,  /* code */
	rs485EventNoise,     /* fault; bytes */
	rs485EventCarrier,   /* code = 1 on, 0 off */
};

/* The faults of noise; rs485FaultCount is their number. */
enum {
	rs485Resync,
	rs485BadChecksum,
	rs485FrameTimeout,
	rs485TooLong,
	rs485BadAnswer,
	rs485Collision,
	rs485EchoMissing,
	rs485AnswerDropped,
	rs485Discarded,
	rs485FaultCount,
};

enum { rs485Received = 0, rs485Busy = 1 };

/* As it lies in the queue, at any word of it: hence packed, and an alias of its words. */
typedef struct {
	uint8_t kind, fault;
	int8_t code;
	uint8_t reserved;
	uint16_t type, length; /* length: bytes that follow */
	int64_t atMs;
} __attribute__((packed, aligned(4), may_alias)) Rs485Event;

/* What the line has seen, named as in src/link/counters.ts. */
typedef struct {
	uint32_t framesReceived, framesSent, bytesReceived, bytesSent, bytesDiscarded;
	uint32_t acksReceived, acksSent;
	uint32_t naksReceived[8], naksSent[8];
	uint32_t noise[rs485FaultCount]; /* by fault; rs485Discarded has no counter on the other side */
	/* Only here: events and whole frames (which were then not acknowledged) that found the queue full; bytes that the
	   UART lost, and bytes that it found broken. */
	uint32_t eventsLost, framesLost, overruns, lineErrors;
} Rs485Counters;

/* What a record takes: a header and bytes, in whole words, so that they are copied by words. */
#define RS485_RECORD_BYTES(length) ((uint32_t)sizeof(Rs485Event) + (((length) + 3u) & ~3u))

/* A record that begins before the end of the ring runs on behind it, so that none is ever in two pieces. */
typedef struct {
	Rs485Counters counters;
	uint32_t head, used; /* bytes, of whole words */
	uint32_t words[(RS485_QUEUE_BYTES + RS485_RECORD_BYTES(RS485_EVENT_BYTES)) / 4];
} Rs485EventQueue;

extern void rs485QueueStart(Rs485EventQueue* queue);
/* Is there room for an event with so many bytes? What is noise leaves room for a frame. */
RS485_INLINE int rs485QueueHasRoom(const Rs485EventQueue* queue, uint8_t kind, uint32_t length)
{
	uint32_t kept = kind == rs485EventNoise ? RS485_RECORD_BYTES(RS485_EVENT_BYTES) : 0;
	return queue->used + RS485_RECORD_BYTES(length) + kept <= RS485_QUEUE_BYTES;
}
/* Puts an event with its bytes, which come in whole words, where there is room. It is counted already. */
RS485_INLINE void rs485QueueAppend(Rs485EventQueue* queue, Rs485Event event, const uint32_t* words)
{
	Rs485Event* to = (Rs485Event*)(queue->words + (queue->head + queue->used) % RS485_QUEUE_BYTES / 4);
	*to = event;
	const uint32_t* end = words + (event.length + 3u) / 4;
	for (uint32_t* at = (uint32_t*)(to + 1); words < end;)
		*at++ = *words++;
	queue->used += RS485_RECORD_BYTES(event.length);
}
/* Counts and puts an event with its bytes, which come in whole words; one that finds no room is counted as lost. */
extern void rs485QueuePut(Rs485EventQueue* queue, const Rs485Event* event, const uint32_t* words);
/* Takes the oldest event; bytes has room for RS485_EVENT_BYTES. 0: there is none. */
extern int rs485QueueTake(Rs485EventQueue* queue, Rs485Event* event, uint8_t* bytes);

#endif
