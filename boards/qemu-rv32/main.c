/*
 * The firmware's byte code on bare metal. JavaScript sees one function, `step(json) -> json`; this loop calls it with the
 * machine's own clock when bytes came on the line, when its wake-up is due, and when the host sent a line. README.md
 * tells the protocol of the host channel and the form that the two JSON texts must have.
 */
#include "../../tools/xs-host/machine.h"
#include "hardware.h"
#include "main.h"
#include "peer.h"
#include "uart.h"

#include <sys/time.h>

#define LINE_BYTES (48 * 1024)
#define JS_STACK_BYTES (10 * 1024) /* the C stack of the SDK's JavaScript task */

/* The linker gives these: ROM for what is flash on the chip, and where -device loader puts the archive. */
extern char __rom_start[], __rom_end[], __archive_start[], __stack[], __heap_end[];

static struct {
	char header[HEADER_BYTES]; /* room for a new beginning in front of the host's line */
	char line[LINE_BYTES];
	size_t length;
	int overlong;
	char wakeText[HEADER_BYTES + 8];
	char* romNext;
	uint64_t wakeMs;
	int64_t utcMinusMs;
	int utcKnown;
	enum stepKind kind;
	long steps;
	const char* last;
	uint64_t answerInstructions;
	struct { uint32_t count; uint64_t instructions, most; } figures[stepKinds];
	uint64_t romInstructions, startInstructions;
} app;

/* Platform of the machine */

void* ucmRomAllocate(size_t size)
{
	char* result = app.romNext ? app.romNext : __rom_start;
	app.romNext = result + ((size + 15) & ~(size_t)15);
	if (app.romNext > __rom_end)
		ucmFault(NULL, ucmFaultRom, "rom", "ROM is too small for the archive");
	memset(result, 0, size);
	return result;
}

void* ucmRamAllocate(size_t size) { return calloc(1, size); }
int ucmInRom(const void* address) { return (const char*)address >= __rom_start && (const char*)address < __rom_end; }
char* ucmCStackLimit(void) { return app.steps ? __stack - JS_STACK_BYTES : __heap_end + 512; }

int gettimeofday(struct timeval* time, void* zone)
{
	int64_t ms = (int64_t)hardwareMs() + (app.utcKnown ? app.utcMinusMs : 0);
	(void)zone;
	time->tv_sec = ms / 1000;
	time->tv_usec = (long)(ms % 1000) * 1000;
	return 0;
}

/* Host channel */

static void put(const char* text) { hostWrite(text, strlen(text)); }

static void sayStats(txMachine* the, const char* tail)
{
	char text[1200];
	static const char* const names[stepKinds] = { "rx", "wake", "host" };
	int at = ucmStats(the, text, sizeof text);
	LineCounters line = lineCounters();
	const char* paint = __heap_end;
	while (paint < __stack && *paint == 0x5a)
		paint++;
	at += snprintf(text + at - 1, sizeof text - (size_t)at, ",\"cStack\":%ld,\"line\":{\"received\":%lu,\"dropped\":%lu,\"sent\":%lu},"
		"\"ms\":%llu,\"ticks\":{\"rom\":%llu,\"start\":%llu,\"interrupts\":%llu", (long)(__stack - paint), (unsigned long)line.received,
		(unsigned long)line.dropped, (unsigned long)line.sent, (unsigned long long)hardwareMs(), (unsigned long long)app.romInstructions,
		(unsigned long long)app.startInstructions, (unsigned long long)hardwareInterruptInstructions()) - 1;
	for (int kind = 0; kind < stepKinds; kind++)
		at += snprintf(text + at, sizeof text - (size_t)at, ",\"%s\":{\"count\":%lu,\"sum\":%llu,\"most\":%llu}", names[kind],
			(unsigned long)app.figures[kind].count, (unsigned long long)app.figures[kind].instructions, (unsigned long long)app.figures[kind].most);
	LineFigures uart = lineFigures();
	InterruptFigures whole = hardwareLineInterrupts();
	snprintf(text + at, sizeof text - (size_t)at, ",\"uart\":{\"count\":%lu,\"sum\":%llu,\"most\":%llu},\"uartInterrupt\":{\"count\":%lu,\"sum\":%llu,\"most\":%llu}}}",
		(unsigned long)uart.bytes, (unsigned long long)uart.sum, (unsigned long long)uart.most, (unsigned long)whole.count,
		(unsigned long long)whole.sum, (unsigned long long)whole.most);
	put(text);
	put(tail);
}

static void putQuoted(const char* text, size_t most)
{
	for (; text && *text && most; text++, most--) {
		if (*text == '"' || *text == '\\')
			put("\\");
		if ((unsigned char)*text >= 0x20)
			hostWrite(text, 1);
	}
}

