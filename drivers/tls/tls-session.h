/*
 * One TLS client session over a byte transport that never blocks, and what sessions share: random numbers, credentials and
 * the sessions that can be resumed. All of it belongs to one task: nothing here locks. No sockets, no clock, no XS.
 */
#ifndef UCM_TLS_SESSION_H
#define UCM_TLS_SESSION_H

#include "mbed.h"
#include "tls-verify.h"
#include "tls-watch.h"

#define TLS_NAME_BYTES 48
#define TLS_HOST_BYTES 254
#define TLS_RESUMED 4
/* A session is resumed for so long at most; RFC 8446 4.6.1 allows 7 days, and the chain is judged anew after it. */
#define TLS_RESUME_MS (12LL * 3600 * 1000)

/* Suites: AEAD with ephemeral keys, or these and at last ECDHE-ECDSA-AES128-CBC-SHA256, which OpenADR 2.0b demands. */
typedef enum { tlsModern, tlsOpenAdr20b } TlsProfile;

typedef struct TlsCredentials {
	mbedtls_x509_crt roots, own;
	mbedtls_pk_context key;
	bool hasOwn;
	TlsProfile profile;
	uint32_t serial; /* of this set: what another set has opened is not resumed */
} TlsCredentials;

typedef struct {
	MbedRandom random;
	struct TlsResumed {
		uint32_t serial; /* 0 = empty */
		uint16_t port;
		bool dated; /* judged with a clock */
		int64_t untilMs;
		char host[TLS_HOST_BYTES];
		mbedtls_ssl_session session;
	} resumed[TLS_RESUMED];
} TlsCore;

enum { tlsWait = -1, tlsBroken = -2 };

/* read: bytes, 0 = the other side has ended, tlsWait or tlsBroken; write: bytes, tlsWait or tlsBroken. */
typedef struct {
	void* context;
	int (*read)(void* context, uint8_t* bytes, size_t count);
	int (*write)(void* context, const uint8_t* bytes, size_t count);
} TlsTransport;

typedef struct {
	TlsCore* core;
	TlsTransport transport;
	const TlsCredentials* credentials;
	TlsWatch watch;
	TlsVerify verify;
	mbedtls_ssl_config conf;
	mbedtls_ssl_context ssl;
	char host[TLS_HOST_BYTES];
	uint16_t port;
	int64_t nowMs; /* set before each call */
	TlsReason fault; /* of the transport or of the watch */
	int error;      /* the library's, for the log */
	bool ready;
	bool broken; /* reading and writing are over, by brokenBy */
	TlsReason brokenBy;
} TlsSession;

extern TlsReason tlsCoreStart(TlsCore* core);
extern void tlsCoreStop(TlsCore* core);
/* Forgets what was kept of a set of credentials. */
extern void tlsCoreForget(TlsCore* core, uint32_t serial);

/*
 * roots, certificate, key: PEM (with its end of text counted) or DER; certificate and key NULL = none. Roots NULL: nothing
 * is trusted. The caller wipes what it gave.
 */
extern TlsReason tlsCredentialsParse(TlsCore* core, TlsCredentials* credentials, const uint8_t* const bytes[3],
	const size_t counts[3], TlsProfile profile, uint32_t serial);
/* Wipes the key. */
extern void tlsCredentialsFree(TlsCredentials* credentials);

extern TlsReason tlsSessionStart(TlsSession* session, TlsCore* core, const TlsCredentials* credentials, const char* host,
	uint16_t port, int64_t utcMs, TlsTransport transport);
/* tlsFine = through; -1 = call again when the transport has something. Else a TlsReason. */
extern int tlsSessionHandshake(TlsSession* session);
/* Bytes; tlsWait; tlsBroken with *reason: tlsFine = the other side said goodbye. */
extern int tlsSessionRead(TlsSession* session, uint8_t* bytes, size_t count, TlsReason* reason);
extern int tlsSessionWrite(TlsSession* session, const uint8_t* bytes, size_t count, TlsReason* reason);
/* Says goodbye, once, without waiting. */
extern void tlsSessionGoodbye(TlsSession* session);
extern void tlsSessionFree(TlsSession* session);
/* "TLSv1.3 TLS1-3-AES-128-GCM-SHA256 resumed" */
extern void tlsSessionDescribe(const TlsSession* session, char* text, size_t size);

#endif
