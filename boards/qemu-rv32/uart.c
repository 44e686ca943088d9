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
	uint64_t ms;        /* the last whole millisecond told */
	uint32_t msTicks;   /* where it began: the low half of the clock */
	uint32_t ticksPerByte;
	uint64_t sentTicks; /* when the last bit will have left */
	uint8_t bytes[64]; /* what one interrupt brought */
	uint8_t decided;   /* more than quick bytes */
	Rs485FrameLine line;
	Rs485EventQueue events; /* last, as it is large: what lies behind it costs more to reach */
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

/* Quick bytes inside a frame only put off what the line waits for; its first byte, and all that was decided, may not. */
static int dueSooner(void)
{
#ifdef UCM_FRAME_LINE
	return uart.decided || uart.line.receiver.length == 1;
#else
	return 0;
#endif
}

UCM_IN_RAM int uartInterrupt(void)
{
#ifdef UCM_FRAME_LINE
	uart.decided = 0;
#endif
	uint64_t before = hardwareInstructions();
	uint32_t received = uart.counters.received;
	takeBytes();
	uint64_t taken = hardwareInstructions() - before;
	uart.figures.bytes += uart.counters.received - received;
	uart.figures.sum += taken;
	if (taken > uart.figures.most)
		uart.figures.most = taken;
	return dueSooner();
}

void uartStart(uint64_t bootTicks)
{
	uart.bootTicks = bootTicks;
#ifdef UCM_FRAME_LINE
	static const Rs485Settings none = { .maxPayload = 2, .bitRates = 1 };
	uart.msTicks = (uint32_t)bootTicks;
	uart.sentTicks = UINT64_MAX;
	uart.ticksPerByte = 100000000u / 19200;
	rs485LineStart(&uart.line, &uart.events, &none, 19200, RS485_CAPACITY, 0);
#endif
	REG8(UART + uartLineControl) = 3; /* 8 bits, no parity, 1 stop */
	REG8(UART + uartFifo) = 1;
	REG8(UART + uartInterrupts) = 1;
}

#ifdef UCM_FRAME_LINE

/*
 * Milliseconds since boot, at a time of the clock's low half that is none before the last one asked for. 32 bits are
 * enough, as it is asked far more often than they go round (429 s): the main loop does so whenever it looks for events
 * (takeEvent), and the watchdog sees to it that it looks.
 */
static inline __attribute__((always_inline)) int64_t msOf(uint32_t ticks)
{
	uint32_t passed = ticks - uart.msTicks;
	if (passed >= TICKS_PER_MS) {
		uint32_t ms = passed / TICKS_PER_MS;
		uart.msTicks += ms * TICKS_PER_MS;
		uart.ms += ms;
	}
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

static void serveAsked(void)
{
	if (uart.line.rate || uart.line.write)
		serve(hardwareTicks());
}

/* What is in the FIFO behind a byte, at the same time. */
UCM_IN_RAM static void takeMore(void)
{
	int64_t ms = (int64_t)uart.ms;
	uart.decided = 1;
	while (REG8(UART + uartStatus) & 1) {
		uint16_t count = 0;
		do
			uart.bytes[count++] = REG8(UART + uartData);
		while (count < sizeof uart.bytes && REG8(UART + uartStatus) & 1);
		uart.counters.received += count;
		rs485LineRx(&uart.line, uart.bytes, count, ms, ms);
	}
	serveAsked();
}

UCM_IN_RAM static void takeDeciding(Rs485FrameLine* line, uint8_t byte, int64_t ms)
{
	uart.decided = 1;
	rs485LineByte(line, byte, ms);
	if (REG8(UART + uartStatus) & 1)
		takeMore();
	else
		serveAsked();
}

/* Most bytes decide nothing, and are alone: they need no call. Nor must the timer be set, see dueSooner(). */
UCM_IN_RAM static void takeBytes(void)
{
	if (!(REG8(UART + uartStatus) & 1))
		return;
	int64_t ms = msOf(REG32(CLINT + 0xbff8));
	uint8_t byte = REG8(UART + uartData);
	uart.counters.received++;
	if (!rs485LineQuick(&uart.line, byte, ms))
		takeDeciding(&uart.line, byte, ms);
	else if (REG8(UART + uartStatus) & 1)
		takeMore();
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
		uint32_t sent = (uint32_t)uart.sentTicks;
		int64_t ms = (int32_t)(sent - uart.msTicks) > 0 ? msOf(sent) : (int64_t)uart.ms;
		uart.sentTicks = UINT64_MAX;
		rs485LineSent(&uart.line, ms, ms);
		serve(now);
	}
	if (now >= lineDueTicks()) {
		rs485LinePoll(&uart.line, msOf((uint32_t)now));
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
	msOf((uint32_t)hardwareTicks());
	uart.counters.dropped = uart.events.counters.eventsLost + uart.events.counters.framesLost;
	return rs485QueueTake(&uart.events, event, (uint8_t*)(uintptr_t)bytes);
}

static int send(void* unused, const void* bytes, uint32_t size)
{
	uint64_t now = hardwareTicks();
	(void)unused;
	int taken = rs485LineSendFrame(&uart.line, bytes, (uint16_t)size);
	rs485LinePoll(&uart.line, msOf((uint32_t)now));
	serve(now);
	return taken;
}

static int configure(void* unused, const void* settings, uint32_t bitsPerSecond)
{
	uint64_t now = hardwareTicks();
	(void)unused;
	rs485LineConfigure(&uart.line, settings, bitsPerSecond);
	rs485LinePoll(&uart.line, msOf((uint32_t)now));
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
