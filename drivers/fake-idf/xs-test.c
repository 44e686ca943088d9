/*
 * Runs test scripts in XS with the native functions of the drivers and the fake of the IDF: the real glue, as the SDK
 * calls it. `driver-test FILE.js…` runs each file in one machine and ends with 0, or tells the exception and ends with 1.
 * XS 13.3 of the npm package lacks the SDK's Native and native; here they are functions that find the C code by name
 * (Native is made of newHost by the test).
 */
#include "xsAll.h"
#include "xsScript.h"
#undef __XSALL__
#include "fake-idf.h"

#include <time.h>

extern void xs_rs485_destructor(void*);
extern void xs_spi_peripheral_destructor(void*);
extern void xs_ucm_flash_destructor(void*);
#define NATIVES(each) \
	each(rs485) each(rs485_close) each(rs485_now) each(rs485_read) each(rs485_write) each(rs485_configure) each(rs485_counter) \
	each(spi_peripheral) each(spi_peripheral_close) each(spi_peripheral_now) each(spi_peripheral_attention) \
	each(spi_peripheral_load) each(spi_peripheral_read) \
	each(ucm_flash) each(ucm_flash_close) each(ucm_flash_read) each(ucm_flash_program) each(ucm_flash_erase) \
	each(ucm_random) each(ucm_now) each(ucm_asked) each(ucm_restart) each(ucm_reason) each(ucm_feed) each(ucm_free_bytes) \
	each(ucm_confirm) each(ucm_ws2812_open) each(ucm_ws2812_set) \
	each(ucm_web_listen) each(ucm_web_accept) each(ucm_web_address) each(ucm_web_read) each(ucm_web_write) each(ucm_web_close)
#define DECLARE(name) extern void xs_##name(txMachine* the);
NATIVES(DECLARE)
#define ENTRY(name) { "xs_" #name, xs_##name },
static const struct { const char* name; txCallback callback; } natives[] = { NATIVES(ENTRY) };

/* Platform */

void* fxAllocateChunks(txMachine* the, txSize size) { (void)the; return calloc(1, (size_t)size); }
void fxFreeChunks(txMachine* the, void* chunks) { (void)the; free(chunks); }
txSlot* fxAllocateSlots(txMachine* the, txSize count) { (void)the; return calloc((size_t)count, sizeof(txSlot)); }
void fxFreeSlots(txMachine* the, void* slots) { (void)the; free(slots); }
void fxCreateMachinePlatform(txMachine* the) { (void)the; }
void fxDeleteMachinePlatform(txMachine* the) { (void)the; }
void fxQueuePromiseJobs(txMachine* the) { (void)the; }
char* fxCStackLimit(void) { return NULL; }
txID fxFindModule(txMachine* the, txSlot* realm, txID id, txSlot* slot) { (void)the; (void)realm; (void)id; (void)slot; return XS_NO_ID; }
void fxLoadModule(txMachine* the, txSlot* module, txID id) { (void)the; (void)module; (void)id; }
void* ucmMalloc(size_t size) { return malloc(size); }
void* ucmCalloc(size_t count, size_t size) { return calloc(count, size); }
void* ucmRealloc(void* address, size_t size) { return realloc(address, size); }
void ucmFree(void* address) { free(address); }

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

/* What scripts see */

static void destroy(void* data)
{
	/* One of them knows it. */
	xs_rs485_destructor(data);
	xs_spi_peripheral_destructor(data);
	xs_ucm_flash_destructor(data);
}

static void say(txMachine* the)
{
	char text[300];
	fxToStringBuffer(the, mxArgv(0), text, sizeof text);
	printf("%s\n", text);
	fflush(stdout);
}

/* Of the computer, for drivers whose other side is real. */
static void rest(txMachine* the)
{
	struct timespec time = { 0, (long)fxToInteger(the, mxArgv(0)) * 1000000L };
	nanosleep(&time, NULL);
}

static void realNow(txMachine* the)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	fxNumber(the, mxResult, (txNumber)time.tv_sec * 1000 + (txNumber)(time.tv_nsec / 1000000));
}

