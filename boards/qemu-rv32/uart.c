#include "uart.h"

#include "hardware.h"
#include "peer.h"

#define UART 0x10000000u
enum { uartData = 0, uartInterrupts = 1, uartFifo = 2, uartLineControl = 3, uartModemControl = 4, uartStatus = 5 };

static struct {
	uint64_t bootTicks;
	LineCounters counters;
	LineFigures figures;
#ifdef UCM_FRAME_LINE
	Rs485FrameLine line;
	Rs485EventQueue events;
	uint64_t msTicks, ms; /* the last whole millisecond told, and where it began */
	uint64_t sentTicks;   /* when the last bit will have left */
	uint32_t ticksPerByte;
	uint8_t bytes[64]; /* what one interrupt brought */
#else
	uint8_t ring[LINE_RING_BYTES];
	volatile uint32_t head, tail;
	volatile uint64_t lastByteTicks;
#endif
} uart;

/* The socket takes a byte at once; the peer, if there is one, hears it with its time. */
UCM_IN_RAM static void uartWrite(const uint8_t* bytes, size_t size)
{
	for (size_t index = 0; index < size; index++) {
		while (!(REG8(UART + uartStatus) & 0x20))
			;
		REG8(UART + uartData) = bytes[index];
	}
	uart.counters.sent += size;
	peerHears(bytes, size, hardwareTicks());
}

/* The peer's byte, by way of the UART's own loop: the receiver cannot tell it from one on the wire. */
UCM_IN_RAM void uartLoopBack(uint8_t byte)
{
	REG8(UART + uartModemControl) = 0x10;
	REG8(UART + uartData) = byte;
	REG8(UART + uartModemControl) = 0;
}

LineCounters lineCounters(void) { return uart.counters; }
LineFigures lineFigures(void) { return uart.figures; }

static void takeBytes(void);

UCM_IN_RAM void uartInterrupt(void)
{
	uint64_t before = hardwareInstructions();
	uint32_t received = uart.counters.received;
	takeBytes();
	uint64_t taken = hardwareInstructions() - before;
	uart.figures.bytes += uart.counters.received - received;
	uart.figures.sum += taken;
	if (taken > uart.figures.most)
		uart.figures.most = taken;
}

void uartStart(uint64_t bootTicks)
{
	uart.bootTicks = bootTicks;
#ifdef UCM_FRAME_LINE
	static const Rs485Settings none = { .maxPayload = 2, .bitRates = 1 };
	uart.msTicks = bootTicks;
	uart.sentTicks = UINT64_MAX;
	uart.ticksPerByte = 100000000u / 19200;
	rs485LineStart(&uart.line, &uart.events, &none, 19200, RS485_CAPACITY, 0);
#endif
	REG8(UART + uartLineControl) = 3; /* 8 bits, no parity, 1 stop */
	REG8(UART + uartFifo) = 1;
	REG8(UART + uartInterrupts) = 1;
}

#ifdef UCM_FRAME_LINE

/* Milliseconds since boot. No division of 64 bits: its code is no inline code, and would lie in flash. */
UCM_IN_RAM static int64_t msOf(uint64_t ticks)
{
	uint64_t passed = ticks - uart.msTicks;
	while (passed >= 4000000000u) {
		passed -= 4000000000u;
		uart.msTicks += 4000000000u;
		uart.ms += 400000;
	}
	uint32_t ms = (uint32_t)passed / TICKS_PER_MS;
	uart.msTicks += ms * (uint64_t)TICKS_PER_MS;
	uart.ms += ms;
	return (int64_t)uart.ms;
}

/* After every call of the line: what it wants done. Not inline: a received byte mostly wants nothing. */
UCM_IN_RAM __attribute__((noinline)) static void serve(uint64_t nowTicks)
{
	if (uart.line.rate) {
		uart.ticksPerByte = 100000000u / uart.line.rate;
		uart.line.rate = 0;
	}
	if (uart.line.write) {
		uartWrite(uart.line.out, uart.line.write);
		uart.sentTicks = nowTicks + uart.line.write * (uint64_t)uart.ticksPerByte;
		uart.line.write = 0;
	}
}

/* Milliseconds now. On a busy line one has passed at most since it was last asked, and nothing need be divided. */
static inline __attribute__((always_inline)) int64_t msNow(void)
{
	uint32_t high, low;
	do {
		high = REG32(CLINT + 0xbffc);
		low = REG32(CLINT + 0xbff8);
	} while (high != REG32(CLINT + 0xbffc));
	uint64_t now = (uint64_t)high << 32 | low, passed = now - uart.msTicks;
	if (passed >= 2 * TICKS_PER_MS)
		return msOf(now);
	if (passed >= TICKS_PER_MS) {
		uart.msTicks += TICKS_PER_MS;
		uart.ms++;
	}
	return (int64_t)uart.ms;
}

