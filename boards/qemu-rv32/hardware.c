#include "hardware.h"
#include "uart.h"

#include <string.h>
#include <sys/time.h>

#define PLIC 0x0c000000u
#define PLIC_CLAIM (PLIC + 0x200004u)
#define FINISHER 0x00100000u
#define VIRTIO_FIRST 0x10001000u
enum { uartIrq = 10, virtioFirstIrq = 1, virtioCount = 8 };
#define WATCHDOG_MS 8000u
#define CSR_MIE_EXTERNAL (1u << 11)
#define CSR_MIE_TIMER (1u << 7)
#define CSR_STATUS_MIE (1u << 3)
#define NEVER UINT64_MAX

#define csrRead(name) ({ uint32_t value_; __asm__ volatile("csrr %0, " #name : "=r"(value_)); value_; })
#define csrWrite(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"((uint32_t)(value)) : "memory")
#define csrSet(name, value) __asm__ volatile("csrs " #name ", %0" ::"r"((uint32_t)(value)) : "memory")
#define csrClear(name, value) __asm__ volatile("csrc " #name ", %0" ::"r"((uint32_t)(value)) : "memory")

#define MAX_STOPS 16

static struct {
	uint64_t bootTicks, wakeTicks, watchdogTicks;
	struct { uint64_t at, length; } stops[MAX_STOPS];
	uint64_t stopTicks; /* the first of them */
	uint64_t interruptInstructions;
	InterruptFigures line; /* of the line's interrupts, as a whole */
	int reason;
} hw;

/* Survives a reset: crt0 does not touch this section. */
static struct { uint32_t magic, reason; } preserved __attribute__((section(".preserve")));
#define PRESERVED_MAGIC 0x75636d31u

/* Clock and counters */

UCM_IN_RAM uint64_t hardwareTicks(void)
{
	uint32_t high, low;
	do {
		high = REG32(CLINT + 0xbffc);
		low = REG32(CLINT + 0xbff8);
	} while (high != REG32(CLINT + 0xbffc));
	return ((uint64_t)high << 32) | low;
}

uint64_t hardwareMs(void) { return (hardwareTicks() - hw.bootTicks) / TICKS_PER_MS; }

uint64_t hardwareUs(void) { return (hardwareTicks() - hw.bootTicks) / (TICKS_PER_MS / 1000); }

UCM_IN_RAM uint64_t hardwareInstructions(void)
{
	uint32_t high, low;
	do {
		high = csrRead(minstreth);
		low = csrRead(minstret);
	} while (high != csrRead(minstreth));
	return ((uint64_t)high << 32) | low;
}

uint64_t hardwareInterruptInstructions(void) { return hw.interruptInstructions; }
InterruptFigures hardwareLineInterrupts(void) { return hw.line; }

/* Timer: one compare register for the wake-up, the watchdog and the stops */

UCM_IN_RAM static void setCompare(uint64_t ticks)
{
	REG32(CLINT + 0x4004) = UINT32_MAX;
	REG32(CLINT + 0x4000) = (uint32_t)ticks;
	REG32(CLINT + 0x4004) = (uint32_t)(ticks >> 32);
}

UCM_IN_RAM static void armTimer(void)
{
	uint64_t at = hw.watchdogTicks < hw.wakeTicks ? hw.watchdogTicks : hw.wakeTicks, line = uartDueTicks();
	if (hw.stopTicks < at)
		at = hw.stopTicks;
	setCompare(line < at ? line : at);
}

/* Host channel: port 0 of a virtio console, two queues, no features */

#define QUEUE_SIZE 8
#define RX_BYTES 256
#define TX_BYTES 512
enum { descNext = 1, descWrite = 2 };

typedef struct { uint64_t address; uint32_t length; uint16_t flags, next; } Descriptor;
typedef struct {
	Descriptor descriptors[QUEUE_SIZE];
	struct { uint16_t flags, index, ring[QUEUE_SIZE]; } available;
	struct { uint16_t flags, index; struct { uint32_t id, length; } ring[QUEUE_SIZE]; } used __attribute__((aligned(4)));
	uint16_t seen;
} Queue;

static struct {
	uint32_t base;
	Queue rx, tx;
	uint8_t rxBytes[QUEUE_SIZE][RX_BYTES], txBytes[TX_BYTES];
	uint32_t rxAt;
} vio __attribute__((aligned(16)));

enum {
	vioMagic = 0x00, vioDevice = 0x08, vioDriverFeatures = 0x20, vioDriverFeaturesSelect = 0x24, vioQueueSelect = 0x30,
	vioQueueSize = 0x38, vioQueueReady = 0x44, vioNotify = 0x50, vioInterrupt = 0x60, vioInterruptAck = 0x64,
	vioStatus = 0x70, vioQueueDescriptors = 0x80, vioQueueDriver = 0x90, vioQueueDevice = 0xa0,
};
#define VIO(offset) REG32(vio.base + (offset))
#define fence() __asm__ volatile("fence" ::: "memory")

