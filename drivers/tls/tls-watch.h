/*
 * Reads along with what the server sends, before the library sees it: bounds records, messages and the whole handshake,
 * and remembers what names a failure (how far the server came, its version, its alert), because the library's error codes
 * differ from version to version and say less. Reads only what is not encrypted. Knows no library.
 */
#ifndef UCM_TLS_WATCH_H
#define UCM_TLS_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls-reason.h"

/* RFC 8446 5.2, RFC 5246 6.2.3: 16 KB and what a cipher may add. */
#define TLS_RECORD_BYTES (16384 + 2048)
/* A handshake message is held in one piece by the library, in a buffer of a record's size. */
#define TLS_MESSAGE_BYTES 16384
/* All that a server may send until the handshake is through: a chain of four certificates needs 6 KB. */
#define TLS_HANDSHAKE_BYTES 32768
#define TLS_HELLO_BYTES 512

typedef struct {
	bool offers13;
	bool through;         /* the handshake is: only record borders are followed */
	uint32_t total;
	uint8_t header[5], headerLength, type;
	uint16_t recordLeft;
	uint8_t message[4], messageHeaderLength;
	uint32_t messageLeft;
	uint16_t helloLength; /* of a ServerHello that is coming in */
	uint8_t hello[TLS_HELLO_BYTES];
	bool secret;          /* what follows is encrypted */
	/* What was seen */
	bool serverHello, certificate, certificateRequest;
	uint16_t version, suite;
	uint8_t alert[2], alertLength; /* not encrypted */
} TlsWatch;

extern void tlsWatchStart(TlsWatch* watch, bool offers13);
/* tlsFine, or why the connection must end here. */
extern TlsReason tlsWatchFeed(TlsWatch* watch, const uint8_t* bytes, size_t count);
/* True in the middle of a record. */
extern bool tlsWatchInside(const TlsWatch* watch);

/*
 * A ClientHello that offers what this module never uses: suites of TLS 1.0, and static-RSA key exchange, to learn what a
 * server has with which nothing is in common. Nothing can come of it: it is dropped at the ServerHello, whatever that says.
 * Returns its length; bytes: at least 400. host NULL = no server name.
 */
extern size_t tlsProbeHello(uint8_t* bytes, const uint8_t random[32], const char* host);
/* Of the answer: it chose a suite without ephemeral keys though others were offered first. */
extern bool tlsProbeIsStaticRsa(const TlsWatch* watch);

#endif
