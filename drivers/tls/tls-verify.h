/*
 * Judges a server's certificates. The library builds the chain and checks signatures; this says why where it refuses, and
 * decides by its own rules what the versions of the library do differently: dates (by the time that is given, never by a
 * clock of the system), the host name (subjectAltName alone, no common name) and the leaf's purpose.
 */
#ifndef UCM_TLS_VERIFY_H
#define UCM_TLS_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "mbed.h"
#include "tls-reason.h"

/* No trusted clock. The policy then: dates are not judged, all else is (a module that knows no time must reach the server that tells it). */
#define TLS_NO_CLOCK INT64_MIN

typedef struct {
	/* DNS name, or address: an address is found in an iPAddress entry alone, never in a name. */
	const char* host;
	int64_t utcMs; /* or TLS_NO_CLOCK */
	const mbedtls_x509_crt* roots;
	/* The first fault, from the root downwards. */
	TlsReason reason;
	/* Certificates were shown and judged; else the session was resumed. */
	bool judged;
} TlsVerify;

/* For mbedtls_ssl_conf_verify, with a TlsVerify. */
extern int tlsVerify(void* verify, mbedtls_x509_crt* certificate, int depth, uint32_t* flags);

/* Exported for tests. */
extern bool tlsNameMatches(const uint8_t* pattern, size_t length, const char* host);
/* 4 or 16, the length of the address in bytes; 0 = host is no address. */
extern int tlsAddress(const char* host, uint8_t address[16]);

#endif
