/* A signature of the release keys, see slots.h: by PSA, which IDF 5 and 6 and Mbed TLS from 2.28 on have. */
#include "slots.h"

#include <string.h>

#include "psa/crypto.h"

/* Subject public key info of a P-256 key, up to the uncompressed point (RFC 5480). */
static const uint8_t head[26] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
	0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };
enum { pointBytes = 65, halfBytes = 32 };

/* One INTEGER of the signature into 32 bytes; where the next one begins, or NULL. */
static const uint8_t* integer(const uint8_t* at, const uint8_t* end, uint8_t* into)
{
	size_t length;
	if (end - at < 3 || at[0] != 0x02)
		return NULL;
	length = at[1];
	at += 2;
	if (length == 0 || length > halfBytes + 1 || (size_t)(end - at) < length || (at[0] & 0x80))
		return NULL;
	if (length > 1 && at[0] == 0) {
		if (!(at[1] & 0x80))
			return NULL; /* a zero that is not needed: not DER */
		at++;
		length--;
	}
	if (length > halfBytes)
		return NULL;
	memset(into, 0, halfBytes);
	memcpy(into + halfBytes - length, at, length);
	return at + length;
}

bool ucmSlotsVerify(const uint8_t* spki, size_t spkiBytes, const uint8_t* der, size_t derBytes, const uint8_t* text,
	size_t textBytes)
{
	psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
	psa_key_id_t key;
	uint8_t raw[2 * halfBytes];
	const uint8_t* end = der + derBytes;
	const uint8_t* at;
	psa_status_t status;
	if (spkiBytes != sizeof head + pointBytes || memcmp(spki, head, sizeof head) || spki[sizeof head] != 0x04)
		return false;
	if (derBytes < 8 || derBytes > 72 || der[0] != 0x30 || der[1] != derBytes - 2)
		return false;
	at = integer(der + 2, end, raw);
	at = at ? integer(at, end, raw + halfBytes) : NULL;
	if (at != end || psa_crypto_init())
		return false;
	psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1));
	psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_VERIFY_MESSAGE);
	psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
	if (psa_import_key(&attributes, spki + sizeof head, pointBytes, &key))
		return false;
	status = psa_verify_message(key, PSA_ALG_ECDSA(PSA_ALG_SHA_256), text, textBytes, raw, sizeof raw);
	psa_destroy_key(key);
	return status == PSA_SUCCESS;
}
