#include "receiver.h"

#include "placement.h"

RS485_RAM_OPTIONS

/* Collecting a frame (or nothing yet) | counting a frame above our limit | discarding until the line is idle. */
enum { modeCollect, modeLong, modeSkip };

enum { headerBytes = 4, checkBytes = 2, overhead = headerBytes + checkBytes, lengthMask = 0x1fff, ackByte = rs485AckByte, nakByte = rs485NakByte };

/* The sums of bytes, from the start of a frame. A frame is summed when it is whole: cheaper than byte by byte, and simpler. */
RS485_RAM static Rs485Sums sumsOf(const uint8_t* at, uint32_t count)
{
	uint32_t c1 = 0xaa, c2 = 0;
	for (const uint8_t* end = at + count; at < end; at++) {
		c1 += *at;
		c2 += c1;
	}
	return (Rs485Sums){ c1, c2 };
}

/* Do the check bytes high, low belong to the sums? */
RS485_RAM static int sumsAre(Rs485Sums s, uint8_t high, uint8_t low)
{
	uint32_t msb = 255 - (s.c1 + s.c2) % 255;
	return high == msb && low == 255 - (s.c1 + msb) % 255;
}

/* Inline, as lastByte() then keeps no registers. */
RS485_INLINE int frameIsRight(const uint8_t* at, uint32_t whole)
{
	return sumsAre(sumsOf(at, whole - checkBytes), at[whole - 2], at[whole - 1]);
}

/* By a product: where halves cannot be loaded from any place, GCC makes eight instructions of shift and or. */
RS485_RAM static uint32_t word(const uint8_t* at) { return at[0] * 256u + at[1]; }

RS485_RAM static int isAnswer(uint8_t lead, uint8_t b)
{
	return lead == ackByte ? b == 0 : lead == nakByte && b <= rs485NakNotSupported;
}

/* Events */

/* Not inline: noise is rare, and its event need not be made room for where there is none. */
RS485_RAM __attribute__((noinline)) static void noise(Rs485Receiver* r, uint8_t fault, uint32_t length, int64_t atMs)
{
	Rs485Event event = { rs485EventNoise, fault, 0, 0, 0, (uint16_t)length, atMs };
	rs485QueuePut(r->events, &event, r->words);
}

/* Nothing is in progress any more. */
RS485_RAM static void clear(Rs485Receiver* r)
{
	r->length = 0;
	r->whole = 0;
	r->second = 0;
}

/* The first `count` bytes go; the others move to the front. */
RS485_RAM static void moveDown(Rs485Receiver* r, uint32_t count)
{
	for (uint32_t index = count; index < r->length; index++)
		r->bytes[index - count] = r->bytes[index];
	r->length -= count;
}

/*
 * Up to where bytes decide nothing: the last of the header, or of the frame. While an answer is due, an echo expected, or
 * the frame read both ways, every byte decides. Follows from the rest of the state, and is told anew where that has changed.
 */
RS485_RAM static void plan(Rs485Receiver* r)
{
	int every = r->mode != modeCollect || r->answerCode != RS485_NO_ANSWER || r->echoLength || r->second
		|| (r->length && (r->bytes[0] == ackByte || r->bytes[0] == nakByte));
	r->plain = every ? 0 : r->whole ? r->whole - 1 : headerBytes - 1;
}

/* One answer waits at most: a frame that ends before the last was answered takes its place. */
RS485_RAM static void dropAnswer(Rs485Receiver* r, int64_t atMs)
{
	noise(r, rs485AnswerDropped, 0, atMs);
	r->answerCode = RS485_NO_ANSWER;
}

RS485_RAM static void schedule(Rs485Receiver* r, int8_t code, int64_t endMs)
{
	if (r->answerCode != RS485_NO_ANSWER)
		dropAnswer(r, endMs);
	r->answerCode = code;
	r->answerEndMs = endMs;
}

