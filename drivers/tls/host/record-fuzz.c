/*
 * record-fuzz CERT KEY ROOT SEED COUNT: sessions of the client against a server of the same library in memory, with what the
 * server sends changed, cut, doubled, dropped or put in between, in pieces of any size, and with memory that runs out. Two of
 * three servers are trusted. Holds: a server that is not trusted is never through; what is read is what was sent, from the
 * beginning and without a hole; each session ends with a reason and gives back what it took (the leak sanitizer looks). No
 * clock, no sockets: the same seed does the same, but for the library's own random numbers. Prints how often each reason came.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mbedtls/ssl_ticket.h"

#include "tls-session.h"

#define PIPE_BYTES (1 << 17)
#define STEPS 4000

typedef enum { asIs, flip, cut, twice, drop, between, garbage, kinds } Kind;

typedef struct {
	uint8_t bytes[PIPE_BYTES];
	size_t from, to;
	bool ended;
} Pipe;

static uint64_t state;
/* With COVERAGE (coverage-fuzz.c) what is drawn comes from the fuzzer's bytes while there are any. */
static const uint8_t* drawn;
static size_t drawnLeft;
static uint32_t roll(uint32_t below)
{
	if (drawnLeft > 0) {
		uint32_t value = *drawn++;
		if (--drawnLeft > 0 && below > 256) {
			value = value << 8 | *drawn++;
			drawnLeft--;
		}
		return value % below;
	}
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % below;
}

static Pipe up, down; /* to the server, to the client */
static Kind kind;
static size_t changeAt, sentDown;
static bool inClient;
static int failIn = -1;

extern void* __real_calloc(size_t count, size_t size);
extern void* __wrap_calloc(size_t count, size_t size);
void* __wrap_calloc(size_t count, size_t size)
{
	if (inClient && failIn >= 0 && failIn-- == 0)
		return NULL;
	return __real_calloc(count, size);
}

static void put(Pipe* pipe, const uint8_t* bytes, size_t count)
{
	if (pipe->ended || pipe->to + count > PIPE_BYTES)
		return;
	memcpy(pipe->bytes + pipe->to, bytes, count);
	pipe->to += count;
}

static size_t take(Pipe* pipe, uint8_t* bytes, size_t count)
{
	size_t most = pipe->to - pipe->from;
	most = most < count ? most : count;
	most = most > 1 && roll(3) ? 1 + roll((uint32_t)most) : most;
	memcpy(bytes, pipe->bytes + pipe->from, most);
	pipe->from += most;
	return most;
}

static int clientRead(void* context, uint8_t* bytes, size_t count)
{
	(void)context;
	if (down.from == down.to)
		return down.ended ? 0 : tlsWait;
	return roll(8) ? (int)take(&down, bytes, count) : tlsWait;
}

static int clientWrite(void* context, const uint8_t* bytes, size_t count)
{
	(void)context;
	if (!roll(8))
		return tlsWait;
	count = count > 1 && !roll(3) ? 1 + roll((uint32_t)count) : count;
	put(&up, bytes, count);
	return (int)count;
}

static int serverRead(void* context, unsigned char* bytes, size_t count)
{
	size_t got = take(&up, bytes, count);
	(void)context;
	return got ? (int)got : MBEDTLS_ERR_SSL_WANT_READ;
}

/* Records that a server may not, or need not, send: to ask for a handshake anew, warnings, a ticket, bytes, nothing. */
static void putBetween(void)
{
	static const uint8_t records[][12] = { { 22, 3, 3, 0, 4, 0, 0, 0, 0 }, { 21, 3, 3, 0, 2, 1, 100 }, { 21, 3, 3, 0, 2, 1, 0 },
		{ 22, 3, 3, 0, 4, 4, 0, 0, 0 }, { 20, 3, 3, 0, 1, 1 }, { 23, 3, 3, 0, 0 }, { 22, 3, 3, 0, 0 }, { 23, 3, 3, 0, 3, 1, 2, 3 } };
	for (uint32_t count = 1 + roll(roll(4) ? 2 : 400); count > 0; count--) {
		const uint8_t* record = records[roll(sizeof records / sizeof *records)];
		put(&down, record, 5u + record[4]);
	}
}