static void queueStart(uint32_t number, Queue* queue)
{
	VIO(vioQueueSelect) = number;
	VIO(vioQueueSize) = QUEUE_SIZE;
	VIO(vioQueueDescriptors) = (uint32_t)queue->descriptors;
	VIO(vioQueueDescriptors + 4) = 0;
	VIO(vioQueueDriver) = (uint32_t)&queue->available;
	VIO(vioQueueDriver + 4) = 0;
	VIO(vioQueueDevice) = (uint32_t)&queue->used;
	VIO(vioQueueDevice + 4) = 0;
	VIO(vioQueueReady) = 1;
}

static void queueOffer(uint32_t number, Queue* queue, uint16_t descriptor)
{
	queue->available.ring[queue->available.index % QUEUE_SIZE] = descriptor;
	fence();
	queue->available.index++;
	fence();
	VIO(vioNotify) = number;
}

static void hostStart(void)
{
	for (uint32_t slot = 0; slot < virtioCount; slot++) {
		uint32_t base = VIRTIO_FIRST + slot * 0x1000;
		if (REG32(base + vioMagic) == 0x74726976 && REG32(base + vioDevice) == 3)
			vio.base = base;
	}
	if (!vio.base)
		hardwareExit(3);
	VIO(vioStatus) = 0;
	VIO(vioStatus) = 3; /* acknowledge, driver */
	VIO(vioDriverFeaturesSelect) = 0;
	VIO(vioDriverFeatures) = 0;
	VIO(vioDriverFeaturesSelect) = 1;
	VIO(vioDriverFeatures) = 1; /* VERSION_1 */
	VIO(vioStatus) = 11; /* + features ok */
	queueStart(0, &vio.rx);
	queueStart(1, &vio.tx);
	VIO(vioStatus) = 15; /* + driver ok */
	for (uint16_t index = 0; index < QUEUE_SIZE; index++) {
		vio.rx.descriptors[index] = (Descriptor){ (uint32_t)vio.rxBytes[index], RX_BYTES, descWrite, 0 };
		queueOffer(0, &vio.rx, index);
	}
}

int hostRead(void)
{
	fence();
	if (vio.rx.seen == *(volatile uint16_t*)&vio.rx.used.index)
		return -1;
	uint32_t slot = vio.rx.seen % QUEUE_SIZE, id = vio.rx.used.ring[slot].id;
	int byte = vio.rxBytes[id][vio.rxAt++];
	if (vio.rxAt >= vio.rx.used.ring[slot].length) {
		vio.rxAt = 0;
		vio.rx.seen++;
		queueOffer(0, &vio.rx, (uint16_t)id);
	}
	return byte;
}

void hostWrite(const char* text, size_t size)
{
	while (size) {
		size_t part = size < TX_BYTES ? size : TX_BYTES;
		memcpy(vio.txBytes, text, part);
		vio.tx.descriptors[0] = (Descriptor){ (uint32_t)vio.txBytes, (uint32_t)part, 0, 0 };
		queueOffer(1, &vio.tx, 0);
		while (*(volatile uint16_t*)&vio.tx.used.index != vio.tx.available.index)
			watchdogFeed();
		text += part;
		size -= part;
	}
}

/* Interrupts */

/* Who it was: its number, 0 for nobody. */
UCM_IN_RAM static uint32_t onExternal(int* sooner)
{
	uint32_t irq = REG32(PLIC_CLAIM);
	if (irq == uartIrq)
		*sooner = uartInterrupt();
	else if (irq && vio.base)
		VIO(vioInterruptAck) = VIO(vioInterrupt);
	if (irq)
		REG32(PLIC_CLAIM) = irq;
	return irq;
}

/* JavaScript stands still, the line's handler does not: as a handler in RAM works on while flash is erased. */
UCM_IN_RAM static void standStill(uint64_t untilTicks)
{
	for (uint64_t now; (now = hardwareTicks()) < untilTicks;) {
		uint64_t due = uartDueTicks();
		if (now >= due) {
			uartTimer(now);
			continue;
		}
		setCompare(due < untilTicks ? due : untilTicks);
		__asm__ volatile("wfi");
		int sooner; /* or not: we look */
		if (csrRead(mip) & CSR_MIE_EXTERNAL)
			onExternal(&sooner);
	}
}

UCM_IN_RAM static void startStops(uint64_t now)
{
	for (int index = 0; index < MAX_STOPS; index++)
		if (hw.stops[index].length && now >= hw.stops[index].at) {
			uint64_t until = now + hw.stops[index].length;
			hw.stops[index].length = 0;
			standStill(until);
		}
	/* While the world stood still, stops may have been added. */
	hw.stopTicks = NEVER;
	for (int index = 0; index < MAX_STOPS; index++)
		if (hw.stops[index].length && hw.stops[index].at < hw.stopTicks)
			hw.stopTicks = hw.stops[index].at;
}

