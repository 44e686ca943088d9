#include "tls-session.h"

#include <stdio.h>
#include <string.h>

/* In order of preference. 1.3 first; a library without it skips them. */
static const int openAdr[] = {
	0x1301, 0x1303, 0x1302, /* AES-128-GCM, ChaCha20-Poly1305, AES-256-GCM */
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	0,
};
#define SUITES (sizeof openAdr / sizeof *openAdr)
static const int modern[SUITES] = {
	0x1301, 0x1303, 0x1302,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	0,
};

TlsReason tlsCoreStart(TlsCore* core)
{
	return mbedStart(&core->random) ? tlsMemory : tlsFine;
}

static void drop(struct TlsResumed* kept)
{
	if (kept->serial)
		mbedtls_ssl_session_free(&kept->session);
	memset(kept, 0, sizeof *kept);
}

void tlsCoreForget(TlsCore* core, uint32_t serial)
{
	for (int at = 0; at < TLS_RESUMED; at++)
		if (core->resumed[at].serial == serial)
			drop(&core->resumed[at]);
}

void tlsCoreStop(TlsCore* core)
{
	for (int at = 0; at < TLS_RESUMED; at++)
		drop(&core->resumed[at]);
	mbedStop(&core->random);
}

/* Credentials */

void tlsCredentialsFree(TlsCredentials* credentials)
{
	mbedtls_x509_crt_free(&credentials->roots);
	mbedtls_x509_crt_free(&credentials->own);
	mbedtls_pk_free(&credentials->key);
	mbedtls_platform_zeroize(credentials, sizeof *credentials);
}

TlsReason tlsCredentialsParse(TlsCore* core, TlsCredentials* credentials, const uint8_t* const bytes[3],
	const size_t counts[3], TlsProfile profile, uint32_t serial)
{
	int error = 0;
	memset(credentials, 0, sizeof *credentials);
	mbedtls_x509_crt_init(&credentials->roots);
	mbedtls_x509_crt_init(&credentials->own);
	mbedtls_pk_init(&credentials->key);
	credentials->profile = profile;
	credentials->serial = serial;
	credentials->hasOwn = bytes[1] != NULL || bytes[2] != NULL;
	/* More than 0: some of the certificates in the text are unusable; fewer roots are only less trust. */
	if (bytes[0])
		error = mbedtls_x509_crt_parse(&credentials->roots, bytes[0], counts[0]);
	if (error > 0 && credentials->roots.raw.p)
		error = 0;
	if (!error && credentials->hasOwn)
		error = bytes[1] && bytes[2] ? mbedtls_x509_crt_parse(&credentials->own, bytes[1], counts[1]) : -1;
	if (!error && credentials->hasOwn)
		error = mbedParseKey(&credentials->key, bytes[2], counts[2], &core->random);
	if (!error && credentials->hasOwn)
		error = mbedCheckPair(&credentials->own.pk, &credentials->key, &core->random);
	if (!error)
		return tlsFine;
	tlsCredentialsFree(credentials);
	return tlsCredentials;
}

/* The transport, with the watch before it */

static int receive(void* context, unsigned char* bytes, size_t count)
{
	TlsSession* session = context;
	int got;
	if (session->fault != tlsFine)
		return MBEDTLS_ERR_SSL_CONN_EOF;
	got = session->transport.read(session->transport.context, bytes, count);
	if (got == tlsWait)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (got <= 0) {
		session->fault = tlsWatchInside(&session->watch) ? tlsTruncated : tlsClosed;
		return MBEDTLS_ERR_SSL_CONN_EOF;
	}
	session->fault = tlsWatchFeed(&session->watch, bytes, (size_t)got);
	return session->fault == tlsFine ? got : MBEDTLS_ERR_SSL_CONN_EOF;
}

static int transmit(void* context, const unsigned char* bytes, size_t count)
{
	TlsSession* session = context;
	int put = session->transport.write(session->transport.context, bytes, count);
	if (put == tlsWait)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	/* What the other side has said before it closed may still be read, and tells more. */
	return put < 0 ? MBEDTLS_ERR_SSL_CONN_EOF : put;
}

/* Sessions that can be resumed */