void ucmFault(txMachine* the, int status, const char* code, const char* message)
{
	char text[80];
	snprintf(text, sizeof text, "\",\"exit\":%d,\"step\":%ld,\"message\":\"", status, app.steps);
	put("!{\"event\":\"fault\",\"code\":\"");
	put(code);
	put(text);
	putQuoted(message, 200);
	put("\",\"last\":\"");
	putQuoted(app.last, 200);
	put("\",\"stats\":");
	if (the && the->stackTop) {
		char stats[1100];
		ucmStats(the, stats, sizeof stats);
		put(stats);
	}
	else
		put("null");
	put("}\n");
	hardwareExit(status);
}

void hardwareTrap(uint32_t cause, uint32_t address)
{
	char message[48];
	snprintf(message, sizeof message, "cause %lu at %lx", (unsigned long)cause, (unsigned long)address);
	ucmFault(NULL, 33, "trap", message);
}

/* Answers: {"wakeMs":N|null,"out":[...]}; what goes to the line is taken out, the rest goes to the host. */

/* The end of the JSON value at `text`: after its closing bracket, or at the next comma or bracket of the level around. */
static const char* valueEnd(const char* text)
{
	int depth = 0, quoted = 0;
	for (; *text; text++) {
		if (quoted) {
			if (*text == '\\' && text[1])
				text++;
			else
				quoted = *text != '"';
		}
		else if (*text == '"')
			quoted = 1;
		else if (*text == '{' || *text == '[')
			depth++;
		else if ((*text == '}' || *text == ']') && --depth <= 0)
			return depth < 0 ? text : text + 1;
		else if (*text == ',' && depth == 0)
			return text;
	}
	return text;
}

void ucmAnswer(const char* text)
{
	static const char wake[] = "{\"wakeMs\":", out[] = ",\"out\":[";
	app.answerInstructions = hardwareInstructions() - hardwareInterruptInstructions();
	const char* at = text + sizeof wake - 1;
	if (strncmp(text, wake, sizeof wake - 1))
		ucmFault(NULL, ucmFaultEntry, "entry", "the answer does not begin with wakeMs");
	const char* end = valueEnd(at);
	app.wakeMs = *at == 'n' ? NO_TIME : strtoull(at, NULL, 10) + (memchr(at, '.', (size_t)(end - at)) != NULL);
	if (strncmp(end, out, sizeof out - 1))
		ucmFault(NULL, ucmFaultEntry, "entry", "in the answer, out does not follow wakeMs");
	int any = app.kind == stepHost;
	const char* head = text;
	size_t headLength = (size_t)(end - text) + sizeof out - 1;
	if (any) {
		put("=");
		hostWrite(head, headLength);
	}
	int first = 1;
	for (at = end + sizeof out - 1; *at && *at != ']'; at = *end == ',' ? end + 1 : end) {
		end = valueEnd(at);
		if (lineOutput(at))
			continue;
		if (!any) {
			any = 1;
			put("+");
			hostWrite(head, headLength);
		}
		if (!first)
			put(",");
		first = 0;
		hostWrite(at, (size_t)(end - at));
	}
	if (any)
		put("]}\n");
}

/* Steps */

double utcOf(double nowMs) { return app.utcKnown ? nowMs + (double)app.utcMinusMs : NAN; }

int header(char* target, size_t size)
{
	unsigned long long now = hardwareMs();
	if (app.utcKnown)
		return snprintf(target, size, "{\"nowMs\":%llu,\"utcMs\":%lld,\"in\":", now, (long long)now + (long long)app.utcMinusMs);
	return snprintf(target, size, "{\"nowMs\":%llu,\"utcMs\":null,\"in\":", now);
}

/* Around every call: what it took of the instruction counter, interrupts left out. */
uint64_t beginStep(enum stepKind kind, const char* what)
{
	app.kind = kind;
	app.last = what;
	app.steps++;
	return hardwareInstructions() - hardwareInterruptInstructions();
}

void endStep(uint64_t began)
{
	uint64_t taken = app.answerInstructions - began;
	app.figures[app.kind].count++;
	app.figures[app.kind].instructions += taken;
	if (taken > app.figures[app.kind].most)
		app.figures[app.kind].most = taken;
	watchdogFeed();
}

void step(txMachine* the, enum stepKind kind, char* text)
{
	uint64_t began = beginStep(kind, text);
	ucmStep(the, text);
	endStep(began);
}

static void stepWakeUp(txMachine* the)
{
	app.wakeMs = NO_TIME;
	strcpy(app.wakeText + header(app.wakeText, sizeof app.wakeText), "[]}");
	step(the, stepWake, app.wakeText);
}

