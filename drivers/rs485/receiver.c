#include "receiver.h"

#include "placement.h"

RS485_RAM_OPTIONS

/* Collecting a frame (or nothing yet) | counting a frame above our limit | discarding until the line is idle. */
enum { modeCollect = rs485ModeCollect, modeLong, modeSkip };

enum { overhead = 6, sumStart = rs485SumStart, lengthMask = 0x1fff, ackByte = rs485AckByte, nakByte = rs485NakByte };

#define sumByte rs485SumByte

RS485_RAM static uint32_t remainder255(uint32_t value)
{
	return value >= 510 ? value - 510 : value >= 255 ? value - 255 : value;
}

/* Do the check bytes high, low belong to the sum? */
RS485_RAM static int sumIs(uint32_t sum, uint8_t high, uint8_t low)
{
	uint32_t c1 = sum & 0xff, c2 = sum >> 8;
	uint32_t msb = 255 - remainder255(c1 + c2);
	return high == msb && low == 255 - remainder255(c1 + msb);
}

RS485_RAM static uint32_t word(const uint8_t* at) { return (uint32_t)at[0] << 8 | at[1]; }

RS485_RAM static int isAnswer(uint8_t lead, uint8_t b)
{
	return lead == ackByte ? b == 0 : lead == nakByte && b <= rs485NakNotSupported;
}

/* Events */

RS485_RAM static void noise(Rs485Receiver* r, uint8_t fault, uint16_t length, int64_t atMs)
{
	Rs485Event event = { { rs485EventNoise, fault, 0, 0, 0, length, atMs } };
	rs485QueuePut(r->events, &event, r->bytes);
}

/* The first `count` bytes go; the others move to the front. */
RS485_RAM static void moveDown(Rs485Receiver* r, uint16_t count)
{
	for (uint16_t index = count; index < r->length; index++)
		r->bytes[index - count] = r->bytes[index];
	r->length = (uint16_t)(r->length - count);
}

/*
 * Up to where the bytes of the frame that is being read decide nothing: the end of its header, or its last byte. While an
 * answer is due or an echo expected every byte decides.
 */
RS485_RAM static uint16_t plainTo(const Rs485Receiver* r)
{
	if (r->answerCode != RS485_NO_ANSWER || r->echoLength)
		return 0;
	return r->whole ? (uint16_t)(r->whole - 1) : 3;
}

/* One answer waits at most: a frame that ends before the last was answered takes its place. */
RS485_RAM static void schedule(Rs485Receiver* r, int8_t code, int64_t endMs)
{
	if (r->answerCode != RS485_NO_ANSWER)
		noise(r, rs485AnswerDropped, 0, endMs);
	r->answerCode = code;
	r->answerEndMs = endMs;
}

RS485_RAM static void skip(Rs485Receiver* r, int8_t code)
{
	r->mode = modeSkip;
	r->skipCode = code;
	r->length = 0;
	r->plain = 0;
}

RS485_RAM static void deliverAnswer(Rs485Receiver* r, uint8_t lead, uint8_t b, int64_t atMs)
{
	Rs485Event event = { { rs485EventAnswer, 0, (int8_t)(lead == ackByte ? RS485_ACK : b), 0, 0, 0, atMs } };
	r->length = 0;
	rs485QueuePut(r->events, &event, r->bytes);
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
 * A good frame begins at `start`. Where its event finds no room it is not acknowledged, so that the peer sends it again:
 * an ACK says that we have it.
 */
RS485_RAM static void deliver(Rs485Receiver* r, Rs485FrameLine* line, uint16_t start, uint16_t whole, int64_t endMs)
{
	const uint8_t* at = r->bytes + start;
	Rs485Event event = { { rs485EventFrame, 0, 0, 0, (uint16_t)word(at), (uint16_t)(whole - overhead), endMs } };
	r->length = 0;
	if (!rs485QueueHasRoom(r->events, rs485EventFrame, event.length)) {
		r->events->counters.framesLost++;
		return;
	}
	event.code = linkAnswer(&r->settings, event.type, at + 4, event.length);
	schedule(r, event.code, endMs);
	rs485QueuePut(r->events, &event, at + 4);
	rs485OnFrame(line);
}

/* Bytes */

RS485_RAM static uint32_t payloadLimit(const Rs485Receiver* r)
{
	return r->settings.maxPayload < r->capacity ? r->settings.maxPayload : r->capacity;
}

RS485_RAM static void store(Rs485Receiver* r, uint8_t b, int64_t atMs)
{
	if (r->length == r->capacity + overhead) {
		noise(r, rs485Discarded, r->length, atMs);
		r->length = 0;
	}
	r->bytes[r->length++] = b;
}

/* A frame above our limit: counted and summed to its end, so that it can be told from a garbled length. */
RS485_RAM static void longByte(Rs485Receiver* r, uint8_t b, int64_t atMs)
{
	uint16_t k = r->taken++;
	if (k < r->whole - 2)
		r->sum = sumByte(r->sum, b);
	store(r, b, atMs);
	if (r->taken < r->whole) {
		r->previous = b;
		return;
	}
	int good = sumIs(r->sum, r->previous, b);
	noise(r, good ? rs485TooLong : rs485BadChecksum, r->length, atMs);
	skip(r, good ? rs485NakInvalidLength : rs485NakChecksum);
}

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
			r->sum = sumStart;
			for (uint16_t at = 0; at < r->length; at++)
				r->sum = sumByte(r->sum, r->bytes[at]);
			r->plain = plainTo(r);
			return;
		}
	uint32_t n = word(r->bytes + 2) & lengthMask;
	r->whole = (uint16_t)(n + overhead);
	if (n <= payloadLimit(r)) {
		r->plain = plainTo(r);
		return;
	}
	r->plain = 0;
	r->mode = modeLong;
	r->taken = 4;
}

