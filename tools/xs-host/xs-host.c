/*
 * xs-host: runs an archive of byte code in a 32-bit XS machine of the chip's size. README.md tells the protocol.
 */
#define _GNU_SOURCE
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROM_BYTES (32u * 1024 * 1024)
#define MAX_STOPS 64

static struct {
	char* rom;
	size_t romUsed;
	long step;          /* batches handled, the moment that errors name */
	const char* last;   /* the batch being handled or handled last */
	struct { long step, milliseconds; } stops[MAX_STOPS];
	int stopCount;
} host;

/* Memory: ROM is one mapping that becomes read-only, so that a write to what is flash on the chip is caught. */

void* ucmRomAllocate(size_t size)
{
	char* result = host.rom + host.romUsed;
	host.romUsed += (size + 15) & ~(size_t)15;
	if (host.romUsed > ROM_BYTES)
		ucmFault(NULL, ucmFaultRom, "rom", "ROM is too small for the archive");
	return result;
}

void* ucmRamAllocate(size_t size) { return calloc(1, size); }
int ucmInRom(const void* address) { return (const char*)address >= host.rom && (const char*)address < host.rom + ROM_BYTES; }
char* ucmCStackLimit(void) { return (char*)__builtin_frame_address(0) - 256 * 1024; }

/* Output: '=' answer to a batch, '!' what the host itself says. One line each. */

static void put(char mark, const char* text)
{
	fputc(mark, stdout);
	fputs(text, stdout);
	fputc('\n', stdout);
	fflush(stdout);
}

void ucmAnswer(const char* text) { put('=', text); }

static void quote(char* target, size_t size, const char* text)
{
	size_t at = 0;
	for (; text && *text && at + 8 < size; text++) {
		if (*text == '"' || *text == '\\')
			target[at++] = '\\';
		if ((unsigned char)*text >= 0x20)
			target[at++] = *text;
	}
	target[at] = 0;
}

void ucmFault(txMachine* the, int status, const char* code, const char* message)
{
	char text[320], last[240], stats[1024] = "null";
	quote(text, sizeof text, message);
	quote(last, sizeof last, host.last);
	if (the && the->stackTop)
		ucmStats(the, stats, sizeof stats);
	printf("!{\"event\":\"fault\",\"code\":\"%s\",\"exit\":%d,\"message\":\"%s\",\"step\":%ld,\"last\":\"%s\",\"stats\":%s}\n",
		code, status, text, host.step, last, stats);
	fflush(stdout);
	fprintf(stderr, "xs-host: %s%s%s in step %ld: %s\n", code, message[0] ? ": " : "", message, host.step,
		host.last ? host.last : "(before the first message)");
	_exit(status);
}

static void onSegv(int signal_, siginfo_t* info, void* context)
{
	(void)signal_; (void)context;
	if (ucmInRom(info->si_addr))
		ucmFault(NULL, ucmFaultRom, "rom-write", "a write to ROM, which is flash on the chip");
	_exit(139);
}

/* The world stands still, as while flash is erased. */
static void stopFor(long milliseconds)
{
	struct timespec time = { milliseconds / 1000, (milliseconds % 1000) * 1000000L };
	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

static void command(txMachine* machine, const char* line)
{
	char text[1024];
	if (!strcmp(line, "!gc"))
		fxCollectGarbage(machine);
	else if (!strncmp(line, "!stop ", 6))
		stopFor(atol(line + 6));
	else if (strcmp(line, "!stats")) {
		put('!', "{\"event\":\"error\",\"message\":\"unknown command\"}");
		return;
	}
	ucmStats(machine, text, sizeof text);
	put('!', text);
}

static void serve(txMachine* machine)
{
	char* line = NULL;
	size_t size = 0;
	ssize_t length;
	while ((length = getline(&line, &size, stdin)) > 0) {
		if (line[length - 1] == '\n')
			line[--length] = 0;
		if (!strcmp(line, "!quit"))
			return;
		if (line[0] == '!')
			command(machine, line);
		else if (length) {
			host.step++;
			host.last = line;
			for (int index = 0; index < host.stopCount; index++)
				if (host.stops[index].step == host.step)
					stopFor(host.stops[index].milliseconds);
			ucmStep(machine, line);
		}
	}
}

static void* loadArchive(const char* path, size_t* size)
{
	struct stat status;
	int file = open(path, O_RDONLY);
	if (file < 0 || fstat(file, &status) < 0) {
		fprintf(stderr, "xs-host: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	*size = (size_t)status.st_size;
	char* archive = ucmRomAllocate(*size);
	for (size_t at = 0; at < *size;) {
		ssize_t count = read(file, archive + at, *size - at);
		if (count <= 0)
			exit(2);
		at += (size_t)count;
	}
	close(file);
	return archive;
}

static void usage(void)
{
	fprintf(stderr,
		"usage: xs-host [--chunks BYTES] [--slots COUNT] [--stack COUNT] [--keys COUNT] [--key-increment COUNT]\n"
		"               [--names COUNT] [--preload none|imports|all] [--stop STEP:MS]... ARCHIVE.xsa\n");
	exit(2);
}

static int readOption(ucmCreation* creation, enum ucmPreload* preload, const char* name, const char* value)
{
	const struct { const char* name; long* value; } numbers[] = {
		{ "--chunks", &creation->chunkBytes }, { "--slots", &creation->slotCount }, { "--stack", &creation->stackCount },
		{ "--keys", &creation->keyCount }, { "--key-increment", &creation->keyIncrement }, { "--names", &creation->nameModulo },
	};
	for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
		if (!strcmp(name, numbers[index].name)) {
			char* end;
			*numbers[index].value = strtol(value, &end, 10);
			return *end == 0 && *numbers[index].value >= 0;
		}
	if (!strcmp(name, "--preload")) {
		static const char* const names[] = { "none", "imports", "all" };
		for (int index = 0; index < 3; index++)
			if (!strcmp(value, names[index])) {
				*preload = (enum ucmPreload)index;
				return 1;
			}
	}
	if (!strcmp(name, "--stop") && host.stopCount < MAX_STOPS)
		return sscanf(value, "%ld:%ld", &host.stops[host.stopCount].step, &host.stops[host.stopCount].milliseconds) == 2 && ++host.stopCount;
	return 0;
}

int main(int argc, char* argv[])
{
	ucmCreation creation = ucmDefaultCreation;
	enum ucmPreload preload = ucmPreloadImports;
	char text[1100], stats[1024];
	size_t size;
	int index = 1;
	for (; index + 1 < argc && argv[index][0] == '-'; index += 2)
		if (!readOption(&creation, &preload, argv[index], argv[index + 1]))
			usage();
	if (index + 1 != argc)
		usage();
	host.rom = mmap(NULL, ROM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (host.rom == MAP_FAILED)
		return 2;
	struct sigaction action = { .sa_sigaction = onSegv, .sa_flags = SA_SIGINFO };
	sigaction(SIGSEGV, &action, NULL);
	void* archive = loadArchive(argv[index], &size);
	txMachine* rom = ucmBuildRom(archive, size, preload, &creation);
	mprotect(host.rom, ROM_BYTES, PROT_READ);
	txMachine* machine = ucmStart(rom, &creation);
	ucmStats(machine, stats, sizeof stats);
	snprintf(text, sizeof text, "{\"event\":\"ready\",\"stats\":%s}", stats);
	put('!', text);
	serve(machine);
	return 0;
}