/* {"nowMs":…,"utcMs":…,"in":[…]}: the host's time is not ours; its beginning is replaced in place. */
static void stepHostLine(txMachine* the)
{
	char head[HEADER_BYTES];
	char* in = strstr(app.line, "\"in\":");
	char* utc = strstr(app.line, "\"utcMs\":");
	if (!in || (utc && utc > in)) {
		put("!{\"event\":\"error\",\"message\":\"not a batch\"}\n");
		return;
	}
	if (utc && utc[8] != 'n') {
		app.utcMinusMs = (int64_t)(strtod(utc + 8, NULL) - (double)hardwareMs());
		app.utcKnown = 1;
	}
	int length = header(head, sizeof head);
	char* text = in + 5 - length; /* may reach into app.header */
	memcpy(text, head, (size_t)length);
	step(the, stepHost, text);
}

static void sayPeer(void)
{
	char text[240];
	PeerFigures f = peerFigures();
	snprintf(text, sizeof text, "!{\"done\":%s,\"frames\":%lu,\"onTime\":%lu,\"early\":%lu,\"late\":%lu,\"missing\":%lu,\"wrong\":%lu,\"stops\":%lu,"
		"\"heard\":%lu,\"shortestUs\":%lu,\"longestUs\":%lu}\n", peerDone() ? "true" : "false", (unsigned long)f.frames, (unsigned long)f.onTime,
		(unsigned long)f.early, (unsigned long)f.late, (unsigned long)f.missing, (unsigned long)f.wrong, (unsigned long)f.stops,
		(unsigned long)f.heard, (unsigned long)f.shortestUs, (unsigned long)f.longestUs);
	put(text);
}

static void command(txMachine* the)
{
	char* end;
	if (!strncmp(app.line, "!stop ", 6)) {
		uint32_t after = strtoul(app.line + 6, &end, 10);
		put(stopWorld(after, strtoul(end, NULL, 10)) ? "!{\"event\":\"stop\"}\n" : "!{\"event\":\"error\",\"message\":\"no room for a stop\"}\n");
	}
	else if (!strncmp(app.line, "!peer ", 6)) {
		uint32_t frames = strtoul(app.line + 6, &end, 10);
		peerStart(frames, strtoul(end, NULL, 10));
		put("!{\"event\":\"peer\"}\n");
	}
	else if (!strcmp(app.line, "!peer"))
		sayPeer();
	else if (!strcmp(app.line, "!gc") || !strcmp(app.line, "!stats")) {
		if (app.line[1] == 'g')
			fxCollectGarbage(the);
		put("!");
		sayStats(the, "\n");
	}
	else if (!strcmp(app.line, "!quit"))
		hardwareExit(0);
	else if (!strcmp(app.line, "!reset"))
		hardwareReset(resetRequested);
	else if (!strcmp(app.line, "!hang"))
		for (;;) /* until the watchdog bites */
			;
	else
		put("!{\"event\":\"error\",\"message\":\"unknown command\"}\n");
}

static void pollHost(txMachine* the)
{
	for (int byte; (byte = hostRead()) >= 0;) {
		if (byte != '\n') {
			if (app.length + 1 < LINE_BYTES)
				app.line[app.length++] = (char)byte;
			else
				app.overlong = 1;
			continue;
		}
		app.line[app.length] = 0;
		if (app.overlong)
			put("!{\"event\":\"error\",\"message\":\"line too long\"}\n");
		else if (app.line[0] == '!')
			command(the);
		else if (app.length)
			stepHostLine(the);
		app.length = 0;
		app.overlong = 0;
		return; /* look at the line between two batches */
	}
}

/* So that what is left of the paint tells how deep the stack went. Not inline: all that main keeps lies above. */
static __attribute__((noinline)) void paintStack(void)
{
	memset(__heap_end, 0x5a, (size_t)((char*)__builtin_frame_address(0) - 256 - __heap_end));
}

int main(void)
{
	static const char* const reasons[] = { "power", "watchdog", "requested" };
	ucmCreation creation = ucmDefaultCreation;
	char text[80];
	paintStack();
	hardwareStart();
	const uint8_t* size = (const uint8_t*)__archive_start;
	uint64_t began = hardwareInstructions();
	txMachine* rom = ucmBuildRom(__archive_start, (size_t)size[0] << 24 | size[1] << 16 | size[2] << 8 | size[3], ucmPreloadImports, &creation);
	uint64_t built = hardwareInstructions();
	watchdogFeed();
	txMachine* machine = ucmStart(rom, &creation);
	app.romInstructions = built - began;
	app.startInstructions = hardwareInstructions() - built;
	app.wakeMs = NO_TIME;
	snprintf(text, sizeof text, "!{\"event\":\"ready\",\"reset\":\"%s\",\"line\":\"" UCM_LINE_NAME "\",\"stats\":", reasons[resetReason()]);
	put(text);
	sayStats(machine, "}\n");
	for (;;) {
		watchdogFeed();
		pollHost(machine);
		if (lineStep(machine))
			continue;
		if (app.wakeMs != NO_TIME && hardwareMs() >= app.wakeMs)
			stepWakeUp(machine);
		else {
			uint64_t sentMs = lineWakeMs();
			waitUntil(app.wakeMs < sentMs ? app.wakeMs : sentMs);
		}
	}
}
