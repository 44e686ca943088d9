/*
 * What differs between Mbed TLS 2.28, 3.6 and 4.x, in one place; the rest of this folder is written to the API of 4.x.
 * Private fields are read in two places where no version offers a call: a certificate's basic constraints, and the
 * alert that ended a connection.
 */
#ifndef UCM_TLS_MBED_H
#define UCM_TLS_MBED_H

#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <string.h>

#include "mbedtls/platform_util.h"
#include "mbedtls/ssl.h"
#include "mbedtls/version.h"
#include "mbedtls/x509_crt.h"

#define MBED_MAJOR (MBEDTLS_VERSION_NUMBER >> 24)

#if MBED_MAJOR < 4
	#include "mbedtls/ctr_drbg.h"
	#include "mbedtls/ecp.h"
	#include "mbedtls/entropy.h"
	#include "mbedtls/rsa.h"
#endif
#if MBED_MAJOR >= 3
	#include "psa/crypto.h"
#endif

#if MBED_MAJOR >= 3 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
	#define MBED_TLS13 1
#else
	#define MBED_TLS13 0
#endif

#ifndef MBEDTLS_PRIVATE
	#define MBEDTLS_PRIVATE(member) member
#endif

/* The error of a signature that does not fit, and of a context without memory. */
#if MBED_MAJOR >= 4
	#define MBED_IS_BAD_SIGNATURE(error) ((error) == PSA_ERROR_INVALID_SIGNATURE)
#else
	#define MBED_IS_BAD_SIGNATURE(error) ((error) == MBEDTLS_ERR_ECP_VERIFY_FAILED || (error) == MBEDTLS_ERR_RSA_VERIFY_FAILED)
#endif
#ifdef MBEDTLS_ERR_SSL_BAD_CERTIFICATE
	#define MBED_BAD_CERTIFICATE MBEDTLS_ERR_SSL_BAD_CERTIFICATE
#else
	#define MBED_BAD_CERTIFICATE MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE
#endif

typedef struct {
#if MBED_MAJOR < 4
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
#endif
	int started;
} MbedRandom;

static inline int mbedStart(MbedRandom* random)
{
	int error = 0;
	if (random->started)
		return 0;
#if MBED_MAJOR >= 3
	error = (int)psa_crypto_init();
#endif
#if MBED_MAJOR < 4
	mbedtls_entropy_init(&random->entropy);
	mbedtls_ctr_drbg_init(&random->drbg);
	if (!error)
		error = mbedtls_ctr_drbg_seed(&random->drbg, mbedtls_entropy_func, &random->entropy, NULL, 0);
	if (error) {
		mbedtls_ctr_drbg_free(&random->drbg);
		mbedtls_entropy_free(&random->entropy);
	}
#endif
	random->started = !error;
	return error;
}

static inline void mbedStop(MbedRandom* random)
{
	if (!random->started)
		return;
	random->started = 0;
#if MBED_MAJOR < 4
	mbedtls_ctr_drbg_free(&random->drbg);
	mbedtls_entropy_free(&random->entropy);
#endif
	/* The cryptography of PSA stays: others in the chip use it. */
}

static inline int mbedRandom(MbedRandom* random, unsigned char* bytes, size_t count)
{
#if MBED_MAJOR >= 4
	(void)random;
	return (int)psa_generate_random(bytes, count);
#else
	return mbedtls_ctr_drbg_random(&random->drbg, bytes, count);
#endif
}

static inline void mbedUseRandom(mbedtls_ssl_config* conf, MbedRandom* random)
{
#if MBED_MAJOR >= 4
	(void)conf;
	(void)random;
#else
	mbedtls_ssl_conf_rng(conf, mbedtls_ctr_drbg_random, &random->drbg);
#endif
}

static inline int mbedParseKey(mbedtls_pk_context* key, const unsigned char* bytes, size_t count, MbedRandom* random)
{
#if MBED_MAJOR == 3
	return mbedtls_pk_parse_key(key, bytes, count, NULL, 0, mbedtls_ctr_drbg_random, &random->drbg);
#else
	(void)random;
	return mbedtls_pk_parse_key(key, bytes, count, NULL, 0);
#endif
}

/* 0: the key is the certificate's. */
static inline int mbedCheckPair(mbedtls_pk_context* certificate, mbedtls_pk_context* key, MbedRandom* random)
{
#if MBED_MAJOR == 3
	return mbedtls_pk_check_pair(certificate, key, mbedtls_ctr_drbg_random, &random->drbg);
#else
	(void)random;
	return mbedtls_pk_check_pair(certificate, key);
#endif
}

/* 1.2 at least, 1.3 where it is there. */
static inline void mbedVersions(mbedtls_ssl_config* conf)
{
#if MBED_MAJOR >= 3
	mbedtls_ssl_conf_min_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_max_tls_version(conf, MBED_TLS13 ? MBEDTLS_SSL_VERSION_TLS1_3 : MBEDTLS_SSL_VERSION_TLS1_2);
#else
	mbedtls_ssl_conf_min_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
	mbedtls_ssl_conf_max_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
}

/* Later versions report a ticket of 1.3 only to who asks for it. */
static inline void mbedWantTickets(mbedtls_ssl_config* conf)
{
	(void)conf;
#if defined(MBEDTLS_SSL_SESSION_TICKETS)
	mbedtls_ssl_conf_session_tickets(conf, 1);
#endif
#if MBED_TLS13 && defined(MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED)
	mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(conf, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
}

static inline int mbedIsTicket(int error)
{
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
	return error == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#else
	(void)error;
	return 0;
#endif
}

/* The description of the alert that has just ended the connection. */
static inline int mbedAlert(const mbedtls_ssl_context* ssl)
{
	const unsigned char* message = ssl->MBEDTLS_PRIVATE(in_msg);
	return message ? message[1] : 0;
}

#endif