RS485_RAM static void skip(Rs485Receiver* r, int8_t code)
{
	r->mode = modeSkip;
	r->skipCode = code;
	clear(r);
}

RS485_RAM static void deliverAnswer(Rs485Receiver* r, uint8_t lead, uint8_t b, int64_t atMs)
{
	Rs485Event event = { rs485EventAnswer, 0, (int8_t)(lead == ackByte ? RS485_ACK : b), 0, 0, 0, atMs };
	clear(r);
	rs485QueuePut(r->events, &event, r->words);
}

/* Which answer a right frame earns */

RS485_RAM static int supports(const Rs485Settings* s, uint32_t type)
{
	for (uint16_t index = 0; index < s->typeCount; index++)
		if (s->types[index] == type)
			return 1;
	return 0;
}

RS485_RAM static int8_t linkAnswer(const Rs485Settings* s, uint32_t type, const uint8_t* payload, uint32_t length)
{
	if (!supports(s, type))
		return rs485NakUnsupportedType;
	if (length == 0)
		return RS485_ACK;
	if (type == 0x0801)
		return length == 2 ? RS485_ACK : rs485NakInvalidLength;
	if (type == 0x0802)
		return length >= 2 ? RS485_ACK : rs485NakInvalidLength;
	if (type != 0x0803)
		return RS485_ACK;
	if (length != 2)
		return rs485NakInvalidLength;
	if (payload[0] == 0x18 || payload[0] == 0x19)
		return RS485_ACK;
	return payload[0] == 0x17 && payload[1] < 16 && (s->bitRates >> payload[1] & 1) ? RS485_ACK : rs485NakNotSupported;
}

/*
 * What is here is a good frame, and no answer is waiting. Where its event finds no room it is not acknowledged, so that
 * the peer sends it again: an ACK says that we have it. Leaves `plain` as plan() would. Calls nothing but at its end, so
 * that it keeps no registers.
 */
RS485_RAM __attribute__((noinline)) static void accept(Rs485Receiver* r, int64_t endMs, Rs485FrameLine* line)
{
	Rs485EventQueue* queue = r->events;
	uint32_t type = word(r->bytes), length = r->length - overhead;
	clear(r);
	if (!rs485QueueHasRoom(queue, rs485EventFrame, length)) {
		queue->counters.framesLost++;
		r->plain = headerBytes - 1;
		return;
	}
	int8_t code = linkAnswer(&r->settings, type, r->bytes + headerBytes, length);
	r->answerCode = code;
	r->answerEndMs = endMs;
	r->plain = 0;
	queue->counters.framesReceived++;
	queue->counters.bytesReceived += length + overhead;
	rs485QueueAppend(queue, (Rs485Event){ rs485EventFrame, 0, code, 0, (uint16_t)type, (uint16_t)length, endMs }, r->words + headerBytes / 4);
	rs485OnFrame(line);
}

/* The same where an answer may be waiting. */
RS485_RAM static void deliver(Rs485Receiver* r, Rs485FrameLine* line, int64_t endMs)
{
	if (r->answerCode != RS485_NO_ANSWER && rs485QueueHasRoom(r->events, rs485EventFrame, r->length - overhead))
		dropAnswer(r, endMs);
	accept(r, endMs, line);
}

/* Bytes */

RS485_RAM static void store(Rs485Receiver* r, uint8_t b, int64_t atMs)
{
	if (r->length == (uint32_t)(r->capacity + overhead)) {
		noise(r, rs485Discarded, r->length, atMs);
		r->length = 0;
	}
	r->bytes[r->length++] = b;
}