/* A pause inside a frame: it may go on, or what follows is a new frame. It is read both ways. */
RS485_RAM static void startSecond(Rs485Receiver* r, int64_t atMs)
{
	r->second = r->length;
	r->plain = 0;
	r->secondWhole = 0;
	r->secondSum = sumStart;
	r->secondFirstMs = atMs;
}

/* One more byte for the second reading; 1 when it was the last of a good frame. */
RS485_RAM static int secondByte(Rs485Receiver* r, Rs485FrameLine* line, uint8_t b, int64_t atMs)
{
	uint16_t start = r->second, k = (uint16_t)(r->length - 1 - start);
	if (k == 0 && (b == ackByte || b == nakByte)) {
		r->second = 0;
		return 0;
	}
	if (r->secondWhole == 0) {
		r->secondSum = sumByte(r->secondSum, b);
		if (k == 3) {
			uint32_t n = word(r->bytes + start + 2) & lengthMask;
			if (n > payloadLimit(r))
				r->second = 0;
			else
				r->secondWhole = (uint16_t)(n + overhead);
		}
		return 0;
	}
	if (k < r->secondWhole - 2)
		r->secondSum = sumByte(r->secondSum, b);
	if (k + 1 < r->secondWhole)
		return 0;
	if (!sumIs(r->secondSum, r->bytes[r->length - 2], b)) {
		r->second = 0;
		return 0;
	}
	noise(r, rs485Resync, start, atMs);
	deliver(r, line, start, (uint16_t)(k + 1), atMs);
	return 1;
}

/* The first reading has failed: the second takes its place. */
RS485_RAM static void dropFirst(Rs485Receiver* r, int64_t atMs)
{
	noise(r, rs485Resync, r->second, atMs);
	moveDown(r, r->second);
	r->whole = r->secondWhole;
	r->sum = r->secondSum;
	r->firstMs = r->secondFirstMs;
	r->second = 0;
	r->plain = r->bytes[0] == ackByte || r->bytes[0] == nakByte ? 0 : plainTo(r);
}

