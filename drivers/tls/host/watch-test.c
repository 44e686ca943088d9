/*
 * The parts of the TLS client that need no library, for tests with gcc alone. Each line of the input is `OFFERS13 CHUNK HEX`:
 * bytes that a server sends, fed in pieces of so many; out comes `REASON serverHello version certificate certificateRequest
 * alert inside`. `reasons` lists all reasons; `probe HOST` writes the hello that asks for static RSA.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls-watch.h"

static void feed(const char* line)
{
	static uint8_t bytes[1 << 17];
	TlsWatch watch;
	int offers13, chunk, used;
	size_t count = 0;
	TlsReason reason = tlsFine;
	if (sscanf(line, "%d %d %n", &offers13, &chunk, &used) != 2 || chunk < 1)
		exit(1);
	for (const char* hex = line + used; count < sizeof bytes && sscanf(hex, "%2hhx", &bytes[count]) == 1; hex += 2)
		count++;
	tlsWatchStart(&watch, offers13);
	for (size_t at = 0; at < count && reason == tlsFine; at += (size_t)chunk) {
		size_t left = count - at, take = left < (size_t)chunk ? left : (size_t)chunk;
		/* A buffer of its own, so that reading beyond it is seen. */
		uint8_t* piece = malloc(take);
		memcpy(piece, bytes + at, take);
		reason = tlsWatchFeed(&watch, piece, take);
		free(piece);
	}
	printf("%s %d %04x %d %d %d %d\n", tlsReasonName(reason), watch.serverHello, watch.version, watch.certificate,
		watch.certificateRequest, watch.alertLength == 2 ? watch.alert[1] : 0, tlsWatchInside(&watch));
}

int main(int argc, char** argv)
{
	if (argc == 2 && !strcmp(argv[1], "reasons"))
		for (int reason = 0; reason < tlsReasons; reason++)
			printf("%s %s\n", tlsReasonName(reason), tlsReasonFailure(reason));
	else if (argc == 3 && !strcmp(argv[1], "probe")) {
		uint8_t* hello = malloc(400);
		const uint8_t random[32] = { 1, 2, 3 };
		size_t count = tlsProbeHello(hello, random, *argv[2] ? argv[2] : NULL);
		for (size_t at = 0; at < count; at++)
			printf("%02x", hello[at]);
		printf("\n");
		free(hello);
	} else {
		static char line[1 << 19];
		while (fgets(line, sizeof line, stdin))
			feed(line);
	}
	return 0;
}