/* A frame above our limit: counted and summed to its end, so that it can be told from a garbled length. */
RS485_RAM static void longByte(Rs485Receiver* r, uint8_t b, int64_t atMs)
{
	uint32_t k = r->taken++;
	if (k < r->whole - checkBytes) {
		uint32_t c1 = r->sums.c1 + b;
		r->sums = (Rs485Sums){ c1, (r->sums.c2 + c1) % 255 }; /* of 8,197 bytes: c1 stays small enough, c2 would not */
	}
	store(r, b, atMs);
	if (r->taken < r->whole) {
		r->previous = b;
		return;
	}
	int good = sumsAre(r->sums, r->previous, b);
	noise(r, good ? rs485TooLong : rs485BadChecksum, r->length, atMs);
	skip(r, good ? rs485NakInvalidLength : rs485NakChecksum);
}

/* The length of the frame whose first four bytes these are. Reserved bits are no part of it. */
RS485_RAM static uint32_t wholeOf(const uint8_t* at) { return (word(at + 2) & lengthMask) + overhead; }

/* Four bytes are here: how long is the frame? */
RS485_RAM static void header(Rs485Receiver* r, int64_t atMs)
{
	if (!supports(&r->settings, word(r->bytes)))
		/* Switching the drivers may put a byte or two before the frame: does a known type begin behind them? */
		for (uint16_t index = 1; index <= 2; index++) {
			if (!supports(&r->settings, word(r->bytes + index)))
				continue;
			noise(r, rs485Resync, index, atMs);
			moveDown(r, index);
			return;
		}
	r->whole = wholeOf(r->bytes);
	if (r->whole <= r->longest)
		return;
	r->mode = modeLong;
	r->taken = headerBytes;
	r->sums = sumsOf(r->bytes, headerBytes);
}

/* A pause inside a frame: it may go on, or what follows is a new frame. It is read both ways. */
RS485_RAM static void startSecond(Rs485Receiver* r, int64_t atMs)
{
	r->second = (uint16_t)r->length;
	r->secondWhole = 0;
	r->secondFirstMs = atMs;
}

/* One more byte for the second reading; 1 when it was the last of a good frame. */
RS485_RAM static int secondByte(Rs485Receiver* r, Rs485FrameLine* line, uint8_t b, int64_t atMs)
{
	uint32_t start = r->second, k = r->length - 1 - start;
	if (k == 0 && (b == ackByte || b == nakByte)) {
		r->second = 0;
		return 0;
	}
	if (r->secondWhole == 0) {
		if (k == headerBytes - 1) {
			r->secondWhole = (uint16_t)wholeOf(r->bytes + start);
			if (r->secondWhole > r->longest)
				r->second = 0;
		}
		return 0;
	}
	if (k + 1 < r->secondWhole)
		return 0;
	if (!frameIsRight(r->bytes + start, r->secondWhole)) {
		r->second = 0;
		return 0;
	}
	noise(r, rs485Resync, start, atMs);
	moveDown(r, start);
	deliver(r, line, atMs);
	return 1;
}

/* The first reading has failed: the second takes its place. */
RS485_RAM static void dropFirst(Rs485Receiver* r, int64_t atMs)
{
	noise(r, rs485Resync, r->second, atMs);
	moveDown(r, r->second);
	r->whole = r->secondWhole;
	r->firstMs = r->secondFirstMs;
	r->second = 0;
}

RS485_RAM static void collectByte(Rs485Receiver* r, Rs485FrameLine* line, uint8_t b, int64_t atMs)
{
	uint32_t k = r->length;
	if (k == 0)
		r->firstMs = atMs;
	r->bytes[k] = b;
	r->length = k + 1;
	uint8_t lead = r->bytes[0];
	if (lead == ackByte || lead == nakByte) {
		if (k != 1)
			return;
		if (isAnswer(lead, b)) {
			deliverAnswer(r, lead, b, atMs);
			return;
		}
		noise(r, rs485BadAnswer, 1, atMs);
		clear(r);
		collectByte(r, line, b, atMs); /* as a first byte: no deeper than once */
		return;
	}
	if (r->whole == 0) {
		if (k == headerBytes - 1)
			header(r, atMs);
		return;
	}
	int complete = k + 1 == r->whole;
	if (complete && frameIsRight(r->bytes, r->whole)) {
		deliver(r, line, atMs);
		return;
	}
	if ((r->second && secondByte(r, line, b, atMs)) || !complete)
		return;
	if (r->second) {
		dropFirst(r, atMs);
		return;
	}
	noise(r, rs485BadChecksum, k + 1, atMs);
	skip(r, rs485NakChecksum);
}

