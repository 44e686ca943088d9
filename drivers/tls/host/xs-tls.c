/*
 * Runs the TLS client on a computer: the driver with its real XS glue, on POSIX threads and sockets, with an XS machine
 * around it. `xs-tls FILE ARGUMENT` runs a script that has the driver and these globals: argument, now(), sleep(ms),
 * print(text), random()… It ends with 0, or tells the exception and ends with 1.
 */
#include "xsAll.h"
#include "xsScript.h"
#undef __XSALL__

#include <malloc.h>
#include <time.h>

#include "tls-port.h"

extern void xs_tls_destructor(void*);
/* Of a driver beside this one (drivers/identity/host). */
#ifndef MORE_NATIVES
	#define MORE_NATIVES(each)
#endif
#define NATIVES(each) \
	each(tls) each(tls_close) each(tls_credentials) each(tls_open) each(tls_write) each(tls_end) each(tls_busy) each(tls_read) \
	MORE_NATIVES(each)
#define DECLARE(name) extern void xs_##name(txMachine* the);
NATIVES(DECLARE)
#define ENTRY(name) { "xs_" #name, xs_##name },
static const struct { const char* name; txCallback callback; } natives[] = { NATIVES(ENTRY) };

/* Where memory is counted, the linker puts __wrap_… before calloc and free; the machine's own is not counted. */

#ifdef COUNT_MEMORY
extern void* __real_calloc(size_t count, size_t size);
extern void __real_free(void* address);
extern void* __wrap_calloc(size_t count, size_t size);
extern void __wrap_free(void* address);
	#define machineCalloc __real_calloc
	#define machineFree __real_free
#else
	#define machineCalloc calloc
	#define machineFree free
#endif

/* Platform */

void* fxAllocateChunks(txMachine* the, txSize size) { (void)the; return machineCalloc(1, (size_t)size); }
void fxFreeChunks(txMachine* the, void* chunks) { (void)the; machineFree(chunks); }
txSlot* fxAllocateSlots(txMachine* the, txSize count) { (void)the; return machineCalloc((size_t)count, sizeof(txSlot)); }
void fxFreeSlots(txMachine* the, void* slots) { (void)the; machineFree(slots); }
void fxCreateMachinePlatform(txMachine* the) { (void)the; }
void fxDeleteMachinePlatform(txMachine* the) { (void)the; }
void fxQueuePromiseJobs(txMachine* the) { (void)the; }
char* fxCStackLimit(void) { return NULL; }
txID fxFindModule(txMachine* the, txSlot* realm, txID id, txSlot* slot) { (void)the; (void)realm; (void)id; (void)slot; return XS_NO_ID; }
void fxLoadModule(txMachine* the, txSlot* module, txID id) { (void)the; (void)module; (void)id; }
void* ucmMalloc(size_t size) { return malloc(size); }
void* ucmCalloc(size_t count, size_t size) { return machineCalloc(count, size); }
void* ucmRealloc(void* address, size_t size) { return realloc(address, size); }
void ucmFree(void* address) { machineFree(address); }

void fxAbort(txMachine* the, int status)
{
	(void)the;
	fprintf(stderr, "XS abort %d\n", status);
	exit(1);
}

txScript* fxParseScript(txMachine* the, void* stream, txGetter getter, txUnsigned flags)
{
	txParser parser;
	txParserJump jump;
	txScript* script = NULL;
	fxInitializeParser(&parser, the, the->parserBufferSize, the->parserTableModulo);
	parser.firstJump = &jump;
	if (c_setjmp(jump.jmp_buf) == 0) {
		fxParserTree(&parser, stream, getter, flags, NULL);
		fxParserHoist(&parser);
		fxParserBind(&parser);
		script = fxParserCode(&parser);
	}
	fxTerminateParser(&parser);
	return script;
}

/* What Mbed TLS and the driver have allocated (docs/tls.md). */

#ifdef COUNT_MEMORY
#include <pthread.h>
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static long held, most;

static void counted(long bytes)
{
	pthread_mutex_lock(&counting);
	held += bytes;
	most = held > most ? held : most;
	pthread_mutex_unlock(&counting);
}

void* __wrap_calloc(size_t count, size_t size)
{
	void* address = __real_calloc(count, size);
	if (address)
		counted((long)malloc_usable_size(address));
	return address;
}

void __wrap_free(void* address)
{
	if (address)
		counted(-(long)malloc_usable_size(address));
	__real_free(address);
}

static void memoryHeld(txMachine* the) { fxInteger(the, mxResult, (txInteger)held); }
static void memoryMost(txMachine* the)
{
	fxInteger(the, mxResult, (txInteger)most);
	most = held;
}
#else
static void memoryHeld(txMachine* the) { fxInteger(the, mxResult, -1); }
static void memoryMost(txMachine* the) { fxInteger(the, mxResult, -1); }
#endif

/* Names below localhost are this computer (RFC 6761 6.3); not every resolver knows. Tests need names of several labels. */

#ifdef WRAP_WORLD
#include <netdb.h>
extern int __real_getaddrinfo(const char* name, const char* service, const struct addrinfo* hints, struct addrinfo** found);
extern int __wrap_getaddrinfo(const char* name, const char* service, const struct addrinfo* hints, struct addrinfo** found);

