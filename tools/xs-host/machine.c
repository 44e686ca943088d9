#include "machine.h"

/* XS declares it in its own C file only. */
extern void fxRemapIDs(txMachine* the, txByte* code, txSize size, txID* ids);

/*
 * The ESP32 default of the SDK (target nodemcu), 78,848 B + 4,928 slots, with a stack of 768 slots for its 512: 170 KB. The
 * firmware's deepest call, a frame that ends one command and so starts the next, takes 604.
 */
const ucmCreation ucmDefaultCreation = { 78848, 4928, 768, 32, 32, 53 };

/* One module of the archive: XS_B { VERS, SYMB, CODE } under a PATH. */
typedef struct {
	txString path;
	txS1* code;
	txSize codeSize;
	txByte* symbols;
} ucmModule;

static struct {
	ucmModule* modules;
	int count;
	txString entry;
	ucmCreation creation; /* the archive's own; slotCount 0: it has none */
	int romPhase;
	/* ROM figures, taken when it is shared */
	txSize romSlots, romChunks;
	txID romKeys;
	int unfrozen;
} gx;

/* Remembered as roots: the entry's functions, and the buffer of `receive`. */
static txSlot gxStep, gxReceive, gxBytes;

/* Memory */

void* ucmMalloc(size_t size)
{
	return gx.romPhase ? ucmRomAllocate(size) : malloc(size);
}

void* ucmCalloc(size_t count, size_t size)
{
	return gx.romPhase ? ucmRomAllocate(count * size) : calloc(count, size);
}

void* ucmRealloc(void* address, size_t size)
{
	if (!gx.romPhase)
		return realloc(address, size);
	/* Only the table of names grows while ROM is built, and it is made large enough not to. */
	ucmFault(NULL, ucmFaultRom, "rom", "a table of ROM is too small");
}

void ucmFree(void* address)
{
	if (!ucmInRom(address))
		free(address);
}

void* fxAllocateChunks(txMachine* the, txSize size)
{
	(void)the;
	return gx.romPhase ? ucmRomAllocate((size_t)size) : ucmRamAllocate((size_t)size);
}

void fxFreeChunks(txMachine* the, void* chunks) { (void)the; (void)chunks; }

txSlot* fxAllocateSlots(txMachine* the, txSize count)
{
	return fxAllocateChunks(the, count * (txSize)sizeof(txSlot));
}

void fxFreeSlots(txMachine* the, void* slots) { (void)the; (void)slots; }

/* The rest of the platform */

void fxCreateMachinePlatform(txMachine* the) { the->promiseJobs = 0; }
void fxDeleteMachinePlatform(txMachine* the) { (void)the; }
void fxQueuePromiseJobs(txMachine* the) { the->promiseJobs = 1; }
char* fxCStackLimit(void) { return ucmCStackLimit(); }

/* There is no parser on the chip: eval and Function fail. */
txScript* fxParseScript(txMachine* the, void* stream, txGetter getter, txUnsigned flags)
{
	(void)the; (void)stream; (void)getter; (void)flags;
	return NULL;
}

static void pushStringC(txMachine* the, const char* text)
{
	mxPushStringX((txString)text);
}

void fxAbort(txMachine* the, int status)
{
	static const char* const codes[] = {
		"debugger", "memory-full", "stack-overflow", "fatal-check", "dead-strip", "exception", "keys-full",
		"too-much-computation", "unhandled-rejection",
	};
	const char* code = (status >= 0 && status < (int)(sizeof codes / sizeof *codes)) ? codes[status] : "unknown";
	char message[160] = "";
	if (status == XS_UNHANDLED_EXCEPTION_EXIT || status == XS_UNHANDLED_REJECTION_EXIT) {
		mxTry(the) {
			fxToStringBuffer(the, &mxException, message, sizeof message);
		}
		mxCatch(the) {
			strcpy(message, "(not printable)");
		}
	}
	ucmFault(the, ucmFaultBase + status, code, message);
}

/*
 * Archive: XS_A { SIZE where the application needs a machine of its own size, NAME entry, then per module PATH and XS_B },
 * big-endian numbers, made by archive.mjs.
 */
#define ATOM_SIZE 0x53495a45 /* SIZE */

static txU4 read32(const txByte* p)
{
	const txU1* q = (const txU1*)p;
	return ((txU4)q[0] << 24) | ((txU4)q[1] << 16) | ((txU4)q[2] << 8) | q[3];
}