/* Own echo */

RS485_RAM static int echoOpen(const Rs485Receiver* r) { return r->echoAt < r->echoLength; }

RS485_RAM static void endEcho(Rs485Receiver* r)
{
	r->echoLength = 0;
	r->echoAt = 0;
	r->echoUntilMs = RS485_NEVER;
}

RS485_RAM static void echoByte(Rs485Receiver* r, uint8_t b, int64_t atMs)
{
	if (b == r->echo[r->echoAt]) {
		if (++r->echoAt == r->echoLength)
			endEcho(r);
		return;
	}
	/* Somebody else drives the line: what is on it until it falls idle is nobody's frame. */
	endEcho(r);
	if (r->length)
		noise(r, rs485Resync, r->length, atMs);
	r->bytes[0] = b;
	r->lastMs = atMs;
	noise(r, rs485Collision, 1, atMs);
	skip(r, RS485_NO_ANSWER);
}

RS485_RAM void rs485ReceiverExpectEcho(Rs485Receiver* r, const uint8_t* bytes, uint16_t length, int64_t atMs)
{
	if (echoOpen(r))
		noise(r, rs485EchoMissing, 0, atMs);
	r->echo = bytes;
	r->echoLength = length;
	r->echoAt = 0;
	r->echoUntilMs = RS485_NEVER;
	plan(r);
}

RS485_RAM void rs485ReceiverEchoEnds(Rs485Receiver* r, int64_t atMs)
{
	if (echoOpen(r))
		r->echoUntilMs = atMs + RS485_ECHO_SLACK_MS;
}

/* Time */

RS485_RAM static int64_t idleDue(const Rs485Receiver* r)
{
	int waits = r->mode != modeCollect || (r->length && r->whole == 0);
	return waits ? r->lastMs + RS485_IDLE_MS : RS485_NEVER;
}

RS485_RAM static int64_t limitDue(const Rs485Receiver* r)
{
	int waits = r->mode == modeLong || (r->mode == modeCollect && r->length);
	return waits ? r->firstMs + RS485_FRAME_MAX_MS : RS485_NEVER;
}

/* Not before its delay, and not into bytes that are still coming. */
RS485_RAM static int64_t answerDue(const Rs485Receiver* r)
{
	if (r->answerCode == RS485_NO_ANSWER)
		return RS485_NEVER;
	int64_t rested = r->lastMs + RS485_IDLE_MS, delayed = r->answerEndMs + RS485_ACK_DELAY_MS;
	return rested > delayed ? rested : delayed;
}

/* The line has been silent: what was no frame until now is none. */
RS485_RAM static void onIdle(Rs485Receiver* r, int64_t atMs)
{
	if (r->mode == modeCollect && r->length == 3 && isAnswer(r->bytes[1], r->bytes[2])) {
		/* A byte of driver switching, and then an answer. */
		noise(r, rs485Resync, 1, atMs);
		deliverAnswer(r, r->bytes[1], r->bytes[2], r->lastMs);
		return;
	}
	if (r->length)
		noise(r, rs485Resync, r->length, atMs);
	int8_t code = r->mode == modeSkip ? r->skipCode : RS485_NO_ANSWER;
	r->mode = modeCollect;
	clear(r);
	if (code != RS485_NO_ANSWER)
		schedule(r, code, r->lastMs);
}