int __wrap_getaddrinfo(const char* name, const char* service, const struct addrinfo* hints, struct addrinfo** found)
{
	static const char end[] = ".localhost";
	size_t length = name ? strlen(name) : 0, of = sizeof end - 1;
	return __real_getaddrinfo(length > of && !strcmp(name + length - of, end) ? "localhost" : name, service, hints, found);
}

/* skip(ms): the driver's clock goes on by so much, so that what lasts for hours can be seen to end. */
static volatile int64_t skippedMs;
extern int64_t __real_tlsPortNowMs(void);
extern int64_t __wrap_tlsPortNowMs(void);
int64_t __wrap_tlsPortNowMs(void) { return __real_tlsPortNowMs() + skippedMs; }
static void skip(txMachine* the) { skippedMs += (int64_t)fxToNumber(the, mxArgv(0)); }
#else
static void skip(txMachine* the) { (void)the; }
#endif

/* What scripts see */

static const char* argument = "";
static void getArgument(txMachine* the) { fxString(the, mxResult, (txString)argument); }
static void now(txMachine* the) { fxNumber(the, mxResult, (txNumber)tlsPortNowMs()); }
static void collect(txMachine* the) { fxCollectGarbage(the); }

static void say(txMachine* the)
{
	static char text[1 << 16];
	fxToStringBuffer(the, mxArgv(0), text, sizeof text);
	printf("%s\n", text);
	fflush(stdout);
}

static void rest(txMachine* the)
{
	struct timespec time = { 0, (long)fxToInteger(the, mxArgv(0)) * 1000000L };
	nanosleep(&time, NULL);
}

static void newHost(txMachine* the)
{
	fxNewHostObject(the, xs_tls_destructor);
	mxPullSlot(mxResult);
}

static void native(txMachine* the)
{
	char name[60];
	fxToStringBuffer(the, mxArgv(0), name, sizeof name);
	for (size_t index = 0; index < sizeof natives / sizeof *natives; index++)
		if (!strcmp(natives[index].name, name)) {
			fxNewHostFunction(the, natives[index].callback, 0, XS_NO_ID, XS_NO_ID);
			mxPullSlot(mxResult);
			return;
		}
	mxReferenceError("no native function %s", name);
}

static const struct { const char* name; txCallback callback; } globals[] = {
	{ "print", say }, { "newHost", newHost }, { "native", native }, { "argument", getArgument }, { "now", now },
	{ "sleep", rest }, { "collect", collect }, { "memoryHeld", memoryHeld }, { "memoryMost", memoryMost },
	{ "skip", skip },
};

static int run(txMachine* the, const char* path)
{
	volatile int result = 0;
	FILE* file = fopen(path, "rb");
	if (!file) {
		fprintf(stderr, "%s: no such file\n", path);
		return 1;
	}
	fxBeginHost(the);
	mxTry(the) {
		txScript* script = fxParseScript(the, file, (txGetter)(void*)fgetc, mxProgramFlag | mxDebugFlag);
		fxRunScript(the, script, mxRealmGlobal(mxProgram.value.reference->next->value.module.realm), NULL,
			mxRealmClosures(mxProgram.value.reference->next->value.module.realm)->value.reference, NULL, mxProgram.value.reference);
		mxPop();
	}
	mxCatch(the) {
		char text[400];
		mxPush(mxException);
		fxToStringBuffer(the, the->stack, text, sizeof text);
		mxPop();
		fprintf(stderr, "%s: %s\n", path, text);
		result = 1;
	}
	fxEndHost(the);
	fclose(file);
	return result;
}

int main(int argc, char** argv)
{
	txCreation creation = { 1 << 20, 1 << 16, 1 << 14, 1 << 12, 4096, 2048, 0, 127, 127, 32 * 1024, 127, 0 };
	int failed;
	creation.initialChunkSize = 1 << 20;
	creation.incrementalChunkSize = 1 << 18;
	creation.initialHeapCount = 1 << 15;
	creation.incrementalHeapCount = 1 << 13;
	creation.stackCount = 4096;
	creation.initialKeyCount = 4096;
	creation.incrementalKeyCount = 1024;
	creation.nameModulo = 1993;
	creation.symbolModulo = 127;
	creation.parserBufferSize = 64 * 1024;
	creation.parserTableModulo = 1993;
	if (argc != 3) {
		fprintf(stderr, "xs-tls FILE ARGUMENT\n");
		return 1;
	}
	argument = argv[2];
	txMachine* the = fxCreateMachine(&creation, "xs-tls", NULL, XS_NO_ID);
	fxBeginHost(the);
	for (size_t index = 0; index < sizeof globals / sizeof *globals; index++) {
		mxPush(mxGlobal);
		fxNewHostFunction(the, globals[index].callback, 1, XS_NO_ID, XS_NO_ID);
		txSlot* function = the->stack;
		mxPushSlot(function);
		mxPushSlot(function + 1);
		mxSetID(fxNewNameC(the, (txString)globals[index].name));
		mxPop();
		mxPop();
		mxPop();
	}
	fxEndHost(the);
	failed = run(the, argv[1]);
	fxDeleteMachine(the);
	return failed;
}
