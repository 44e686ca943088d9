#include "frame-line.h"

#include "placement.h"

#include <stddef.h>

RS485_RAM_OPTIONS

enum { sendingNone, sendingAnswer, sendingFrame };

/* Air time of 8N1 bytes in ms, rounded up. */
RS485_RAM static uint32_t airMs(uint32_t bytes, uint32_t bitsPerSecond)
{
	return (bytes * 10000u + bitsPerSecond - 1) / bitsPerSecond;
}

RS485_RAM static void put(Rs485FrameLine* line, uint8_t kind, uint8_t fault, int8_t code, int64_t atMs)
{
	Rs485Event event = { kind, fault, code, 0, 0, 0, atMs };
	rs485QueuePut(line->events, &event, NULL);
}

/* `out` is filled; the hardware is to send it. */
RS485_RAM static void write(Rs485FrameLine* line, uint8_t what, uint16_t length, int8_t code)
{
	line->sending = what;
	line->sendingCode = code;
	line->sendingUntilMs = line->nowMs + airMs(length, line->bitsPerSecond) + RS485_SENT_SLACK_MS;
	line->outLength = length;
	line->write = length;
	if (line->echo)
		rs485ReceiverExpectEcho(&line->receiver, line->out, length, line->nowMs);
}

RS485_RAM static void writeAnswer(Rs485FrameLine* line, int8_t code)
{
	line->out[0] = code < 0 ? 0x06 : 0x15;
	line->out[1] = code < 0 ? 0 : (uint8_t)code;
	write(line, sendingAnswer, 2, code);
}

RS485_RAM static void giveBack(Rs485FrameLine* line, uint8_t why)
{
	line->heldLength = 0;
	put(line, rs485EventUnsent, why, 0, line->nowMs);
}

/* From the receiver: a frame of theirs came before ours could leave, so ours goes back, to be thought over. */
RS485_RAM void rs485OnFrame(Rs485FrameLine* line)
{
	if (line->heldLength)
		giveBack(line, rs485Received);
}

/* From the receiver: the answer is due now. */
RS485_RAM void rs485SendAnswer(Rs485FrameLine* line, int8_t code)
{
	if (!line->carrier)
		return;
	if (line->sending == sendingNone)
		writeAnswer(line, code);
	else
		line->nextAnswer = code;
}

RS485_RAM static int64_t readyMs(const Rs485FrameLine* line)
{
	int64_t ready = line->answeredMs + RS485_GAP_MS, freeMs = rs485ReceiverFreeMs(&line->receiver);
	return freeMs > ready ? freeMs : ready;
}

RS485_RAM static void pump(Rs485FrameLine* line)
{
	if (line->sending != sendingNone)
		return;
	if (line->nextAnswer != RS485_NO_ANSWER) {
		int8_t code = line->nextAnswer;
		line->nextAnswer = RS485_NO_ANSWER;
		writeAnswer(line, code);
		return;
	}
	if (!line->heldLength)
		return;
	if (line->heldSinceMs < 0)
		line->heldSinceMs = line->nowMs;
	if (line->carrier && line->nowMs >= readyMs(line)) {
		uint16_t length = line->heldLength;
		line->heldLength = 0;
		for (uint16_t index = 0; index < length; index++)
			line->out[index] = line->held[index];
		write(line, sendingFrame, length, 0);
	}
	else if (!line->carrier || line->nowMs >= line->heldSinceMs + RS485_HOLD_MAX_MS)
		giveBack(line, rs485Busy);
}

/* What we sent has left. A `sent` that nothing waits for says nothing. */
RS485_RAM static void finish(Rs485FrameLine* line, int64_t atMs)
{
	uint8_t sending = line->sending;
	if (sending == sendingNone)
		return;
	line->sending = sendingNone;
	line->sendingUntilMs = RS485_NEVER;
	rs485ReceiverEchoEnds(&line->receiver, atMs);
	if (sending == sendingAnswer) {
		line->answeredMs = atMs;
		put(line, rs485EventAnswered, 0, line->sendingCode, atMs);
	}
	else {
		line->events->counters.bytesSent += line->outLength;
		put(line, rs485EventSent, 0, 0, atMs);
	}
}

