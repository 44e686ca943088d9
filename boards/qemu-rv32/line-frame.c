/* The frame line: the interrupt handler frames, checks and acknowledges; JavaScript gets its events. */
#include "hardware.h"
#include "main.h"
#include "uart.h"

#include <stdarg.h>

/* Room for the longest event and several short ones in one batch. */
#define EVENT_TEXT (2 * RS485_EVENT_BYTES + 96)
static struct {
	char text[HEADER_BYTES + 2 * EVENT_TEXT];
	uint8_t bytes[RS485_EVENT_BYTES];
	int at;
} line;

static void print(const char* format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	line.at += vsnprintf(line.text + line.at, sizeof line.text - (size_t)line.at, format, arguments);
	va_end(arguments);
}

static void printEvent(const Rs485Event* e)
{
	static const char* const names[] = { "", "frame", "answer", "sent", "unsent", "answered", "noise", "carrier" };
	static const char* const faults[rs485FaultCount] = { "resync", "bad-checksum", "frame-timeout", "too-long", "bad-answer",
		"collision", "echo-missing", "answer-dropped", "discarded" };
	int isFrame = e->kind == rs485EventFrame, isNoise = e->kind == rs485EventNoise;
	print("{\"k\":\"%s\",\"%s\":%lld", names[e->kind], isFrame ? "endMs" : "atMs", (long long)e->atMs);
	if (isFrame)
		print(",\"type\":%u,\"answer\":%d", e->type, e->code);
	else if (isNoise)
		print(",\"fault\":\"%s\"", faults[e->fault]);
	else if (e->kind == rs485EventUnsent)
		print(",\"why\":\"%s\"", e->fault == rs485Received ? "received" : "busy");
	else if (e->kind == rs485EventAnswer || e->kind == rs485EventAnswered)
		print(",\"code\":%d", e->code);
	if (isFrame || isNoise) {
		print(",\"hex\":\"");
		for (uint16_t index = 0; index < e->length; index++)
			print("%02x", line.bytes[index]);
		print("\"");
	}
	print("}");
}

int lineStep(txMachine* the)
{
	Rs485Event event;
	int any = 0;
	line.at = header(line.text, sizeof line.text);
	while (line.at < HEADER_BYTES + EVENT_TEXT && lineTake(&event, line.bytes)) {
		print(any ? "," : "[");
		printEvent(&event);
		any = 1;
	}
	if (!any)
		return 0;
	print("]}");
	step(the, stepRx, line.text);
	return 1;
}

uint64_t lineWakeMs(void) { return NO_TIME; }

static void sendHex(const char* hex)
{
	size_t count = 0;
	for (int high, low; (high = hexDigit(hex[0])) >= 0 && (low = hexDigit(hex[1])) >= 0; hex += 2) {
		if (count == sizeof line.bytes)
			ucmFault(NULL, ucmFaultEntry, "entry", "a frame too long for the line");
		line.bytes[count++] = (uint8_t)(high << 4 | low);
	}
	if (!lineSendFrame(line.bytes, count))
		ucmFault(NULL, ucmFaultEntry, "entry", "not a frame");
}

/* The number behind a member's name, which comes in this order. */
static uint32_t member(const char** at, const char* name)
{
	char* end = strstr(*at, name);
	if (!end)
		ucmFault(NULL, ucmFaultEntry, "entry", "the line's settings lack a member");
	uint32_t value = strtoul(end + strlen(name), &end, 10);
	*at = end;
	return value;
}

static void configure(const char* at)
{
	Rs485Settings s = { 0 };
	uint32_t rate = member(&at, "\"bitsPerSecond\":");
	s.maxPayload = (uint16_t)member(&at, "\"maxPayload\":");
	s.bitRates = (uint16_t)member(&at, "\"bitRates\":");
	for (const char* next = strchr(at, '['); next && *next != ']' && next[1] != ']' && s.typeCount < RS485_TYPES;) {
		char* end;
		s.types[s.typeCount++] = (uint16_t)strtoul(next + 1, &end, 10);
		next = end;
	}
	lineConfigure(&s, rate);
}

int lineOutput(const char* item)
{
	static const char frame[] = "{\"k\":\"frame\",\"hex\":\"", settings[] = "{\"k\":\"line\",";
	if (!strncmp(item, frame, sizeof frame - 1)) {
		sendHex(item + sizeof frame - 1);
		return 1;
	}
	if (strncmp(item, settings, sizeof settings - 1))
		return 0;
	configure(item);
	return 0; /* the host is told: the line behind its socket has a rate as well */
}