static struct TlsResumed* findResumed(TlsSession* session)
{
	TlsCore* core = session->core;
	for (int at = 0; at < TLS_RESUMED; at++) {
		struct TlsResumed* kept = &core->resumed[at];
		if (kept->serial == session->credentials->serial && kept->port == session->port && !strcmp(kept->host, session->host))
			return kept;
	}
	return NULL;
}

static void resume(TlsSession* session)
{
	struct TlsResumed* kept = findResumed(session);
	if (!kept)
		return;
	/* What was judged without a clock is judged anew as soon as there is one. */
	if (session->nowMs >= kept->untilMs || (!kept->dated && session->verify.utcMs != TLS_NO_CLOCK))
		drop(kept);
	else if (mbedtls_ssl_set_session(&session->ssl, &kept->session))
		drop(kept);
}

static void keep(TlsSession* session)
{
	TlsCore* core = session->core;
	struct TlsResumed* kept = findResumed(session);
	mbedtls_ssl_session fresh;
	int64_t untilMs = session->nowMs + TLS_RESUME_MS;
	bool dated = session->verify.utcMs != TLS_NO_CLOCK;
	mbedtls_ssl_session_init(&fresh);
	if (mbedtls_ssl_get_session(&session->ssl, &fresh)) {
		mbedtls_ssl_session_free(&fresh);
		return;
	}
	/* A resumed session does not make its certificates younger. */
	if (!session->verify.judged && kept) {
		untilMs = kept->untilMs;
		dated = kept->dated;
	}
	if (!kept) {
		kept = &core->resumed[0];
		for (int at = 1; at < TLS_RESUMED; at++)
			if (!core->resumed[at].serial || (kept->serial && core->resumed[at].untilMs < kept->untilMs))
				kept = &core->resumed[at];
	}
	drop(kept);
	kept->serial = session->credentials->serial;
	kept->port = session->port;
	kept->dated = dated;
	kept->untilMs = untilMs;
	memcpy(kept->host, session->host, sizeof kept->host);
	kept->session = fresh;
}

/* Session */

TlsReason tlsSessionStart(TlsSession* session, TlsCore* core, const TlsCredentials* credentials, const char* host,
	uint16_t port, int64_t utcMs, TlsTransport transport)
{
	uint8_t address[16];
	mbedtls_ssl_config* conf = &session->conf;
	session->core = core;
	session->credentials = credentials;
	session->transport = transport;
	session->port = port;
	session->fault = tlsFine;
	session->error = 0;
	session->broken = false;
	memset(session->host, 0, sizeof session->host);
	strncpy(session->host, host, sizeof session->host - 1);
	session->verify = (TlsVerify){ .host = session->host, .utcMs = utcMs, .roots = &credentials->roots, .reason = tlsFine };
	tlsWatchStart(&session->watch, MBED_TLS13);
	mbedtls_ssl_config_init(conf);
	mbedtls_ssl_init(&session->ssl);
	session->ready = true;
	if (mbedtls_ssl_config_defaults(conf, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT))
		return tlsMemory;
	mbedVersions(conf);
	mbedUseRandom(conf, &core->random);
	mbedWantTickets(conf);
	mbedtls_ssl_conf_authmode(conf, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_ca_chain(conf, (mbedtls_x509_crt*)&credentials->roots, NULL);
	mbedtls_ssl_conf_verify(conf, tlsVerify, &session->verify);
	mbedtls_ssl_conf_ciphersuites(conf, credentials->profile == tlsOpenAdr20b ? openAdr : modern);
	if (credentials->hasOwn
		&& mbedtls_ssl_conf_own_cert(conf, (mbedtls_x509_crt*)&credentials->own, (mbedtls_pk_context*)&credentials->key))
		return tlsMemory;
	if (mbedtls_ssl_setup(&session->ssl, conf))
		return tlsMemory;
	/* Without a name the library checks none; tlsVerify does. An address is no server name (RFC 6066 3). */
	if (mbedtls_ssl_set_hostname(&session->ssl, tlsAddress(host, address) ? NULL : session->host))
		return tlsMemory;
	mbedtls_ssl_set_bio(&session->ssl, session, transmit, receive, NULL);
	resume(session);
	return tlsFine;
}

static TlsReason reasonOfAlert(const TlsSession* session, int alert)
{
	const TlsWatch* watch = &session->watch;
	bool hasOwn = session->credentials->hasOwn;
	TlsReason client = hasOwn ? tlsClientRefused : tlsClientNeeded;
	switch (alert) {
	case 40: /* handshake_failure: before its hello there is nothing in common, after it nothing but our certificate is left */
		return !watch->serverHello ? tlsNoSuite : watch->certificateRequest || watch->version > 0x0303 ? client : tlsProtocol;
	case 71: /* insufficient_security */
		return tlsNoSuite;
	case 70: /* protocol_version */
		return tlsVersion;
	case 116: /* certificate_required */
		return tlsClientNeeded;
	case 42: case 43: case 44: case 45: case 46: case 48: case 49: /* bad, unsupported, revoked, expired, unknown, CA, access */
		return client;
	case 51: /* decrypt_error: our signature */
		return hasOwn ? tlsClientRefused : tlsProtocol;
	default:
		return tlsProtocol;
	}
}

static TlsReason reasonOf(TlsSession* session, int error)
{
	session->error = error;
	if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE)
		return reasonOfAlert(session, session->watch.alertLength == 2 ? session->watch.alert[1] : mbedAlert(&session->ssl));
	if (session->verify.reason != tlsFine)
		return session->verify.reason;
	if (session->fault != tlsFine)
		return session->fault;
	if (error == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED || error == MBED_BAD_CERTIFICATE)
		return tlsUntrusted;
	if (MBED_IS_BAD_SIGNATURE(error))
		return tlsSignature;
	if (error == MBEDTLS_ERR_SSL_CONN_EOF)
		return tlsClosed;
	if (error == MBEDTLS_ERR_SSL_ALLOC_FAILED)
		return tlsMemory;
	return tlsProtocol;
}