/* What an instance of a native class is: an object that carries what C keeps. */
static void newHost(txMachine* the)
{
	fxNewHostObject(the, destroy);
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

static txInteger number(txMachine* the, int index) { return mxArgc > index ? fxToInteger(the, mxArgv(index)) : 0; }

static size_t bytesOf(txMachine* the, int index, uint8_t* bytes, size_t size)
{
	size_t count = 0;
	mxPushSlot(mxArgv(index));
	mxGetID(mxID(_length));
	count = (size_t)fxToInteger(the, the->stack);
	mxPop();
	if (count > size)
		mxRangeError("too many bytes");
	for (size_t at = 0; at < count; at++) {
		mxPushSlot(mxArgv(index));
		mxGetIndex((txIndex)at);
		bytes[at] = (uint8_t)fxToInteger(the, the->stack);
		mxPop();
	}
	return count;
}

static void setHex(txMachine* the, const uint8_t* bytes, size_t count)
{
	char text[4097] = "";
	for (size_t at = 0; at < count && at < 2048; at++)
		sprintf(text + 2 * at, "%02x", bytes[at]);
	fxString(the, mxResult, text);
}

static uint8_t buffer[2048];
static void reset(txMachine* the) { (void)the; fakeReset(); }
static void advance(txMachine* the) { fakeAdvance((int64_t)(fxToNumber(the, mxArgv(0)) * 1000)); }
static void receive(txMachine* the) { fakeReceive(buffer, bytesOf(the, 0, buffer, sizeof buffer)); }
static void maskUart(txMachine* the) { fakeMaskUart((int64_t)(fxToNumber(the, mxArgv(0)) * 1000)); }
static void sentAt(txMachine* the) { fxNumber(the, mxResult, (txNumber)fakeSentUs / 1000); }
static void sent(txMachine* the) { setHex(the, buffer, fakeSent(buffer, sizeof buffer)); }
static void watchDrive(txMachine* the) { fakeDrivePin = number(the, 0); fakeDriveLevel = number(the, 1); }
static void undriven(txMachine* the) { fxInteger(the, mxResult, fakeUndriven); }
static void level(txMachine* the) { fxInteger(the, mxResult, gpio_get_level(number(the, 0))); }
static void rate(txMachine* the) { fxInteger(the, mxResult, (txInteger)fakeRate); }
static void held(txMachine* the) { fxInteger(the, mxResult, fakeHeld()); }
static void pin(txMachine* the) { fakePin(number(the, 0), number(the, 1)); }
static void trouble(txMachine* the) { fakeUartTrouble((uint32_t)number(the, 0)); }
static void stuckBit(txMachine* the) { fakeStuckBit = number(the, 0); }
static void lampAt(txMachine* the) { fxInteger(the, mxResult, fakeLamp(number(the, 0))); }
static void rmtHeld(txMachine* the) { fxInteger(the, mxResult, fakeRmtHeld()); }
static void startedBy(txMachine* the) { fakeReason = (esp_reset_reason_t)number(the, 0); }
static void bitten(txMachine* the) { fxBoolean(the, mxResult, fakeBitten()); }
static void collect(txMachine* the) { fxCollectGarbage(the); }

static void failNext(txMachine* the)
{
	char name[40];
	fxToStringBuffer(the, mxArgv(0), name, sizeof name);
	fakeFail(name);
}

static void clockBytes(txMachine* the)
{
	uint8_t out[2048];
	size_t count = bytesOf(the, 0, buffer, sizeof buffer);
	setHex(the, out, fakeClock(buffer, out, count));
}

static const struct { const char* name; txCallback callback; } globals[] = {
	{ "print", say }, { "sleep", rest }, { "realNow", realNow }, { "newHost", newHost }, { "native", native }, { "reset", reset }, { "advance", advance },
	{ "receive", receive }, { "maskUart", maskUart }, { "sent", sent }, { "sentAt", sentAt }, { "watchDrive", watchDrive }, { "undriven", undriven },
	{ "level", level }, { "rate", rate }, { "held", held }, { "pin", pin }, { "trouble", trouble }, { "collect", collect },
	{ "lampAt", lampAt }, { "rmtHeld", rmtHeld }, { "startedBy", startedBy }, { "bitten", bitten }, { "stuckBit", stuckBit }, { "failNext", failNext }, { "clock", clockBytes },
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
	txMachine* the = fxCreateMachine(&creation, "driver-test", NULL, XS_NO_ID);
	int failed = 0;
	fakeReset();
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
	for (int index = 1; index < argc && !failed; index++)
		failed = run(the, argv[index]);
	fxDeleteMachine(the);
	if (!failed && fakeHeld()) {
		fprintf(stderr, "the machine has ended and a driver still holds something\n");
		failed = 1;
	}
	return failed;
}