RS485_RAM int rs485LineSendFrame(Rs485FrameLine* line, const uint8_t* bytes, uint16_t length)
{
	if (length == 0 || length > RS485_FRAME_BYTES)
		return 0;
	for (uint16_t index = 0; index < length; index++)
		line->held[index] = bytes[index];
	line->heldLength = length;
	line->heldSinceMs = -1;
	return 1;
}

RS485_RAM void rs485LineConfigure(Rs485FrameLine* line, const Rs485Settings* settings, uint32_t bitsPerSecond)
{
	rs485ReceiverConfigure(&line->receiver, settings);
	if (bitsPerSecond == line->bitsPerSecond || bitsPerSecond == 0)
		return;
	line->bitsPerSecond = bitsPerSecond;
	line->rate = bitsPerSecond;
	rs485ReceiverReset(&line->receiver);
}

RS485_RAM void rs485LineRx(Rs485FrameLine* line, const uint8_t* bytes, uint16_t count, int64_t atMs, int64_t nowMs)
{
	line->nowMs = nowMs;
	rs485ReceiverFeed(&line->receiver, line, bytes, count, atMs);
	/* Without a frame of ours that is held there is nothing to pump: an answer that finds the line taken waits for it. */
	if (line->heldLength)
		pump(line);
}

/* Not inline, so that the byte needs a place in memory only here. */
RS485_RAM __attribute__((noinline)) static void heldByte(Rs485FrameLine* line, uint8_t byte, int64_t nowMs)
{
	rs485LineRx(line, &byte, 1, nowMs, nowMs);
}

RS485_RAM void rs485LineByte(Rs485FrameLine* line, uint8_t byte, int64_t nowMs)
{
	line->nowMs = nowMs;
	if (line->heldLength)
		heldByte(line, byte, nowMs);
	else
		rs485ReceiverByte(&line->receiver, byte, nowMs, line);
}

RS485_RAM void rs485LineSent(Rs485FrameLine* line, int64_t atMs, int64_t nowMs)
{
	line->nowMs = nowMs;
	finish(line, atMs);
	pump(line);
}

RS485_RAM void rs485LineCarrier(Rs485FrameLine* line, int on, int64_t atMs, int64_t nowMs)
{
	line->nowMs = nowMs;
	/* Told again is no news: it must not cost the frame that is being sent. */
	if (!on != !line->carrier) {
		line->carrier = on != 0;
		rs485ReceiverReset(&line->receiver);
		line->sending = sendingNone;
		line->sendingUntilMs = RS485_NEVER;
		line->nextAnswer = RS485_NO_ANSWER;
		line->heldLength = 0;
		put(line, rs485EventCarrier, 0, (int8_t)line->carrier, atMs);
	}
	pump(line);
}

RS485_RAM void rs485LinePoll(Rs485FrameLine* line, int64_t nowMs)
{
	line->nowMs = nowMs;
	rs485ReceiverPoll(&line->receiver, line, nowMs);
	if (nowMs >= line->sendingUntilMs)
		finish(line, nowMs);
	pump(line);
}

RS485_RAM int64_t rs485LineNextMs(const Rs485FrameLine* line)
{
	int64_t next = rs485ReceiverNextMs(&line->receiver);
	if (line->sendingUntilMs < next)
		next = line->sendingUntilMs;
	if (!line->heldLength || line->sending != sendingNone)
		return next;
	if (line->heldSinceMs < 0) /* now; a quick byte tells the receiver alone */
		return line->receiver.lastMs > line->nowMs ? line->receiver.lastMs : line->nowMs;
	int64_t ready = readyMs(line), given = line->heldSinceMs + RS485_HOLD_MAX_MS;
	if (ready < next)
		next = ready;
	return given < next ? given : next;
}

void rs485LineStart(Rs485FrameLine* line, Rs485EventQueue* events, const Rs485Settings* settings, uint32_t bitsPerSecond,
	uint16_t capacity, int echo)
{
	*line = (Rs485FrameLine){ 0 };
	rs485QueueStart(events);
	rs485ReceiverStart(&line->receiver, events, settings, capacity);
	line->events = events;
	line->bitsPerSecond = bitsPerSecond;
	line->echo = echo != 0;
	line->carrier = 1;
	line->sendingUntilMs = RS485_NEVER;
	line->heldSinceMs = -1;
	line->answeredMs = -1000000;
	line->nextAnswer = RS485_NO_ANSWER;
}