int tlsSessionHandshake(TlsSession* session)
{
	int error = mbedtls_ssl_handshake(&session->ssl);
	if (error == MBEDTLS_ERR_SSL_WANT_READ || error == MBEDTLS_ERR_SSL_WANT_WRITE || mbedIsTicket(error))
		return -1;
	if (error)
		return reasonOf(session, error);
	session->watch.through = true;
	if (!MBED_TLS13 || session->watch.version == 0x0303)
		keep(session);
	return tlsFine;
}

static int transfer(TlsSession* session, int result, TlsReason* reason)
{
	if (result > 0)
		return result;
	if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE)
		return tlsWait;
	if (mbedIsTicket(result)) {
		keep(session);
		return tlsWait;
	}
	/* 0 is the end of the stream without a goodbye: what came before it may be cut off. */
	*reason = result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ? tlsFine : reasonOf(session, result == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : result);
	session->broken = true;
	session->brokenBy = *reason;
	return tlsBroken;
}

/* The library would go on with the next record after one that it has refused. */
static bool isBroken(const TlsSession* session, TlsReason* reason)
{
	if (session->broken)
		*reason = session->brokenBy;
	return session->broken;
}

int tlsSessionRead(TlsSession* session, uint8_t* bytes, size_t count, TlsReason* reason)
{
	if (isBroken(session, reason))
		return tlsBroken;
	return transfer(session, mbedtls_ssl_read(&session->ssl, bytes, count), reason);
}

int tlsSessionWrite(TlsSession* session, const uint8_t* bytes, size_t count, TlsReason* reason)
{
	if (isBroken(session, reason))
		return tlsBroken;
	return transfer(session, mbedtls_ssl_write(&session->ssl, bytes, count), reason);
}

void tlsSessionGoodbye(TlsSession* session)
{
	if (session->ready)
		mbedtls_ssl_close_notify(&session->ssl);
}

void tlsSessionFree(TlsSession* session)
{
	if (!session->ready)
		return;
	session->ready = false;
	mbedtls_ssl_free(&session->ssl);
	mbedtls_ssl_config_free(&session->conf);
}

void tlsSessionDescribe(const TlsSession* session, char* text, size_t size)
{
	snprintf(text, size, "%s %s%s", mbedtls_ssl_get_version(&session->ssl), mbedtls_ssl_get_ciphersuite(&session->ssl),
		session->verify.judged ? "" : " resumed");
}
