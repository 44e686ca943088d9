/* The byte line: JavaScript gets bytes and frames, checks and acknowledges itself. */
#include "hardware.h"
#include "main.h"
#include "uart.h"

#define MAX_SENT 64
#define SENT_PER_BATCH 8

static struct {
	char text[HEADER_BYTES + 64 + 48 * SENT_PER_BATCH + 2 * UCM_RECEIVE_BYTES];
	uint32_t bitsPerSecond;
	uint64_t freeUs, sentAtUs[MAX_SENT]; /* when what was written has left, oldest first */
	int sentCount;
} line = { .bitsPerSecond = 19200 };

/* The socket takes bytes at once; the time at which the last bit would have left is kept, and told as `sent`. */
static void writeHex(const char* hex)
{
	uint8_t bytes[64];
	size_t count = 0, total = strspn(hex, "0123456789abcdefABCDEF") / 2;
	uint64_t now = hardwareUs();
	if (line.freeUs < now)
		line.freeUs = now;
	line.freeUs += total * 10000000ull / line.bitsPerSecond;
	if (line.sentCount == MAX_SENT)
		ucmFault(NULL, ucmFaultEntry, "entry", "too many writes to the line at once");
	line.sentAtUs[line.sentCount++] = line.freeUs;
	for (int high, low; (high = hexDigit(hex[0])) >= 0 && (low = hexDigit(hex[1])) >= 0; hex += 2) {
		bytes[count++] = (uint8_t)(high << 4 | low);
		if (count == sizeof bytes) {
			lineWrite(bytes, count);
			count = 0;
		}
	}
	lineWrite(bytes, count);
}

int lineOutput(const char* item)
{
	static const char tx[] = "{\"k\":\"tx\",\"hex\":\"", rate[] = "{\"k\":\"rate\",\"bitsPerSecond\":";
	if (!strncmp(item, tx, sizeof tx - 1)) {
		writeHex(item + sizeof tx - 1);
		return 1;
	}
	if (!strncmp(item, rate, sizeof rate - 1) && strtoul(item + sizeof rate - 1, NULL, 10))
		line.bitsPerSecond = strtoul(item + sizeof rate - 1, NULL, 10);
	return 0;
}

static int print(int at, const char* format, uint64_t value)
{
	return at + snprintf(line.text + at, sizeof line.text - (size_t)at, format, (unsigned long long)value);
}

/* Writes that have left, as one batch. */
static int stepSent(txMachine* the)
{
	int sent = 0;
	while (sent < line.sentCount && sent < SENT_PER_BATCH && line.sentAtUs[sent] <= hardwareUs())
		sent++;
	if (!sent)
		return 0;
	int at = header(line.text, sizeof line.text);
	for (int index = 0; index < sent; index++)
		at = print(at, index ? ",{\"k\":\"sent\",\"atMs\":%llu}" : "[{\"k\":\"sent\",\"atMs\":%llu}", line.sentAtUs[index] / 1000);
	strcpy(line.text + at, "]}");
	line.sentCount -= sent;
	memmove(line.sentAtUs, line.sentAtUs + sent, (size_t)line.sentCount * sizeof *line.sentAtUs);
	step(the, stepWake, line.text);
	return 1;
}

/* Bytes that came: to `receive` where the entry has it, else as a batch. */
static int stepBytes(txMachine* the)
{
	static uint8_t bytes[UCM_RECEIVE_BYTES];
	static const char digits[] = "0123456789abcdef";
	uint64_t lastAtMs;
	size_t count = lineRead(bytes, sizeof bytes, &lastAtMs);
	if (!count)
		return 0;
	if (ucmCanReceive()) {
		double now = (double)hardwareMs(), utc = utcOf(now);
		uint64_t began = beginStep(stepRx, "(bytes of the line)");
		ucmReceive(the, now, utc, (double)lastAtMs, bytes, (int)count);
		endStep(began);
		return 1;
	}
	int at = print(header(line.text, sizeof line.text), "[{\"k\":\"rx\",\"atMs\":%llu,\"hex\":\"", lastAtMs);
	for (size_t index = 0; index < count; index++) {
		line.text[at++] = digits[bytes[index] >> 4];
		line.text[at++] = digits[bytes[index] & 15];
	}
	strcpy(line.text + at, "\"}]}");
	step(the, stepRx, line.text);
	return 1;
}

int lineStep(txMachine* the) { return stepSent(the) || stepBytes(the); }
uint64_t lineWakeMs(void) { return line.sentCount ? line.sentAtUs[0] / 1000 + 1 : NO_TIME; }
