#include "peer.h"

#include "hardware.h"

/* No table of constants in flash. */
#pragma GCC optimize("no-jump-tables", "no-tree-switch-conversion")

#define NEVER UINT64_MAX
#define TICKS_PER_BYTE (100000000u / 19200)
enum { earliestMs = 40, latestMs = 200, waitMs = 700, restMs = 115, frameBytes = 32 };
enum { peerIdle, peerResting, peerSending, peerWaiting };

static struct {
	int state;
	uint32_t left, random;
	PeerFigures figures;
	uint64_t dueTicks, endTicks, quietTicks;
	uint64_t ackTicks; /* when it acknowledges a frame of the module */
	uint8_t bytes[frameBytes];
	uint32_t length, at, answer; /* answer: what the frame earns, 0x0600 or 0x15cc */
} peer = { .dueTicks = NEVER, .ackTicks = NEVER };

UCM_IN_RAM static uint32_t chance(uint32_t below)
{
	peer.random ^= peer.random << 13;
	peer.random ^= peer.random >> 17;
	peer.random ^= peer.random << 5;
	return peer.random % below;
}

/* The check bytes, written from the standard's two sums and not from the code under test. */
UCM_IN_RAM static void seal(uint32_t length)
{
	uint32_t c1 = 0xaa, c2 = 0;
	for (uint32_t index = 0; index < length; index++) {
		c1 = (c1 + peer.bytes[index]) % 255;
		c2 = (c2 + c1) % 255;
	}
	uint32_t msb = 255 - (c1 + c2) % 255;
	peer.bytes[length] = (uint8_t)msb;
	peer.bytes[length + 1] = (uint8_t)(255 - (c1 + msb) % 255);
	peer.length = length + 2;
}

UCM_IN_RAM static void frame(uint8_t family, uint32_t payload, uint8_t first, uint8_t second, uint32_t answer)
{
	peer.bytes[0] = family == 7 ? 0x09 : 0x08;
	peer.bytes[1] = family;
	peer.bytes[2] = 0;
	peer.bytes[3] = (uint8_t)payload;
	for (uint32_t index = 0; index < payload; index++)
		peer.bytes[4 + index] = index == 0 ? first : index == 1 ? second : (uint8_t)chance(256);
	seal(4 + payload);
	peer.answer = answer;
}

/* What an appliance may say: questions, replies nobody asked for, and things that earn a NAK. */
UCM_IN_RAM static void compose(void)
{
	uint32_t what = chance(8);
	if (what == 0)
		frame(1, 0, 0, 0, 0x0600); /* do you support Basic? */
	else if (what == 1)
		frame(1, 2, 0x12, 0, 0x0600); /* a query that a module does not answer with data */
	else if (what == 2)
		frame(3, 2, 0x18, 0, 0x0600); /* your longest payload? */
	else if (what == 3)
		frame(2, 2 + chance(20), 0x7f, 0, 0x0600); /* Intermediate, unknown to all */
	else if (what == 4)
		frame(7, 2, 1, 2, 0x1506); /* unknown type */
	else if (what == 5) {
		frame(1, 2, 0x13, 0, 0x1503); /* a bit flipped */
		peer.bytes[4 + chance(4)] ^= 0x20;
	}
	else
		frame(1, 2, 0x13, (uint8_t)chance(3), 0x0600); /* operational state */
}

UCM_IN_RAM static uint64_t later(uint64_t a, uint64_t b) { return a > b ? a : b; }
UCM_IN_RAM static uint64_t ticksOf(uint32_t ms) { return (uint64_t)ms * TICKS_PER_MS; }

/* The next frame, and in every second one JavaScript stands still: at any moment from 300 ms before it to 60 ms after. */
UCM_IN_RAM static void rest(uint64_t now)
{
	if (peer.left == 0) {
		peer.state = peerIdle;
		peer.dueTicks = NEVER;
		return;
	}
	peer.left--;
	peer.state = peerResting;
	uint64_t from = later(now, peer.quietTicks) + ticksOf(restMs + 300 + chance(50)) + chance(TICKS_PER_MS);
	peer.dueTicks = from;
	compose();
	if (chance(2)) {
		uint32_t length = chance(2) ? 300 : 45;
		uint32_t airMs = peer.length * TICKS_PER_BYTE / TICKS_PER_MS;
		stopAt(from - ticksOf(length) + (uint64_t)chance(length + airMs + 60) * TICKS_PER_MS, ticksOf(length));
		peer.figures.stops++;
	}
}

UCM_IN_RAM static void answered(uint32_t answer, uint64_t now)
{
	uint64_t taken = now - peer.endTicks;
	uint32_t us = (uint32_t)taken / (TICKS_PER_MS / 1000);
	PeerFigures* f = &peer.figures;
	if (us < f->shortestUs)
		f->shortestUs = us;
	if (us > f->longestUs)
		f->longestUs = us;
	if (answer != peer.answer)
		f->wrong++;
	if (taken < ticksOf(earliestMs))
		f->early++;
	else if (taken > ticksOf(latestMs))
		f->late++;
	else
		f->onTime++;
	rest(now);
}

UCM_IN_RAM void peerHears(const uint8_t* bytes, size_t size, uint64_t now)
{
	if (size == 0 || (peer.state == peerIdle && peer.left == 0))
		return;
	peer.quietTicks = now + size * TICKS_PER_BYTE;
	if (size != 2) {
		peer.figures.heard++;
		peer.ackTicks = peer.quietTicks + ticksOf(60);
	}
	else if (peer.state == peerWaiting)
		answered((uint32_t)bytes[0] << 8 | bytes[1], now);
}

UCM_IN_RAM void peerTimer(uint64_t now)
{
	if (now >= peer.ackTicks) {
		peer.ackTicks = NEVER;
		uartLoopBack(0x06);
		uartLoopBack(0x00);
		peer.quietTicks = now;
	}
	if (now < peer.dueTicks)
		return;
	if (peer.state == peerResting) {
		/* Not into what the module says, nor into our answer to it. */
		uint64_t quiet = peer.ackTicks != NEVER ? peer.ackTicks : peer.quietTicks;
		if (now < quiet + ticksOf(restMs)) {
			peer.dueTicks = quiet + ticksOf(restMs);
			return;
		}
		peer.state = peerSending;
		peer.at = 0;
	}
	if (peer.state == peerSending) {
		uartLoopBack(peer.bytes[peer.at++]);
		peer.dueTicks = now + TICKS_PER_BYTE;
		if (peer.at < peer.length)
			return;
		peer.figures.frames++;
		peer.state = peerWaiting;
		peer.endTicks = peer.quietTicks = now;
		peer.dueTicks = now + ticksOf(waitMs);
	}
	else {
		peer.figures.missing++;
		rest(now);
	}
}

UCM_IN_RAM uint64_t peerDueTicks(void) { return peer.ackTicks < peer.dueTicks ? peer.ackTicks : peer.dueTicks; }

static int start(void* unused, const void* none, uint32_t frames)
{
	(void)unused;
	(void)none;
	peer.left = frames;
	peer.figures = (PeerFigures){ .shortestUs = UINT32_MAX };
	rest(hardwareTicks());
	return 1;
}

void peerStart(uint32_t frames, uint32_t seed)
{
	peer.random = seed * 2654435761u | 1;
	withoutInterrupts(start, NULL, NULL, frames);
}

int peerDone(void) { return peer.state == peerIdle; }
PeerFigures peerFigures(void) { return peer.figures; }