static const txByte* atomEnd(const txByte* p, const txByte* limit, txU4 type)
{
	txU4 size = (limit - p >= 8) ? read32(p) : 0;
	if (size < 8 || size > (txU4)(limit - p) || read32(p + 4) != type)
		ucmFault(NULL, ucmFaultArchive, "archive", "not an archive of this engine's byte code");
	return p + size;
}

static void readModule(ucmModule* module, txByte* p, const txByte* limit)
{
	const txByte* end = atomEnd(p, limit, XS_ATOM_BINARY);
	txByte* version = p + 8;
	txByte* symbols = (txByte*)atomEnd(version, end, XS_ATOM_VERSION);
	txByte* code = (txByte*)atomEnd(symbols, end, XS_ATOM_SYMBOLS);
	atomEnd(code, end, XS_ATOM_CODE);
	if (version[8] != XS_MAJOR_VERSION || version[9] != XS_MINOR_VERSION)
		ucmFault(NULL, ucmFaultArchive, "archive", "byte code of another XS version");
	module->symbols = symbols + 8;
	module->code = (txS1*)code + 8;
	module->codeSize = (txSize)read32(code) - 8;
}

static void readArchive(txByte* archive, size_t size)
{
	const txByte* limit = atomEnd(archive, archive + size, XS_ATOM_ARCHIVE);
	txByte* name = archive + 8;
	if (limit - name >= 20 && read32(name + 4) == ATOM_SIZE) {
		gx.creation = ucmDefaultCreation;
		gx.creation.chunkBytes = (long)read32(name + 8);
		gx.creation.slotCount = (long)read32(name + 12);
		gx.creation.stackCount = (long)read32(name + 16);
		name = (txByte*)atomEnd(name, limit, ATOM_SIZE);
	}
	txByte* first = (txByte*)atomEnd(name, limit, XS_ATOM_NAME);
	gx.entry = (txString)name + 8;
	for (int pass = 0; pass < 2; pass++) {
		if (pass)
			gx.modules = ucmRomAllocate((size_t)gx.count * sizeof(ucmModule));
		gx.count = 0;
		for (txByte* p = first; p < limit; gx.count++) {
			txByte* binary = (txByte*)atomEnd(p, limit, XS_ATOM_PATH);
			if (pass) {
				gx.modules[gx.count].path = (txString)p + 8;
				readModule(&gx.modules[gx.count], binary, limit);
			}
			p = (txByte*)atomEnd(binary, limit, XS_ATOM_BINARY);
		}
	}
}

/* Gives every name of a module its number in ROM, so that loading it adds none (the SDK's linker does so). */
static void linkModule(txMachine* the, ucmModule* module, txID* ids)
{
	txByte* p = module->symbols;
	txID count, id;
	mxDecodeID(p, count);
	for (id = 1, ids[0] = XS_NO_ID; id < count; id++) {
		ids[id] = fxNewNameC(the, (txString)p);
		p += strlen((char*)p) + 1;
	}
	fxRemapIDs(the, (txByte*)module->code, module->codeSize, ids);
	fxNewNameC(the, module->path);
}

static void linkModules(txMachine* the)
{
	txID* ids = ucmRomAllocate(0x10000 * sizeof(txID));
	for (ucmModule* module = gx.modules; module < gx.modules + gx.count; module++)
		linkModule(the, module, ids);
}

static ucmModule* findModule(const char* path)
{
	for (int index = 0; index < gx.count; index++)
		if (!strcmp(gx.modules[index].path, path))
			return &gx.modules[index];
	return NULL;
}

/* "./x.js" and "../y/z.js" against the importer's path; anything else is a name as it stands. */
txID fxFindModule(txMachine* the, txSlot* realm, txID moduleID, txSlot* slot)
{
	char name[C_PATH_MAX], path[C_PATH_MAX] = "";
	char* from = name;
	(void)realm;
	fxToStringBuffer(the, slot, name, sizeof name);
	if (name[0] == '.' && moduleID != XS_NO_ID) {
		snprintf(path, sizeof path, "%s", fxGetKeyName(the, moduleID));
		char* slash = strrchr(path, '/');
		*(slash ? slash : path) = 0;
		for (;;) {
			if (!strncmp(from, "./", 2))
				from += 2;
			else if (!strncmp(from, "../", 3)) {
				from += 3;
				slash = strrchr(path, '/');
				*(slash ? slash : path) = 0;
			}
			else
				break;
		}
	}
	size_t length = strlen(path);
	if (snprintf(path + length, sizeof path - length, "%s%s", length ? "/" : "", from) >= (int)(sizeof path - length))
		return XS_NO_ID;
	ucmModule* module = findModule(path);
	return module ? fxNewNameC(the, module->path) : XS_NO_ID;
}