/* What is in the FIFO behind a byte, and what a byte has decided. */
UCM_IN_RAM static void takeMore(int64_t ms)
{
	while (REG8(UART + uartStatus) & 1) {
		uint16_t count = 0;
		do
			uart.bytes[count++] = REG8(UART + uartData);
		while (count < sizeof uart.bytes && REG8(UART + uartStatus) & 1);
		uart.counters.received += count;
		rs485LineRx(&uart.line, uart.bytes, count, ms, ms);
	}
	if (uart.line.rate || uart.line.write)
		serve(hardwareTicks());
}

UCM_IN_RAM static void takeBytes(void)
{
	if (!(REG8(UART + uartStatus) & 1))
		return;
	int64_t ms = msNow();
	uint8_t byte = REG8(UART + uartData);
	uart.counters.received++;
	rs485LineRxByte(&uart.line, byte, ms);
	if (REG8(UART + uartStatus) & 1 || uart.line.rate || uart.line.write)
		takeMore(ms);
}

UCM_IN_RAM static uint64_t lineDueTicks(void)
{
	int64_t ms = rs485LineNextMs(&uart.line);
	uint64_t due = ms == RS485_NEVER ? UINT64_MAX : ms <= 0 ? 0 : uart.bootTicks + (uint64_t)ms * TICKS_PER_MS;
	return due < uart.sentTicks ? due : uart.sentTicks;
}

UCM_IN_RAM void uartTimer(uint64_t now)
{
	if (now >= uart.sentTicks) {
		int64_t ms = msOf(uart.sentTicks > uart.msTicks ? uart.sentTicks : uart.msTicks);
		uart.sentTicks = UINT64_MAX;
		rs485LineSent(&uart.line, ms, ms);
		serve(now);
	}
	if (now >= lineDueTicks()) {
		rs485LinePoll(&uart.line, msOf(now));
		serve(now);
	}
	peerTimer(now);
}

UCM_IN_RAM uint64_t uartDueTicks(void)
{
	uint64_t line = lineDueTicks(), peer = peerDueTicks();
	return line < peer ? line : peer;
}

int uartPending(void) { return uart.events.used != 0; }

static int takeEvent(void* event, const void* bytes, uint32_t unused)
{
	(void)unused;
	uart.counters.dropped = uart.events.counters.eventsLost + uart.events.counters.framesLost;
	return rs485QueueTake(&uart.events, event, (uint8_t*)(uintptr_t)bytes);
}

static int send(void* unused, const void* bytes, uint32_t size)
{
	uint64_t now = hardwareTicks();
	(void)unused;
	int taken = rs485LineSendFrame(&uart.line, bytes, (uint16_t)size);
	rs485LinePoll(&uart.line, msOf(now));
	serve(now);
	return taken;
}

static int configure(void* unused, const void* settings, uint32_t bitsPerSecond)
{
	uint64_t now = hardwareTicks();
	(void)unused;
	rs485LineConfigure(&uart.line, settings, bitsPerSecond);
	rs485LinePoll(&uart.line, msOf(now));
	serve(now);
	return 1;
}

int lineTake(Rs485Event* event, uint8_t* bytes) { return withoutInterrupts(takeEvent, event, bytes, 0); }
int lineSendFrame(const uint8_t* bytes, size_t size) { return withoutInterrupts(send, NULL, bytes, size > UINT16_MAX ? 0 : (uint32_t)size); }
void lineConfigure(const Rs485Settings* settings, uint32_t bitsPerSecond) { withoutInterrupts(configure, NULL, settings, bitsPerSecond); }

#else

UCM_IN_RAM static void takeBytes(void)
{
	while (REG8(UART + uartStatus) & 1) {
		uint8_t byte = REG8(UART + uartData);
		uint32_t next = (uart.head + 1) % LINE_RING_BYTES;
		if (next == uart.tail)
			uart.counters.dropped++;
		else {
			uart.ring[uart.head] = byte;
			uart.head = next;
			uart.counters.received++;
		}
		uart.lastByteTicks = hardwareTicks();
	}
}

UCM_IN_RAM void uartTimer(uint64_t now) { peerTimer(now); }
UCM_IN_RAM uint64_t uartDueTicks(void) { return peerDueTicks(); }
int uartPending(void) { return uart.tail != uart.head; }

static int lastByte(void* ticks, const void* unused, uint32_t none)
{
	(void)unused;
	(void)none;
	*(uint64_t*)ticks = uart.lastByteTicks;
	return 1;
}

size_t lineRead(uint8_t* target, size_t size, uint64_t* lastAtMs)
{
	size_t count = 0;
	uint64_t ticks;
	while (count < size && uart.tail != uart.head) {
		target[count++] = uart.ring[uart.tail];
		uart.tail = (uart.tail + 1) % LINE_RING_BYTES;
	}
	withoutInterrupts(lastByte, &ticks, NULL, 0);
	*lastAtMs = (ticks - uart.bootTicks) / TICKS_PER_MS;
	return count;
}

static int writeBytes(void* unused, const void* bytes, uint32_t size)
{
	(void)unused;
	uartWrite(bytes, size);
	return 1;
}

void lineWrite(const uint8_t* bytes, size_t size) { withoutInterrupts(writeBytes, NULL, bytes, (uint32_t)size); }

#endif
