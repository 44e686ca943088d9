/*
 * Why a TLS connection did not come about, or broke. This folder guarantees: whatever a server, a certificate or the
 * network does, a connection ends as one of these reasons, within the time that was given to it; nothing aborts, and a
 * private key never leaves C. Each reason has a stable name (logs, docs/tls.md) and the HttpFailure it stands for
 * (src/ports/http.ts). No XS, no sockets and no Mbed TLS in this header.
 */
#ifndef UCM_TLS_REASON_H
#define UCM_TLS_REASON_H

#define TLS_REASONS(each) \
	each(tlsFine, "fine", "") \
	each(tlsDns, "dns", "dns") \
	each(tlsRefused, "refused", "refused") \
	each(tlsUnreachable, "unreachable", "unreachable") \
	each(tlsTimeout, "timeout", "timeout") \
	/* Between two records, and in the middle of one. */ \
	each(tlsClosed, "closed", "closed") \
	each(tlsTruncated, "truncated", "closed") \
	/* A record, a message or a whole handshake beyond its bound. */ \
	each(tlsOversize, "oversize", "tls-handshake") \
	each(tlsNotTls, "not-tls", "tls-handshake") \
	each(tlsVersion, "version-below-1.2", "tls-version") \
	/* Both sides can do better than what was agreed on: somebody between has changed the offer (RFC 8446 4.1.3). */ \
	each(tlsDowngraded, "downgraded", "tls-version") \
	each(tlsStaticRsa, "static-rsa-only", "tls-static-rsa") \
	each(tlsNoSuite, "no-common-suite", "tls-handshake") \
	each(tlsUnknownRoot, "unknown-root", "tls-untrusted") \
	each(tlsSelfSigned, "self-signed", "tls-untrusted") \
	/* The issuer is there, but it did not sign this. */ \
	each(tlsForged, "forged-signature", "tls-untrusted") \
	each(tlsNotCa, "issuer-is-no-ca", "tls-purpose") \
	each(tlsIssuerUsage, "issuer-key-usage", "tls-purpose") \
	each(tlsPathLength, "path-length", "tls-purpose") \
	each(tlsWeak, "weak-signature", "tls-untrusted") \
	each(tlsUntrusted, "untrusted", "tls-untrusted") \
	each(tlsKeyUsage, "key-usage", "tls-purpose") \
	each(tlsExtendedKeyUsage, "extended-key-usage", "tls-purpose") \
	each(tlsExpired, "expired", "tls-expired") \
	each(tlsNotYetValid, "not-yet-valid", "tls-not-yet-valid") \
	each(tlsHostName, "host-name", "tls-host-name") \
	/* The server does not own the certificate it shows, or what it said was changed on the way. */ \
	each(tlsSignature, "key-exchange-signature", "tls-untrusted") \
	each(tlsClientNeeded, "client-certificate-needed", "tls-client-certificate") \
	each(tlsClientRefused, "client-certificate-refused", "tls-client-certificate") \
	each(tlsCredentials, "credentials-unusable", "tls-client-certificate") \
	each(tlsBusy, "busy", "busy") \
	each(tlsMemory, "memory", "busy") \
	each(tlsProtocol, "protocol", "tls-handshake")

#define TLS_REASON_ENUM(id, name, failure) id,
typedef enum { TLS_REASONS(TLS_REASON_ENUM) tlsReasons } TlsReason;

/* The stable name, e.g. "static-rsa-only". */
extern const char* tlsReasonName(TlsReason reason);
/* The HttpFailure of src/ports/http.ts. */
extern const char* tlsReasonFailure(TlsReason reason);

#endif