void fxLoadModule(txMachine* the, txSlot* module, txID moduleID)
{
	ucmModule* found = findModule(fxGetKeyName(the, moduleID));
	if (found) {
		txScript script = { 0 };
		script.codeBuffer = found->code;
		script.codeSize = found->codeSize;
		script.path = found->path;
		fxResolveModule(the, module, moduleID, &script, NULL, NULL);
	}
}

/* Leaves the module's namespace on the stack. */
static void importModule(txMachine* the, txString path)
{
	pushStringC(the, path);
	fxAwaitImport(the, XS_IMPORT_NAMESPACE);
}

static void drainJobs(txMachine* the)
{
	while (the->promiseJobs) {
		the->promiseJobs = 0;
		fxRunPromiseJobs(the);
	}
}

/* ROM: freezing and sharing. What is not frozen costs the clone 4 bytes of RAM each, and a copy when it is changed. */

static void freezeInstance(txSlot* instance)
{
	for (txSlot* property = instance->next; property; property = property->next) {
		if (property->kind != XS_ACCESSOR_KIND)
			property->flag |= XS_DONT_SET_FLAG;
		property->flag |= XS_DONT_DELETE_FLAG;
	}
	instance->flag |= XS_DONT_PATCH_FLAG;
}

static int isFunctionKind(txKind kind)
{
	return kind == XS_CALLBACK_KIND || kind == XS_CALLBACK_X_KIND || kind == XS_CODE_KIND || kind == XS_CODE_X_KIND;
}

static void freezeFunction(txSlot* instance)
{
	freezeInstance(instance);
	if (instance->flag & XS_CAN_CONSTRUCT_FLAG)
		for (txSlot* property = instance->next; property; property = property->next)
			if (property->ID == mxID(_prototype) && property->kind == XS_REFERENCE_KIND)
				freezeInstance(property->value.reference);
}

/* Freezes what the SDK's linker freezes when it strips, and stops at what it refuses to put into ROM. */
static void freezeSlot(txMachine* the, txSlot* slot)
{
	txSlot* inner = slot->next;
	if (slot->kind == XS_CLOSURE_KIND) {
		txSlot* closure = slot->value.closure;
		if (closure && closure->kind == XS_REFERENCE_KIND && closure->value.reference->next &&
			isFunctionKind(closure->value.reference->next->kind))
			closure->flag |= XS_DONT_SET_FLAG;
	}
	if (slot->kind != XS_INSTANCE_KIND || !inner || !(inner->flag & XS_INTERNAL_FLAG))
		return;
	if (inner->ID == XS_ENVIRONMENT_BEHAVIOR)
		freezeInstance(slot);
	else if (isFunctionKind(inner->kind))
		freezeFunction(slot);
	else
		switch (inner->kind) {
		case XS_REGEXP_KIND: {
			char message[160];
			snprintf(message, sizeof message, "a preloaded module keeps a RegExp: make it inside a function: /%s/", inner->next->value.key.string);
			ucmFault(the, ucmFaultRom, "rom", message);
		}
		case XS_STACK_KIND:
			ucmFault(the, ucmFaultRom, "rom", "a preloaded module keeps a generator: make it inside a function");
		case XS_ARRAY_BUFFER_KIND:
		case XS_DATA_VIEW_KIND:
		case XS_MAP_KIND:
		case XS_PROMISE_KIND:
		case XS_PROXY_KIND:
		case XS_SET_KIND:
		case XS_TYPED_ARRAY_KIND:
		case XS_WEAK_MAP_KIND:
		case XS_WEAK_REF_KIND:
		case XS_WEAK_SET_KIND:
			freezeInstance(slot);
			break;
		default:
			break;
		}
}

static void eachSlot(txMachine* the, void (*visit)(txMachine*, txSlot*))
{
	for (txSlot* heap = the->firstHeap; heap; heap = heap->next)
		for (txSlot* slot = heap + 1; slot < heap->value.reference; slot++)
			visit(the, slot);
}