/* After the longest time of a frame it is still not whole. */
RS485_RAM static void onLimit(Rs485Receiver* r, int64_t atMs)
{
	if (r->second && r->mode == modeCollect) {
		dropFirst(r, atMs);
		return;
	}
	int tooLong = r->mode == modeLong;
	int8_t code = tooLong ? rs485NakInvalidLength : rs485NakTimeout;
	noise(r, tooLong ? rs485TooLong : rs485FrameTimeout, r->length, atMs);
	if (atMs - r->lastMs < RS485_IDLE_MS) {
		skip(r, code);
		return;
	}
	clear(r);
	schedule(r, code, atMs);
}

RS485_RAM static void onAnswerDue(Rs485Receiver* r, Rs485FrameLine* line, int64_t nowMs)
{
	int8_t code = r->answerCode;
	r->answerCode = RS485_NO_ANSWER;
	if (nowMs - r->answerEndMs > RS485_ACK_MAX_MS)
		noise(r, rs485AnswerDropped, 0, nowMs);
	else
		rs485SendAnswer(line, code);
}

RS485_RAM static void poll(Rs485Receiver* r, Rs485FrameLine* line, int64_t nowMs)
{
	for (int64_t due; (due = rs485ReceiverNextMs(r)) <= nowMs;) {
		if (due == idleDue(r))
			onIdle(r, due);
		else if (due == limitDue(r))
			onLimit(r, due);
		else if (due == r->echoUntilMs) {
			endEcho(r);
			noise(r, rs485EchoMissing, 0, due);
		}
		else
			onAnswerDue(r, line, nowMs);
	}
}

RS485_RAM void rs485ReceiverPoll(Rs485Receiver* r, Rs485FrameLine* line, int64_t nowMs)
{
	poll(r, line, nowMs);
	plan(r);
}

RS485_RAM int64_t rs485ReceiverNextMs(const Rs485Receiver* r)
{
	int64_t next = idleDue(r), limit = limitDue(r), answer = answerDue(r);
	if (limit < next)
		next = limit;
	if (r->echoUntilMs < next)
		next = r->echoUntilMs;
	return answer < next ? answer : next;
}

RS485_RAM int64_t rs485ReceiverFreeMs(const Rs485Receiver* r)
{
	int busy = r->answerCode != RS485_NO_ANSWER || r->mode != modeCollect || r->length || echoOpen(r);
	return busy ? RS485_NEVER : r->lastMs + RS485_IDLE_MS;
}

/* In the middle of a frame, or between two, nothing is due: most bytes come so, and need not ask in detail. */
RS485_RAM static int nothingDue(const Rs485Receiver* r, int64_t nowMs)
{
	if (r->mode != modeCollect || r->answerCode != RS485_NO_ANSWER || r->echoLength)
		return 0;
	if (!r->length)
		return 1;
	uint32_t sinceLast = (uint32_t)(nowMs - r->lastMs), sinceFirst = (uint32_t)(nowMs - r->firstMs);
	return sinceLast < RS485_IDLE_MS && sinceFirst < RS485_FRAME_MAX_MS;
}

/* Any bytes at any time. */
RS485_RAM static void feed(Rs485Receiver* r, Rs485FrameLine* line, const uint8_t* bytes, uint32_t count, int64_t atMs)
{
	if (!nothingDue(r, atMs))
		poll(r, line, atMs);
	int paused = atMs - r->lastMs >= RS485_IDLE_MS;
	for (uint32_t index = 0; index < count; index++) {
		uint8_t b = bytes[index];
		if (echoOpen(r)) {
			echoByte(r, b, atMs);
			continue;
		}
		if (paused) {
			paused = 0;
			if (r->length)
				startSecond(r, atMs);
		}
		r->lastMs = atMs;
		if (r->mode == modeSkip)
			store(r, b, atMs);
		else if (r->mode == modeLong)
			longByte(r, b, atMs);
		else
			collectByte(r, line, b, atMs);
	}
	plan(r);
}