static int serverWrite(void* context, const unsigned char* bytes, size_t count)
{
	bool isHere = sentDown <= changeAt && changeAt < sentDown + count;
	uint8_t changed[20000];
	(void)context;
	if (count > sizeof changed)
		count = sizeof changed;
	memcpy(changed, bytes, count);
	if (isHere && kind == flip)
		for (uint32_t left = 1 + roll(4); left > 0; left--)
			changed[roll(2) ? changeAt - sentDown : roll((uint32_t)count)] ^= (uint8_t)(1 + roll(255));
	if (isHere && kind == between)
		putBetween();
	if (isHere && kind == garbage) {
		uint8_t noise[600];
		for (size_t at = 0; at < sizeof noise; at++)
			noise[at] = (uint8_t)roll(256);
		noise[0] = (uint8_t)(20 + roll(4));
		noise[1] = 3;
		put(&down, noise, 5 + roll(595));
	}
	if (!isHere || kind != drop)
		put(&down, changed, isHere && kind == cut ? changeAt - sentDown : count);
	if (isHere && kind == twice)
		put(&down, changed, count);
	if (isHere && kind == cut)
		down.ended = true;
	sentDown += count;
	return (int)count;
}

static void fail(const char* what, uint64_t seed)
{
	fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, what);
	exit(1);
}

static uint8_t* fileOf(const char* path, size_t* count)
{
	FILE* file = fopen(path, "rb");
	uint8_t* bytes = __real_calloc(1, 1 << 16);
	if (!file)
		exit(2);
	*count = fread(bytes, 1, (1 << 16) - 1, file) + 1;
	fclose(file);
	return bytes;
}

static int counts[tlsReasons + 1];
static MbedRandom serverRandom;
static mbedtls_x509_crt chain;
static mbedtls_pk_context key;
#if MBED_MAJOR < 4
static mbedtls_ssl_ticket_context tickets;
#endif

static void session(TlsCore* core, const TlsCredentials* credentials, bool isTrusted, uint64_t seed)
{
	static TlsSession client;
	mbedtls_ssl_config conf;
	mbedtls_ssl_context server;
	TlsTransport transport = { NULL, clientRead, clientWrite };
	TlsReason reason = tlsFine;
	size_t written = 0, read = 0, sent = 0;
	bool serverIsThrough = false, isThrough = false, serverIsGone = false, isReadBroken = false;
	int ended = 0;
	up = (Pipe){ .to = 0 };
	down = (Pipe){ .to = 0 };
	kind = (Kind)roll(kinds);
	changeAt = roll(4) ? roll(1500) : roll(40000);
	sentDown = 0;
	failIn = roll(3) ? -1 : (int)roll(roll(2) ? 40 : 400);
	mbedtls_ssl_config_init(&conf);
	mbedtls_ssl_init(&server);
	if (mbedtls_ssl_config_defaults(&conf, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT))
		exit(2);
	mbedUseRandom(&conf, &serverRandom);
	mbedtls_ssl_conf_own_cert(&conf, &chain, &key);
	if (roll(3) == 0)
		mbedtls_ssl_conf_authmode(&conf, MBEDTLS_SSL_VERIFY_OPTIONAL);
#if MBED_MAJOR < 4
	mbedtls_ssl_conf_session_tickets_cb(&conf, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &tickets);
#endif
	if (mbedtls_ssl_setup(&server, &conf))
		exit(2);
	mbedtls_ssl_set_bio(&server, NULL, serverWrite, serverRead, NULL);
	memset(&client, 0, sizeof client);
	inClient = true;
	reason = tlsSessionStart(&client, core, credentials, "localhost", isTrusted ? 1 : 2, TLS_NO_CLOCK, transport);
	inClient = false;
	ended = reason != tlsFine;
	for (int step = 0; step < STEPS && !ended; step++) {
		uint8_t bytes[3000];
		int result;
		inClient = true;
		client.nowMs = step;
		if (!isThrough) {
			result = tlsSessionHandshake(&client);
			isThrough = result == tlsFine;
			if (result > 0) {
				reason = (TlsReason)result;
				ended = 1;
			}
		} else {
			if (written < 4000) {
				memset(bytes, 'c', sizeof bytes);
				/* The same count again, as the library wants it after a refusal. */
				result = tlsSessionWrite(&client, bytes, 1000, &reason);
				written += result > 0 ? (size_t)result : 0;
				ended = result == tlsBroken;
			}
			if (!ended && roll(4)) {
				result = tlsSessionRead(&client, bytes, 1 + roll(sizeof bytes - 1), &reason);
				ended = isReadBroken = result == tlsBroken;
				for (int at = 0; at < result; at++, read++)
					if (bytes[at] != (uint8_t)read)
						fail("read what was not sent", seed);
			}
		}
		inClient = false;
		if (isThrough && !isTrusted)
			fail("through, and not trusted", seed);
		if (serverIsGone)
			continue;
		if (!serverIsThrough) {
			result = mbedtls_ssl_handshake(&server);
			serverIsThrough = result == 0;
			serverIsGone = result != 0 && result != MBEDTLS_ERR_SSL_WANT_READ && result != MBEDTLS_ERR_SSL_WANT_WRITE;
		} else {
			if (mbedtls_ssl_read(&server, bytes, sizeof bytes) == 0)
				serverIsGone = true;
			size_t count = 1 + roll(2500);
			for (size_t at = 0; at < count; at++)
				bytes[at] = (uint8_t)(sent + at);
			if (sent < 30000 && (result = mbedtls_ssl_write(&server, bytes, count)) > 0)
				sent += (size_t)result;
			else if (sent >= 30000 && roll(2)) {
				mbedtls_ssl_close_notify(&server);
				serverIsGone = true;
			}
#if defined(MBEDTLS_SSL_RENEGOTIATION)
			if (roll(60) == 0)
				mbedtls_ssl_renegotiate(&server);
#endif
		}
		if (serverIsGone && roll(2))
			down.ended = true;
	}
	if (ended && isThrough && reason == tlsFine && read > sent)
		fail("more was read than sent", seed);
	counts[ended ? reason : tlsReasons]++;
	/* Whoever reads on after the end is given nothing. */
	inClient = true;
	for (int again = 0; again < 2 && isThrough; again++) {
		uint8_t bytes[10];
		TlsReason later = tlsFine;
		if (isReadBroken && (tlsSessionRead(&client, bytes, sizeof bytes, &later) != tlsBroken || later != reason))
			fail("read after the end", seed);
	}
	tlsSessionGoodbye(&client);
	tlsSessionFree(&client);
	tlsSessionFree(&client);
	inClient = false;
	failIn = -1;
	mbedtls_ssl_free(&server);
	mbedtls_ssl_config_free(&conf);
}