/* ROM is never collected: values must say that they do not lie in the clone's chunks. */
static void settleSlot(txMachine* the, txSlot* slot)
{
	switch (slot->kind) {
	case XS_STRING_KIND: slot->kind = XS_STRING_X_KIND; break;
	case XS_BIGINT_KIND: slot->kind = XS_BIGINT_X_KIND; break;
	case XS_KEY_KIND: slot->kind = XS_KEY_X_KIND; break;
	case XS_CODE_KIND: slot->kind = XS_CODE_X_KIND; break;
	case XS_INSTANCE_KIND: gx.unfrozen += slot->ID != XS_NO_ID; break;
	case XS_ARRAY_KIND: {
		txSlot* item = slot->value.array.address;
		txIndex length = item ? (txIndex)fxGetIndexSize(the, slot) : 0;
		for (; length; length--, item++)
			settleSlot(the, item);
	} break;
	default: break;
	}
}

static void freezeBuiltIns(txMachine* the)
{
	for (txSlot* slot = the->stackTop - 1 - mxEmptyCodeStackIndex; slot > the->stack; slot--)
		if (slot->kind == XS_REFERENCE_KIND)
			freezeInstance(slot->value.reference);
}

/* The linker's global object is an ordinary one; this engine's has a cache in front that a look-up writes to. */
static void plainGlobal(txMachine* the)
{
	txSlot* instance = mxGlobal.value.reference;
	if (instance->next->kind == XS_GLOBAL_KIND) {
		instance->flag &= ~XS_EXOTIC_FLAG;
		instance->next = instance->next->next;
	}
}

/* Apart, because setjmp and inlining do not go together. */
static __attribute__((noinline)) void fillRom(txMachine* the, void* archive, size_t size, enum ucmPreload preload)
{
	readArchive(archive, size);
	if (!findModule(gx.entry))
		ucmFault(the, ucmFaultEntry, "entry", "the entry module is not in the archive");
	linkModules(the);
	for (int index = 0; index < gx.count && preload != ucmPreloadNone; index++)
		if (preload == ucmPreloadAll || strcmp(gx.modules[index].path, gx.entry)) {
			importModule(the, gx.modules[index].path);
			mxPop();
		}
	drainJobs(the);
}

txMachine* ucmBuildRom(void* archive, size_t size, enum ucmPreload preload, const ucmCreation* creation_)
{
	txCreation creation = {
		.initialChunkSize = 1024 * 1024,
		.incrementalChunkSize = 256 * 1024,
		.initialHeapCount = 64 * 1024,
		.incrementalHeapCount = 16 * 1024,
		.stackCount = 4096,
		.initialKeyCount = 16 * 1024,
		.incrementalKeyCount = 1024,
		.nameModulo = (txSize)creation_->nameModulo,
		.symbolModulo = 3,
		.parserBufferSize = 1024,
		.parserTableModulo = 127,
	};
	fxInitializeSharedCluster(); /* RAM: both machines count in it */
	gx.romPhase = 1;
	txMachine* root = fxCreateMachine(&creation, "rom", NULL, XS_NO_ID);
	if (!root)
		ucmFault(NULL, ucmFaultRom, "rom", "the machine of ROM cannot be made");
	txMachine* the = fxBeginHost(root);
	mxTry(the) {
		fillRom(the, archive, size, preload);
	}
	mxCatch(the) {
		fxAbort(the, XS_UNHANDLED_EXCEPTION_EXIT);
	}
	fxEndHost(the);
	plainGlobal(root);
	fxCollectGarbage(root);
	eachSlot(root, freezeSlot);
	freezeBuiltIns(root);
	fxShareMachine(root);
	gx.romSlots = root->currentHeapCount;
	gx.romChunks = root->currentChunksSize;
	gx.romKeys = root->keyIndex;
	eachSlot(root, settleSlot);
	gx.romPhase = 0;
	return root;
}

/* Takes the top of the stack. */
static void remember(txMachine* the, txSlot* root)
{
	root->kind = the->stack->kind;
	root->value = the->stack->value;
	fxRemember(the, root);
	mxPop();
}

/* An export of the namespace on top of the stack, which stays there. */
static int rememberFunction(txMachine* the, const char* name, txSlot* root)
{
	txID id = fxFindName(the, (txString)name);
	if (id == XS_NO_ID)
		return 0;
	mxDub();
	mxGetID(id);
	if (mxIsReference(the->stack) && mxIsFunction(the->stack->value.reference))
		remember(the, root);
	else
		mxPop();
	return root->kind == XS_REFERENCE_KIND;
}