RS485_RAM void rs485ReceiverFeed(Rs485Receiver* r, Rs485FrameLine* line, const uint8_t* bytes, uint16_t count, int64_t atMs)
{
	uint32_t quick = 0;
	while (quick < count && rs485ReceiverQuick(r, bytes[quick], atMs))
		quick++;
	if (quick < count)
		feed(r, line, bytes + quick, count - quick, atMs);
}

/*
 * A byte that decides mostly ends the header or a right frame whose bytes came without a pause: neither need ask for all
 * that may be. Not inline, each: what one of them saves of the registers the others need not pay for.
 */
RS485_RAM __attribute__((noinline)) static void feedOne(Rs485Receiver* r, uint8_t b, int64_t atMs, Rs485FrameLine* line)
{
	feed(r, line, &b, 1, atMs);
}

RS485_RAM __attribute__((noinline)) static void headerByte(Rs485Receiver* r, uint8_t b, int64_t atMs, Rs485FrameLine* line)
{
	uint8_t* at = r->bytes;
	at[headerBytes - 1] = b;
	uint32_t whole = wholeOf(at);
	if (whole > r->longest || !supports(&r->settings, word(at))) {
		feedOne(r, b, atMs, line);
		return;
	}
	r->lastMs = atMs;
	r->length = headerBytes;
	r->whole = whole;
	r->plain = whole - 1;
}

RS485_RAM __attribute__((noinline)) static void lastByte(Rs485Receiver* r, uint8_t b, int64_t atMs, Rs485FrameLine* line)
{
	uint32_t whole = r->whole;
	r->bytes[whole - 1] = b;
	if (!frameIsRight(r->bytes, whole)) {
		feedOne(r, b, atMs, line);
		return;
	}
	r->lastMs = atMs;
	r->length = whole;
	accept(r, atMs, line);
}

RS485_RAM void rs485ReceiverByte(Rs485Receiver* r, uint8_t byte, int64_t atMs, Rs485FrameLine* line)
{
	if (!r->plain || r->length != r->plain || !rs485ReceiverFlows(r, atMs))
		feedOne(r, byte, atMs, line);
	else if (r->whole == 0)
		headerByte(r, byte, atMs, line);
	else
		lastByte(r, byte, atMs, line);
}

RS485_RAM void rs485ReceiverReset(Rs485Receiver* r)
{
	if (r->length)
		noise(r, rs485Resync, r->length, r->lastMs);
	r->mode = modeCollect;
	clear(r);
	r->answerCode = RS485_NO_ANSWER;
	endEcho(r);
	plan(r);
}

RS485_RAM void rs485ReceiverConfigure(Rs485Receiver* r, const Rs485Settings* settings)
{
	uint16_t count = 0;
	for (uint16_t index = 0; index < settings->typeCount && index < RS485_TYPES; index++) {
		uint16_t type = settings->types[index];
		/* 06 xx and 15 xx are link answers: no frame begins so, and the receiver counts on it. */
		if (type >> 8 != ackByte && type >> 8 != nakByte)
			r->settings.types[count++] = type;
	}
	r->settings.typeCount = count;
	r->settings.maxPayload = settings->maxPayload;
	r->settings.bitRates = settings->bitRates;
	r->longest = (settings->maxPayload < r->capacity ? settings->maxPayload : r->capacity) + (uint32_t)overhead;
}

void rs485ReceiverStart(Rs485Receiver* r, Rs485EventQueue* events, const Rs485Settings* settings, uint16_t capacity)
{
	*r = (Rs485Receiver){ 0 };
	r->events = events;
	r->capacity = capacity < RS485_CAPACITY ? capacity : RS485_CAPACITY;
	rs485ReceiverConfigure(r, settings);
	r->lastMs = -1000000;
	r->skipCode = RS485_NO_ANSWER;
	r->answerCode = RS485_NO_ANSWER;
	r->echoUntilMs = RS485_NEVER;
	plan(r);
}