RS485_RAM static void collectByte(Rs485Receiver* r, Rs485FrameLine* line, uint8_t b, int64_t atMs)
{
	uint16_t k = r->length;
	if (k == 0) {
		r->firstMs = atMs;
		r->sum = sumStart;
		r->whole = 0;
		r->second = 0;
		r->plain = 0;
	}
	r->bytes[k] = b;
	r->length = (uint16_t)(k + 1);
	uint8_t lead = r->bytes[0];
	if (lead == ackByte || lead == nakByte) {
		if (k != 1)
			return;
		if (isAnswer(lead, b)) {
			deliverAnswer(r, lead, b, atMs);
			return;
		}
		noise(r, rs485BadAnswer, 1, atMs);
		r->length = 0;
		collectByte(r, line, b, atMs); /* as a first byte: no deeper than once */
		return;
	}
	if (r->whole == 0) {
		r->sum = sumByte(r->sum, b);
		if (k == 0)
			r->plain = plainTo(r);
		else if (k == 3)
			header(r, atMs);
		return;
	}
	if (k < r->whole - 2)
		r->sum = sumByte(r->sum, b);
	int complete = k + 1 == r->whole;
	if (complete && sumIs(r->sum, r->bytes[k - 1], b)) {
		deliver(r, line, 0, (uint16_t)(k + 1), atMs);
		return;
	}
	if ((r->second && secondByte(r, line, b, atMs)) || !complete)
		return;
	if (r->second) {
		dropFirst(r, atMs);
		return;
	}
	noise(r, rs485BadChecksum, (uint16_t)(k + 1), atMs);
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
	r->plain = 0;
	r->echo = bytes;
	r->echoLength = length;
	r->echoAt = 0;
	r->echoUntilMs = RS485_NEVER;
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
	r->length = 0;
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
	r->length = 0;
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

RS485_RAM void rs485ReceiverPoll(Rs485Receiver* r, Rs485FrameLine* line, int64_t nowMs)
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

/* Any byte at any time. Not inline: what it saves of the registers the plain bytes need not pay for. */
RS485_RAM __attribute__((noinline)) static void feed(Rs485Receiver* r, Rs485FrameLine* line, const uint8_t* bytes, uint16_t count, int64_t atMs)
{
	if (!nothingDue(r, atMs))
		rs485ReceiverPoll(r, line, atMs);
	int paused = atMs - r->lastMs >= RS485_IDLE_MS;
	for (uint16_t index = 0; index < count; index++) {
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
}

/* The fourth byte of a frame whose bytes have come without a pause. */
RS485_RAM __attribute__((noinline)) static void headerByte(Rs485Receiver* r, uint8_t b, int64_t atMs)
{
	r->lastMs = atMs;
	r->sum = sumByte(r->sum, b);
	r->bytes[3] = b;
	r->length = 4;
	header(r, atMs);
}

/* The last byte of such a frame, whose check bytes are right. */
RS485_RAM __attribute__((noinline)) static void lastByte(Rs485Receiver* r, Rs485FrameLine* line, uint8_t b, int64_t atMs)
{
	uint32_t k = r->plain;
	r->lastMs = atMs;
	r->bytes[k] = b;
	deliver(r, line, 0, (uint16_t)(k + 1), atMs);
}

/* Many at once: most are plain. */
RS485_RAM __attribute__((noinline)) static void feedMany(Rs485Receiver* r, Rs485FrameLine* line, const uint8_t* bytes, uint16_t count, int64_t atMs)
{
	while (count && rs485ReceiverQuick(r, *bytes, atMs)) {
		bytes++;
		count--;
	}
	if (count)
		feed(r, line, bytes, count, atMs);
}

/* Where a byte comes alone and decides something, it mostly ends a header or a right frame: neither need ask for all that may be. */
RS485_RAM void rs485ReceiverFeed(Rs485Receiver* r, Rs485FrameLine* line, const uint8_t* bytes, uint16_t count, int64_t atMs)
{
	if (count == 1) {
		uint32_t plain = r->plain;
		if (plain && r->length == plain && rs485ReceiverFlows(r, atMs)) {
			uint8_t b = *bytes;
			if (r->whole == 0) {
				headerByte(r, b, atMs);
				return;
			}
			if (sumIs(r->sum, r->bytes[plain - 1], b)) {
				lastByte(r, line, b, atMs);
				return;
			}
		}
	}
	else {
		feedMany(r, line, bytes, count, atMs);
		return;
	}
	feed(r, line, bytes, count, atMs);
}

RS485_RAM void rs485ReceiverReset(Rs485Receiver* r)
{
	if (r->length)
		noise(r, rs485Resync, r->length, r->lastMs);
	r->mode = modeCollect;
	r->length = 0;
	r->plain = 0;
	r->second = 0;
	r->answerCode = RS485_NO_ANSWER;
	endEcho(r);
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
}

void rs485ReceiverStart(Rs485Receiver* r, Rs485EventQueue* events, const Rs485Settings* settings, uint16_t capacity)
{
	*r = (Rs485Receiver){ 0 };
	r->events = events;
	rs485ReceiverConfigure(r, settings);
	r->capacity = capacity < RS485_CAPACITY ? capacity : RS485_CAPACITY;
	r->lastMs = -1000000;
	r->skipCode = RS485_NO_ANSWER;
	r->answerCode = RS485_NO_ANSWER;
	r->echoUntilMs = RS485_NEVER;
}