txMachine* ucmStart(txMachine* rom, const ucmCreation* size)
{
	if (gx.creation.slotCount)
		size = &gx.creation;
	txCreation creation = {
		.initialChunkSize = (txSize)size->chunkBytes,
		.initialHeapCount = (txSize)size->slotCount,
		.stackCount = (txSize)size->stackCount,
		.initialKeyCount = (txSize)size->keyCount,
		.incrementalKeyCount = (txSize)size->keyIncrement,
		.nameModulo = (txSize)size->nameModulo,
		.symbolModulo = 3,
		.parserBufferSize = 1024,
		.parserTableModulo = 127,
	};
	txMachine* clone = fxCloneMachine(&creation, rom, "ucm", NULL);
	if (!clone)
		ucmFault(NULL, ucmFaultBase + XS_NOT_ENOUGH_MEMORY_EXIT, "memory-full", "the machine cannot be made");
	txMachine* the = fxBeginHost(clone);
	mxTry(the) {
		importModule(the, gx.entry);
		if (!rememberFunction(the, "step", &gxStep))
			ucmFault(the, ucmFaultEntry, "entry", "the entry module exports no function `step`");
		if (rememberFunction(the, "receive", &gxReceive)) {
			mxPush(mxGlobal);
			mxGetID(mxID(_Uint8Array));
			mxNew();
			mxPushInteger(UCM_RECEIVE_BYTES);
			mxRunCount(1);
			remember(the, &gxBytes);
		}
		mxPop();
		drainJobs(the);
	}
	mxCatch(the) {
		fxAbort(the, XS_UNHANDLED_EXCEPTION_EXIT);
	}
	fxEndHost(the);
	return clone;
}

/* The answer is on top of the stack. */
static void finishCall(txMachine* the)
{
	ucmAnswer(fxToString(the, the->stack));
	mxPop();
	drainJobs(the);
	fxCheckUnhandledRejections(the, 1);
}

void ucmStep(txMachine* machine, char* text)
{
	txMachine* the = fxBeginHost(machine);
	mxTry(the) {
		mxPushUndefined();
		mxPushSlot(&gxStep);
		mxCall();
		pushStringC(the, text);
		mxRunCount(1);
		finishCall(the);
	}
	mxCatch(the) {
		fxAbort(the, XS_UNHANDLED_EXCEPTION_EXIT);
	}
	fxEndHost(the);
}

int ucmCanReceive(void) { return gxReceive.kind == XS_REFERENCE_KIND; }

void ucmReceive(txMachine* machine, double nowMs, double utcMs, double atMs, const void* bytes, int count)
{
	txMachine* the = fxBeginHost(machine);
	mxTry(the) {
		mxPushSlot(&gxBytes);
		mxGetID(mxID(_buffer));
		fxSetArrayBufferData(the, the->stack, 0, (void*)bytes, count);
		mxPop();
		mxPushUndefined();
		mxPushSlot(&gxReceive);
		mxCall();
		mxPushNumber(nowMs);
		if (isnan(utcMs))
			mxPushNull();
		else
			mxPushNumber(utcMs);
		mxPushNumber(atMs);
		mxPushSlot(&gxBytes);
		mxPushInteger(count);
		mxRunCount(5);
		finishCall(the);
	}
	mxCatch(the) {
		fxAbort(the, XS_UNHANDLED_EXCEPTION_EXIT);
	}
	fxEndHost(the);
}

int ucmStats(txMachine* the, char* buffer, size_t size)
{
	txSize tables = (txSize)sizeof(void*) * (the->keyCount - the->keyOffset + the->nameModulo + the->symbolModulo + the->aliasCount);
	return snprintf(buffer, size,
		"{\"slots\":{\"capacity\":%ld,\"live\":%ld,\"peak\":%ld,\"bytes\":%u},"
		"\"chunks\":{\"capacity\":%ld,\"live\":%ld,\"peak\":%ld},"
		"\"stack\":{\"capacity\":%ld,\"peak\":%ld},\"keys\":%ld,\"tables\":%ld,\"collections\":%u,"
		"\"rom\":{\"slots\":%ld,\"chunks\":%ld,\"keys\":%ld,\"unfrozen\":%d,\"aliases\":%ld}}",
		(long)the->maximumHeapCount, (long)the->currentHeapCount, (long)the->peakHeapCount, (unsigned)sizeof(txSlot),
		(long)the->maximumChunksSize, (long)the->currentChunksSize,
		(long)(the->peakChunksSize < the->maximumChunksSize ? the->peakChunksSize : the->maximumChunksSize),
		(long)(the->stackTop - the->stackBottom), (long)(the->stackTop - the->stackPeak),
		(long)(the->keyIndex - the->keyOffset), (long)tables, (unsigned)the->garbageCollectionCount,
		(long)gx.romSlots, (long)gx.romChunks, (long)gx.romKeys, gx.unfrozen, (long)the->aliasCount);
}
