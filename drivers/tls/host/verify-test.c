/* verify-test FILE HOST: which flags of the library the judge of certificates lets through for this PEM certificate. */
#include <stdio.h>
#include <stdlib.h>

#include "tls-verify.h"

int main(int argc, char** argv)
{
	mbedtls_x509_crt certificate;
	uint32_t passed = 0;
	if (argc != 3)
		return 2;
	mbedtls_x509_crt_init(&certificate);
	if (mbedtls_x509_crt_parse_file(&certificate, argv[1]))
		return 1;
	for (int depth = 0; depth < 2; depth++)
		for (int bit = 0; bit < 32; bit++) {
			TlsVerify verify = { .host = argv[2], .utcMs = TLS_NO_CLOCK, .roots = &certificate, .reason = tlsFine };
			uint32_t flags = (uint32_t)1 << bit;
			if (tlsVerify(&verify, &certificate, depth, &flags) || !verify.judged || (flags == 0) != (verify.reason == tlsFine))
				return 3;
			passed |= flags == 0 ? (uint32_t)1 << bit : 0;
		}
	/* What is judged here instead: dates, and the name. */
	passed &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE | MBEDTLS_X509_BADCERT_CN_MISMATCH);
	printf("%08x\n", (unsigned)passed);
	mbedtls_x509_crt_free(&certificate);
	return 0;
}
