/*
 * The frame line of src/ports/line.ts in C: the receiver of receiver.h, the link answers at their time, and our own
 * frames, held back while something is coming in or an answer of ours has not left. The twin of
 * src/link/byte-frame-line.ts.
 *
 * It knows no hardware. Its owner, with interrupts masked, tells it what happened (…Rx, …Sent, …Carrier, …Poll) and after
 * every such call looks at `write` and `rate`: there is something to do where they are set. It calls rs485LinePoll when
 * rs485LineNextMs has come. Nothing of it waits or allocates, all of it may run in an interrupt handler in RAM.
 */
#ifndef RS485_FRAME_LINE_H
#define RS485_FRAME_LINE_H

#include "receiver.h"

#ifndef RS485_GAP_MS
#define RS485_GAP_MS 110
#endif
#define RS485_HOLD_MAX_MS 1000
/* Time that the hardware may take beyond the air time to say `sent`, before we go on without it. */
#define RS485_SENT_SLACK_MS 1000

struct Rs485FrameLine {
	Rs485Receiver receiver;
	Rs485EventQueue* events;
	int64_t nowMs, sendingUntilMs, heldSinceMs, answeredMs;
	uint32_t bitsPerSecond;
	uint8_t echo;    /* the adapter gives our own bytes back */
	uint8_t carrier;
	uint8_t sending; /* enum in frame-line.c */
	int8_t sendingCode, nextAnswer;
	uint16_t heldLength; /* 0: none is held */
	uint16_t outLength;

	/* To the owner, who sets them back to 0. write: begin to send so many bytes of `out` now. rate: set it. */
	uint16_t write;
	uint32_t rate;

	uint8_t held[RS485_FRAME_BYTES];
	uint8_t out[RS485_FRAME_BYTES];
};

/* Not in a handler. */
extern void rs485LineStart(Rs485FrameLine* line, Rs485EventQueue* events, const Rs485Settings* settings, uint32_t bitsPerSecond,
	uint16_t capacity, int echo);
extern void rs485LineConfigure(Rs485FrameLine* line, const Rs485Settings* settings, uint32_t bitsPerSecond);
/* Sends a whole frame when the line's rules allow; 0 = it is longer than RS485_FRAME_BYTES. Then rs485LinePoll. */
extern int rs485LineSendFrame(Rs485FrameLine* line, const uint8_t* bytes, uint16_t length);
/* Bytes came, the last at atMs. */
extern void rs485LineRx(Rs485FrameLine* line, const uint8_t* bytes, uint16_t count, int64_t atMs, int64_t nowMs);
/* One byte came just now: inside the handler that has it, if it decides nothing. 0: nothing was done, rs485LineByte is for it. */
RS485_INLINE int rs485LineQuick(Rs485FrameLine* line, uint8_t byte, int64_t nowMs)
{
	return !line->heldLength && rs485ReceiverQuick(&line->receiver, byte, nowMs);
}
extern void rs485LineByte(Rs485FrameLine* line, uint8_t byte, int64_t nowMs);
/* The last bit of the last `write` has left. */
extern void rs485LineSent(Rs485FrameLine* line, int64_t atMs, int64_t nowMs);
extern void rs485LineCarrier(Rs485FrameLine* line, int on, int64_t atMs, int64_t nowMs);
extern void rs485LinePoll(Rs485FrameLine* line, int64_t nowMs);
/* When to poll next, RS485_NEVER if never; a time that has passed means now. */
extern int64_t rs485LineNextMs(const Rs485FrameLine* line);

#endif
