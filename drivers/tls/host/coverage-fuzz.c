/*
 * Guided by coverage, by clang's libFuzzer; by hand, never in CI (docs/tls.md). TARGET 1: what reads along, the same in one
 * piece and in pieces. TARGET 2: what judges certificates, over any certificate, name and flags. TARGET 3: sessions of
 * record-fuzz.c, where the input says what is changed, when, and in what pieces it comes; wants CERT, KEY and ROOT by these names in
 * the environment.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count);
extern int LLVMFuzzerInitialize(int* argc, char*** argv);

static void must(int holds, const char* what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

#if TARGET == 1
	#include "tls-watch.h"

/* Pieces of so many bytes, each in a buffer of its own, so that reading beyond it is seen. */
static TlsReason feed(TlsWatch* watch, const uint8_t* bytes, size_t count, size_t most)
{
	TlsReason reason = tlsFine;
	for (size_t at = 0; at < count && reason == tlsFine; at += most) {
		size_t left = count - at, take = left < most ? left : most;
		uint8_t* piece = malloc(take);
		memcpy(piece, bytes + at, take);
		reason = tlsWatchFeed(watch, piece, take);
		free(piece);
	}
	return reason;
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count)
{
	TlsWatch whole, pieces;
	if (count < 2)
		return 0;
	tlsWatchStart(&whole, bytes[0] & 1);
	tlsWatchStart(&pieces, bytes[0] & 1);
	TlsReason once = feed(&whole, bytes + 2, count - 2, count);
	must(once == feed(&pieces, bytes + 2, count - 2, 1u + bytes[1]), "pieces have another reason");
	must(once != tlsFine || (whole.version == pieces.version && whole.serverHello == pieces.serverHello
		&& whole.certificate == pieces.certificate && whole.certificateRequest == pieces.certificateRequest
		&& whole.alertLength == pieces.alertLength && tlsWatchInside(&whole) == tlsWatchInside(&pieces)),
		"pieces were seen otherwise");
	tlsProbeIsStaticRsa(&whole);
	return 0;
}
#elif TARGET == 2
	#include "tls-verify.h"

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count)
{
	static const char* const hosts[] = { "localhost", "a.example.test", "127.0.0.1", "::1", "", "x.y.example.test" };
	char host[64];
	mbedtls_x509_crt chain;
	if (count < 16 + sizeof host)
		return 0;
	memcpy(host, bytes + 16, sizeof host);
	host[sizeof host - 1] = 0;
	uint8_t address[16];
	int length = tlsAddress(host, address);
	must(length == 0 || length == 4 || length == 16, "an address of another length");
	uint8_t* pattern = malloc(bytes[7] % 64u + 1);
	memcpy(pattern, bytes + 16, bytes[7] % 64u);
	tlsNameMatches(pattern, bytes[7] % 64u, hosts[bytes[6] % 6u]);
	tlsNameMatches(pattern, bytes[7] % 64u, host);
	free(pattern);
	mbedtls_x509_crt_init(&chain);
	if (mbedtls_x509_crt_parse_der(&chain, bytes + 16 + sizeof host, count - 16 - sizeof host) == 0)
		for (int depth = 0; depth < 3; depth++) {
			uint32_t flags, given;
			int64_t utcMs = bytes[4] & 1 ? TLS_NO_CLOCK : (int64_t)bytes[5] * 10000000000;
			memcpy(&given, bytes, 4);
			flags = given &= bytes[4] & 2 ? 0xffffffff : 0;
			TlsVerify verify = { .host = bytes[4] & 4 ? host : hosts[bytes[6] % 6u], .utcMs = utcMs,
				.roots = bytes[4] & 8 ? &chain : NULL, .reason = tlsFine };
			must(tlsVerify(&verify, &chain, depth, &flags) == 0 && verify.judged, "not judged");
			must((flags == 0) == (verify.reason == tlsFine), "a fault without a reason, or a reason without a fault");
		}
	mbedtls_x509_crt_free(&chain);
	return 0;
}
#else
	#define COVERAGE
	#include "record-fuzz.c"

static TlsCore core;
static TlsCredentials trusting, wary;

int LLVMFuzzerInitialize(int* argc, char*** argv)
{
	static const char* const names[3] = { "CERT", "KEY", "ROOT" };
	size_t sizes[3];
	uint8_t* files[3];
	(void)argc;
	(void)argv;
	for (int at = 0; at < 3; at++)
		files[at] = fileOf(getenv(names[at]) ? getenv(names[at]) : "", &sizes[at]);
	const uint8_t* const roots[3] = { files[2], NULL, NULL };
	const uint8_t* const none[3] = { NULL, NULL, NULL };
	const size_t rootSizes[3] = { sizes[2], 0, 0 };
	mbedtls_x509_crt_init(&chain);
	mbedtls_pk_init(&key);
	must(!mbedStart(&serverRandom) && tlsCoreStart(&core) == tlsFine && !mbedtls_x509_crt_parse(&chain, files[0], sizes[0])
		&& !mbedParseKey(&key, files[1], sizes[1], &serverRandom), "certificate or key");
	must(tlsCredentialsParse(&core, &trusting, roots, rootSizes, tlsOpenAdr20b, 1) == tlsFine
		&& tlsCredentialsParse(&core, &wary, none, rootSizes, tlsModern, 2) == tlsFine, "credentials");
	for (int at = 0; at < 3; at++)
		free(files[at]);
	#if MBED_MAJOR < 4
	mbedtls_ssl_ticket_init(&tickets);
	must(!mbedtls_ssl_ticket_setup(&tickets, mbedtls_ctr_drbg_random, &serverRandom.drbg, MBEDTLS_CIPHER_AES_256_GCM, 86400), "tickets");
	#endif
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count)
{
	state = 1;
	drawn = bytes;
	drawnLeft = count;
	bool isTrusted = roll(3) > 0;
	session(&core, isTrusted ? &trusting : &wary, isTrusted, 0);
	return 0;
}
#endif
