/* As much of PSA as drivers/slots calls, for hosts without Mbed TLS: hashes are right, every signature is as the test says. */
#ifndef FAKE_PSA_CRYPTO_H
#define FAKE_PSA_CRYPTO_H
#include <stddef.h>
#include <stdint.h>
typedef int32_t psa_status_t;
typedef uint32_t psa_algorithm_t, psa_key_id_t, psa_key_type_t, psa_key_usage_t;
typedef struct { uint32_t h[8]; uint8_t block[64]; uint64_t count; } psa_hash_operation_t;
typedef struct { int unused; } psa_key_attributes_t;
#define PSA_SUCCESS 0
#define PSA_HASH_OPERATION_INIT { { 0 }, { 0 }, 0 }
#define PSA_KEY_ATTRIBUTES_INIT { 0 }
#define PSA_ALG_SHA_256 1
#define PSA_ALG_ECDSA(hash) (hash)
#define PSA_ECC_FAMILY_SECP_R1 0
#define PSA_KEY_TYPE_ECC_PUBLIC_KEY(family) (family)
#define PSA_KEY_USAGE_VERIFY_MESSAGE 0
#define psa_set_key_type(attributes, type) ((void)(attributes), (void)(type))
#define psa_set_key_usage_flags(attributes, usage) ((void)(attributes), (void)(usage))
#define psa_set_key_algorithm(attributes, algorithm) ((void)(attributes), (void)(algorithm))
extern psa_status_t psa_crypto_init(void);
extern psa_status_t psa_hash_setup(psa_hash_operation_t* operation, psa_algorithm_t algorithm);
extern psa_status_t psa_hash_update(psa_hash_operation_t* operation, const uint8_t* bytes, size_t count);
extern psa_status_t psa_hash_finish(psa_hash_operation_t* operation, uint8_t* hash, size_t size, size_t* length);
extern psa_status_t psa_hash_abort(psa_hash_operation_t* operation);
extern psa_status_t psa_import_key(const psa_key_attributes_t* attributes, const uint8_t* bytes, size_t count, psa_key_id_t* key);
extern psa_status_t psa_verify_message(psa_key_id_t key, psa_algorithm_t algorithm, const uint8_t* text, size_t textBytes,
	const uint8_t* raw, size_t rawBytes);
extern psa_status_t psa_destroy_key(psa_key_id_t key);
/* For tests: the r and s that came, and what is answered. */
extern uint8_t fakePsaRaw[64];
extern psa_status_t fakePsaVerdict;
#endif