UCM_IN_RAM static void onTimer(void)
{
	uint64_t now = hardwareTicks();
	if (now >= hw.watchdogTicks) {
		preserved.magic = PRESERVED_MAGIC;
		preserved.reason = resetWatchdog;
		REG32(FINISHER) = 0x7777;
		for (;;)
			;
	}
	if (now >= hw.wakeTicks)
		hw.wakeTicks = NEVER;
	uartTimer(now);
	if (now >= hw.stopTicks)
		startStops(now);
	armTimer();
}

UCM_IN_RAM __attribute__((interrupt("machine"), aligned(4))) static void onTrap(void)
{
	uint64_t before = hardwareInstructions();
	uint32_t cause = csrRead(mcause), irq = 0;
	if (cause == 0x80000007u)
		onTimer();
	else if (cause == 0x8000000bu) {
		int sooner = 0;
		irq = onExternal(&sooner);
		if (sooner) /* a timer that goes off too soon is set anew */
			armTimer();
	}
	else
		hardwareTrap(cause, csrRead(mepc));
	uint64_t taken = hardwareInstructions() - before;
	hw.interruptInstructions += taken;
	if (irq == uartIrq) {
		hw.line.count++;
		hw.line.sum += taken;
		if (taken > hw.line.most)
			hw.line.most = taken;
	}
}

void hardwareStart(void)
{
	hw.bootTicks = hardwareTicks();
	hw.wakeTicks = NEVER;
	hw.stopTicks = NEVER;
	hw.reason = preserved.magic == PRESERVED_MAGIC ? (int)preserved.reason : resetPower;
	preserved.magic = 0;
	csrWrite(mtvec, (uint32_t)(uintptr_t)onTrap);
	uartStart(hw.bootTicks);
	for (uint32_t irq = virtioFirstIrq; irq <= uartIrq; irq++)
		REG32(PLIC + 4 * irq) = 1;
	REG32(PLIC + 0x2000) = (1u << uartIrq) | (((1u << virtioCount) - 1) << virtioFirstIrq);
	REG32(PLIC + 0x200000) = 0;
	watchdogFeed();
	hostStart();
	csrSet(mie, CSR_MIE_EXTERNAL | CSR_MIE_TIMER);
	csrSet(mstatus, CSR_STATUS_MIE);
}

static void withTimer(void (*change)(uint64_t, uint64_t), uint64_t a, uint64_t b)
{
	csrClear(mstatus, CSR_STATUS_MIE);
	change(a, b);
	armTimer();
	csrSet(mstatus, CSR_STATUS_MIE);
}

static void setWatchdog(uint64_t ticks, uint64_t unused) { (void)unused; hw.watchdogTicks = ticks; }
void watchdogFeed(void) { withTimer(setWatchdog, hardwareTicks() + (uint64_t)WATCHDOG_MS * TICKS_PER_MS, 0); }

int withoutInterrupts(int (*change)(void*, const void*, uint32_t), void* a, const void* b, uint32_t c)
{
	uint32_t before = csrRead(mstatus) & CSR_STATUS_MIE;
	csrClear(mstatus, CSR_STATUS_MIE);
	int result = change(a, b, c);
	armTimer();
	csrSet(mstatus, before);
	return result;
}

UCM_IN_RAM void stopAt(uint64_t at, uint64_t length)
{
	for (int index = 0; index < MAX_STOPS; index++)
		if (!hw.stops[index].length) {
			hw.stops[index].at = at;
			hw.stops[index].length = length;
			if (at < hw.stopTicks)
				hw.stopTicks = at;
			return;
		}
}

int stopWorld(uint32_t afterMs, uint32_t forMs)
{
	int free = 0;
	for (int index = 0; index < MAX_STOPS; index++)
		free += !hw.stops[index].length;
	if (free && forMs)
		withTimer(stopAt, hardwareTicks() + (uint64_t)afterMs * TICKS_PER_MS, (uint64_t)forMs * TICKS_PER_MS);
	return free && forMs;
}

void waitUntil(uint64_t ms)
{
	uint64_t ticks = ms == NEVER ? NEVER : hw.bootTicks + ms * TICKS_PER_MS;
	uint64_t feed = hardwareTicks() + (uint64_t)WATCHDOG_MS / 2 * TICKS_PER_MS;
	csrClear(mstatus, CSR_STATUS_MIE);
	hw.wakeTicks = ticks < feed ? ticks : feed;
	armTimer();
	/* With interrupts off, wfi still wakes on a pending one: none can slip in between the look and the sleep. */
	if (!uartPending() && vio.rx.seen == *(volatile uint16_t*)&vio.rx.used.index)
		__asm__ volatile("wfi");
	csrSet(mstatus, CSR_STATUS_MIE);
}

int resetReason(void) { return hw.reason; }

void hardwareReset(int reason)
{
	csrClear(mstatus, CSR_STATUS_MIE);
	preserved.magic = PRESERVED_MAGIC;
	preserved.reason = (uint32_t)reason;
	REG32(FINISHER) = 0x7777;
	for (;;)
		;
}

void hardwareExit(int code)
{
	REG32(FINISHER) = code ? ((uint32_t)code << 16) | 0x3333 : 0x5555;
	for (;;)
		;
}
