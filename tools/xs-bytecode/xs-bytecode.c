/*
 * xs-bytecode: compiles ES modules to XS byte code, one .xsb per module.
 *
 * The compiler is the one of the engine itself, taken from the XS sources that the npm package @agoric/xsnap carries
 * (XS 13.3). The device build uses the SDK's own xsc/xsl (a newer XS): byte code of the two is not interchangeable,
 * sizes are close enough to compare.
 *
 * usage: xs-bytecode [-b BASE] -o DIR FILE.js ...
 * A module's name is its path below BASE. Prints one line per module: name, bytes of code, bytes of names, bytes of the file.
 * Exit: 0 done, 1 a module does not compile or a file cannot be written, 2 usage.
 */
#include "xsScript.h"

#include <errno.h>
#include <sys/stat.h>

/* What the parser asks of its host. It has no machine here: console is NULL. */

txID fxGenerateProfileID(void* console) { (void)console; return 0; }

void fxGenerateTag(void* console, txString buffer, txInteger size, txString path)
{
	(void)console;
	snprintf(buffer, (size_t)size, "#0@%s", path ? path : "");
}

void fxVReport(void* console, txString format, c_va_list arguments)
{
	(void)console;
	vfprintf(stderr, format, arguments);
}

static void reportAt(txString kind, txString path, txInteger line, txString format, c_va_list arguments)
{
	fprintf(stderr, "%s:%d: %s: ", path ? path : "?", (int)line, kind);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

void fxVReportError(void* console, txString path, txInteger line, txString format, c_va_list arguments)
{
	(void)console;
	reportAt("error", path, line, format, arguments);
}

void fxVReportWarning(void* console, txString path, txInteger line, txString format, c_va_list arguments)
{
	(void)console;
	reportAt("warning", path, line, format, arguments);
}

/* Source text -> script, or NULL after the errors have been printed. */
static txScript* compile(txString path)
{
	txParser parserData, *parser = &parserData;
	txParserJump jump;
	txScript* volatile script = NULL;
	FILE* file = fopen(path, "r");
	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return NULL;
	}
	fxInitializeParser(parser, NULL, 64 * 1024, 1993);
	parser->firstJump = &jump;
	if (setjmp(jump.jmp_buf) == 0) {
		parser->path = fxNewParserSymbol(parser, path);
		fxParserTree(parser, file, (txGetter)fgetc, 0, NULL);
		if (!parser->errorCount)
			fxParserHoist(parser);
		if (!parser->errorCount)
			fxParserBind(parser);
		if (!parser->errorCount)
			script = fxParserCode(parser);
	}
	fclose(file);
	if (parser->errorCount && script) {
		fxDeleteScript(script);
		script = NULL;
	}
	fxTerminateParser(parser);
	return script;
}

static void put32(FILE* file, unsigned long value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		fputc((int)(value >> shift) & 0xFF, file);
}

static void putAtom(FILE* file, unsigned long type, const void* data, size_t size)
{
	put32(file, (unsigned long)(8 + size));
	put32(file, type);
	fwrite(data, 1, size, file);
}

/* Writes XS_B { VERS, SYMB, CODE }, the layout of the SDK's own files. Returns the size, 0 on error. */
static size_t writeScript(txScript* script, const char* path)
{
	static const txU1 version[4] = { XS_MAJOR_VERSION, XS_MINOR_VERSION, XS_PATCH_VERSION, 0 };
	size_t size = 8 + (8 + sizeof version) + (8 + (size_t)script->symbolsSize) + (8 + (size_t)script->codeSize);
	FILE* file = fopen(path, "wb");
	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 0;
	}
	put32(file, (unsigned long)size);
	put32(file, XS_ATOM_BINARY);
	putAtom(file, XS_ATOM_VERSION, version, sizeof version);
	putAtom(file, XS_ATOM_SYMBOLS, script->symbolsBuffer, (size_t)script->symbolsSize);
	putAtom(file, XS_ATOM_CODE, script->codeBuffer, (size_t)script->codeSize);
	int failed = ferror(file);
	if (fclose(file) != 0 || failed) {
		fprintf(stderr, "%s: cannot write\n", path);
		return 0;
	}
	return size;
}

static void makeFolders(char* path)
{
	for (char* slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(path, 0777);
		*slash = '/';
	}
}

static int compileTo(const char* base, const char* directory, char* source)
{
	char target[4096];
	size_t baseLength = strlen(base);
	const char* name = source;
	if (baseLength && !strncmp(source, base, baseLength) && source[baseLength] == '/')
		name = source + baseLength + 1;
	size_t nameLength = strlen(name);
	if (nameLength > 3 && !strcmp(name + nameLength - 3, ".js"))
		nameLength -= 3;
	if (snprintf(target, sizeof target, "%s/%.*s.xsb", directory, (int)nameLength, name) >= (int)sizeof target) {
		fprintf(stderr, "%s: path too long\n", source);
		return 1;
	}
	makeFolders(target);
	txScript* script = compile(source);
	if (!script)
		return 1;
	size_t size = writeScript(script, target);
	if (size)
		printf("%s %d %d %zu\n", name, (int)script->codeSize, (int)script->symbolsSize, size);
	fxDeleteScript(script);
	return size ? 0 : 1;
}

int main(int argc, char* argv[])
{
	const char* base = "";
	const char* directory = NULL;
	int index = 1, failures = 0;
	for (; index + 1 < argc && argv[index][0] == '-'; index += 2) {
		if (!strcmp(argv[index], "-b"))
			base = argv[index + 1];
		else if (!strcmp(argv[index], "-o"))
			directory = argv[index + 1];
		else
			break;
	}
	if (!directory || index >= argc || argv[index][0] == '-') {
		fprintf(stderr, "usage: xs-bytecode [-b BASE] -o DIR FILE.js ...\n");
		return 2;
	}
	for (; index < argc; index++)
		failures += compileTo(base, directory, argv[index]);
	return failures ? 1 : 0;
}