#if !defined(COVERAGE)
int main(int argc, char** argv)
{
	static TlsCore core;
	TlsCredentials trusting, wary;
	size_t sizes[3];
	uint8_t* files[3];
	if (argc != 6)
		return 2;
	for (int at = 0; at < 3; at++)
		files[at] = fileOf(argv[1 + at], &sizes[at]);
	const uint8_t* const roots[3] = { files[2], NULL, NULL };
	const uint8_t* const none[3] = { NULL, NULL, NULL };
	mbedtls_x509_crt_init(&chain);
	mbedtls_pk_init(&key);
	if (mbedStart(&serverRandom) || tlsCoreStart(&core) != tlsFine || mbedtls_x509_crt_parse(&chain, files[0], sizes[0])
		|| mbedParseKey(&key, files[1], sizes[1], &serverRandom))
		return 2;
	const size_t rootSizes[3] = { sizes[2], 0, 0 };
	if (tlsCredentialsParse(&core, &trusting, roots, rootSizes, tlsOpenAdr20b, 1) != tlsFine
		|| tlsCredentialsParse(&core, &wary, none, rootSizes, tlsModern, 2) != tlsFine)
		return 2;
#if MBED_MAJOR < 4
	mbedtls_ssl_ticket_init(&tickets);
	if (mbedtls_ssl_ticket_setup(&tickets, mbedtls_ctr_drbg_random, &serverRandom.drbg, MBEDTLS_CIPHER_AES_256_GCM, 86400))
		return 2;
#endif
	uint64_t seed = strtoull(argv[4], NULL, 10);
	for (long left = atol(argv[5]); left > 0; left--, seed++) {
		state = seed * 0x9e3779b97f4a7c15u + 1;
		bool isTrusted = roll(3) > 0;
		session(&core, isTrusted ? &trusting : &wary, isTrusted, seed);
	}
	for (int reason = 0; reason <= tlsReasons; reason++)
		if (counts[reason])
			printf("%s %d\n", reason < tlsReasons ? tlsReasonName((TlsReason)reason) : "unfinished", counts[reason]);
#if MBED_MAJOR < 4
	mbedtls_ssl_ticket_free(&tickets);
#endif
	tlsCredentialsFree(&trusting);
	tlsCredentialsFree(&wary);
	tlsCoreStop(&core);
	mbedtls_x509_crt_free(&chain);
	mbedtls_pk_free(&key);
	mbedStop(&serverRandom);
	for (int at = 0; at < 3; at++)
		free(files[at]);
	return 0;
}
#endif
