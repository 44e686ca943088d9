#include "identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "der.h"
#include "identity-store.h"
#include "mbed.h"
#include "psa/crypto.h"

/*
 * A record: magic, CRC-32 of all behind it, version (of roots), bytes of the key, bytes of the text; key (32 bytes, the
 * number alone) and PEM text follow. A pair without a text is a key that waits for its certificate.
 */
#define MAGIC 0x314d4355u /* "UCM1" */
enum { pointBytes = 65, numberBytes = 32, keyBytes = 121, headBytes = 20 };

typedef struct {
	uint32_t magic, crc, version, keyBytes, textBytes;
} Head;
_Static_assert(sizeof(Head) == headBytes, "as it lies in the flash");

typedef struct {
	Head head;
	uint8_t key[numberBytes];
	char* text; /* with its end; NULL = none */
} Record;

/* Subject public key info of a P-256 key, up to the uncompressed point (RFC 5480). */
static const uint8_t spkiHead[26] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
	0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };
/* ECPrivateKey (RFC 5915) around the number and the point. */
static const uint8_t keyHead[7] = { 0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20 };
static const uint8_t keyMiddle[17] = { 0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0xa1, 0x44, 0x03, 0x42, 0x00 };

const char* identityResultName(IdentityResult result)
{
	static const char* const names[] = { "fine", "storage", "memory", "unreadable", "no-request", "other-key", "expired",
		"too-large", "old" };
	return names[result];
}

/* Records */

static uint32_t crc32(uint32_t crc, const void* bytes, size_t count)
{
	const uint8_t* at = bytes;
	crc = ~crc;
	while (count-- > 0) {
		crc ^= *at++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

/* Names of credentials are longer than NVS takes: kind, slot and two checksums, 15 characters with the end of text. */
static void keyOf(char key[16], const char* name, IdentityKind kind, IdentitySlot slot)
{
	uint32_t low = crc32(0, name, strlen(name));
	uint32_t high = crc32(low ^ 0x5bd1e995u, name, strlen(name));
	snprintf(key, 16, "%c%c%08x%05x", (char)kind, slot == identityCurrent ? 'c' : 'n', (unsigned)low, (unsigned)(high & 0xfffffu));
}

static void wipe(void* bytes, size_t count)
{
	if (bytes)
		mbedtls_platform_zeroize(bytes, count);
	free(bytes);
}

static void closeRecord(Record* record)
{
	free(record->text);
	mbedtls_platform_zeroize(record, sizeof *record);
}

static uint8_t* readWhole(const char* key, size_t* count)
{
	size_t most = headBytes + numberBytes + IDENTITY_PEM_BYTES;
	uint8_t* bytes;
	*count = identityStoreRead(key, NULL, 0);
	if (*count < headBytes || *count > most)
		return NULL;
	bytes = calloc(1, *count);
	if (bytes && identityStoreRead(key, bytes, *count) == *count)
		return bytes;
	wipe(bytes, *count);
	return NULL;
}

/* False: there is none that is whole. */
static bool openRecord(const char* name, IdentityKind kind, IdentitySlot slot, Record* record)
{
	char key[16];
	size_t count;
	uint8_t* bytes;
	bool isGood = false;
	keyOf(key, name, kind, slot);
	memset(record, 0, sizeof *record);
	bytes = readWhole(key, &count);
	if (!bytes)
		return false;
	memcpy(&record->head, bytes, headBytes);
	if (record->head.magic == MAGIC && record->head.crc == crc32(0, bytes + 8, count - 8)
		&& (record->head.keyBytes == 0 || record->head.keyBytes == numberBytes)
		&& record->head.textBytes == count - headBytes - record->head.keyBytes) {
		memcpy(record->key, bytes + headBytes, record->head.keyBytes);
		isGood = true;
		if (record->head.textBytes > 0) {
			record->text = calloc(1, record->head.textBytes + 1);
			isGood = record->text != NULL;
			if (isGood)
				memcpy(record->text, bytes + headBytes + record->head.keyBytes, record->head.textBytes);
		}
	}
	wipe(bytes, count);
	if (!isGood)
		closeRecord(record);
	return isGood;
}

static IdentityResult writeRecord(const char* name, IdentityKind kind, IdentitySlot slot, uint32_t version, const uint8_t* number,
	const char* text)
{
	char key[16];
	size_t textBytes = text ? strlen(text) : 0;
	Head head = { MAGIC, 0, version, number ? numberBytes : 0, (uint32_t)textBytes };
	size_t count = headBytes + head.keyBytes + textBytes;
	uint8_t* bytes = calloc(1, count);
	bool isWritten;
	if (!bytes)
		return identityMemory;
	if (number)
		memcpy(bytes + headBytes, number, numberBytes);
	if (text)
		memcpy(bytes + headBytes + head.keyBytes, text, textBytes);
	memcpy(bytes, &head, headBytes);
	head.crc = crc32(0, bytes + 8, count - 8);
	memcpy(bytes, &head, headBytes);
	keyOf(key, name, kind, slot);
	isWritten = identityStoreWrite(key, bytes, count);
	wipe(bytes, count);
	return isWritten ? identityFine : identityStorage;
}

IdentityResult identityDrop(const char* name, IdentityKind kind)
{
	char key[16];
	keyOf(key, name, kind, identityNext);
	return identityStoreErase(key) ? identityFine : identityStorage;
}

IdentityResult identityConfirm(const char* name, IdentityKind kind)
{
	char from[16], to[16];
	size_t count;
	uint8_t* bytes;
	Record next;
	bool isWritten;
	if (!openRecord(name, kind, identityNext, &next))
		return identityFine;
	isWritten = next.text != NULL; /* a key that waits for its certificate goes on waiting */
	closeRecord(&next);
	if (!isWritten)
		return identityFine;
	keyOf(from, name, kind, identityNext);
	keyOf(to, name, kind, identityCurrent);
	bytes = readWhole(from, &count);
	if (!bytes)
		return identityMemory;
	isWritten = identityStoreWrite(to, bytes, count);
	wipe(bytes, count);
	/* A power cut before this leaves the same set twice: it proves itself once more. */
	return isWritten && identityStoreErase(from) ? identityFine : identityStorage;
}

/* Keys: by PSA, which Mbed TLS from 2.28 on has. The number is in this chip's memory for as long as a call takes. */

static bool importKey(const uint8_t number[numberBytes], psa_key_id_t* id)
{
	psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
	psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
	psa_set_key_bits(&attributes, 256);
	psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_MESSAGE | PSA_KEY_USAGE_EXPORT);
	psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
	if (psa_crypto_init() != PSA_SUCCESS)
		return false;
	return (number ? psa_import_key(&attributes, number, numberBytes, id) : psa_generate_key(&attributes, id)) == PSA_SUCCESS;
}

static bool makeKey(uint8_t number[numberBytes])
{
	psa_key_id_t id;
	size_t count = 0;
	bool isMade;
	if (!importKey(NULL, &id))
		return false;
	isMade = psa_export_key(id, number, numberBytes, &count) == PSA_SUCCESS && count == numberBytes;
	psa_destroy_key(id);
	return isMade;
}

static bool publicPoint(const uint8_t number[numberBytes], uint8_t point[pointBytes])
{
	psa_key_id_t id;
	size_t count = 0;
	bool isMade;
	if (!importKey(number, &id))
		return false;
	isMade = psa_export_public_key(id, point, pointBytes, &count) == PSA_SUCCESS && count == pointBytes;
	psa_destroy_key(id);
	return isMade;
}

/* Certificates */

/* 0, or the text is not certificates alone. */
static int parse(mbedtls_x509_crt* chain, const char* pem)
{
	int error, count = 0;
	mbedtls_x509_crt_init(chain);
	error = mbedtls_x509_crt_parse(chain, (const unsigned char*)pem, strlen(pem) + 1);
	/* The library passes over a last one that is cut off. */
	for (const char* at = pem; (at = strstr(at, "-----BEGIN")); at++)
		count++;
	for (const mbedtls_x509_crt* each = chain; each && each->raw.p; each = each->next)
		count--;
	if (!error && count != 0) {
		mbedtls_x509_crt_free(chain);
		mbedtls_x509_crt_init(chain);
		error = -1;
	}
	return error;
}

/* Days since 1970 of a date (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t utcOf(const mbedtls_x509_time* time)
{
	int64_t year = time->year - (time->mon <= 2);
	int64_t era = year / 400, inEra = year - era * 400;
	int64_t inYear = (153 * (time->mon + (time->mon > 2 ? -3 : 9)) + 2) / 5 + time->day - 1;
	int64_t days = era * 146097 + inEra * 365 + inEra / 4 - inEra / 100 + inYear - 719468;
	return (((days * 24 + time->hour) * 60 + time->min) * 60 + time->sec) * 1000;
}

static bool sameBytes(const mbedtls_x509_buf* one, const mbedtls_x509_buf* other)
{
	return one->len == other->len && !memcmp(one->p, other->p, one->len);
}

/* The subjectAltName of a certificate, as the extension stands in it; NULL: it has none. */
static const uint8_t* alternativeName(const mbedtls_x509_crt* leaf, size_t* count)
{
	static const uint8_t type[5] = { 0x06, 0x03, 0x55, 0x1d, 0x11 };
	const uint8_t* at = leaf->v3_ext.p;
	const uint8_t* end = at + leaf->v3_ext.len;
	size_t length;
	if (!at)
		return NULL;
	/* Some versions keep the [3] around the extensions, some do not. */
	const uint8_t* inner = derEnter(&at, end, 0xa3, &length);
	at = inner ? inner : leaf->v3_ext.p;
	end = inner ? inner + length : end;
	at = derEnter(&at, end, 0x30, &length);
	if (!at)
		return NULL;
	for (end = at + length; at < end;) {
		const uint8_t* start = at;
		const uint8_t* extension = derEnter(&at, end, 0x30, &length);
		if (!extension)
			return NULL;
		if (length > sizeof type && !memcmp(extension, type, sizeof type)) {
			*count = (size_t)(at - start);
			return start;
		}
	}
	return NULL;
}

/* The request's inner part: version, subject, key, attributes (RFC 2986 4.1). */
static void putInfo(DerWriter* to, const uint8_t point[pointBytes], const char* subject, const mbedtls_x509_crt* leaf)
{
	static const uint8_t requested[11] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e };
	static const uint8_t commonName[5] = { 0x06, 0x03, 0x55, 0x04, 0x03 };
	static const uint8_t version[3] = { 0x02, 0x01, 0x00 };
	const uint8_t* end = to->at;
	size_t count = 0;
	const uint8_t* names = leaf ? alternativeName(leaf, &count) : NULL;
	if (names) {
		derPut(to, names, count);
		derHead(to, 0x30, end);
		derHead(to, 0x31, end);
		derPut(to, requested, sizeof requested);
		derHead(to, 0x30, end);
	}
	derHead(to, 0xa0, end);
	derPut(to, point, pointBytes);
	derPut(to, spkiHead, sizeof spkiHead);
	if (leaf)
		derPut(to, leaf->subject_raw.p, leaf->subject_raw.len);
	else {
		const uint8_t* nameEnd = to->at;
		derPut(to, subject, strlen(subject));
		derHead(to, 0x0c, nameEnd);
		derPut(to, commonName, sizeof commonName);
		derHead(to, 0x30, nameEnd);
		derHead(to, 0x31, nameEnd);
		derHead(to, 0x30, nameEnd);
	}
	derPut(to, version, sizeof version);
	derHead(to, 0x30, end);
}

/* What a request is made in: too much for the stack of a task. */
typedef struct {
	uint8_t info[IDENTITY_REQUEST_BYTES / 2], whole[IDENTITY_REQUEST_BYTES / 2 + 128], point[pointBytes], signature[2 * numberBytes];
} Workshop;

static IdentityResult makeRequest(Workshop* at, const uint8_t number[numberBytes], const char* subject, const mbedtls_x509_crt* leaf,
	char* pem, size_t size)
{
	static const uint8_t ecdsaSha256[12] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
	static const uint8_t noUnusedBits;
	const uint8_t* infoEnd = at->info + sizeof at->info;
	const uint8_t* end = at->whole + sizeof at->whole;
	DerWriter inner = { at->info, at->info + sizeof at->info, false }, outer = { at->whole, at->whole + sizeof at->whole, false };
	psa_key_id_t id;
	psa_status_t status;
	size_t count = 0;
	if (!publicPoint(number, at->point))
		return identityMemory;
	putInfo(&inner, at->point, subject, leaf);
	if (inner.full)
		return identityTooLarge;
	if (!importKey(number, &id))
		return identityMemory;
	status = psa_sign_message(id, PSA_ALG_ECDSA(PSA_ALG_SHA_256), inner.at, (size_t)(infoEnd - inner.at), at->signature,
		sizeof at->signature, &count);
	psa_destroy_key(id);
	if (status != PSA_SUCCESS || count != sizeof at->signature)
		return identityMemory;
	derUnsigned(&outer, at->signature + numberBytes, numberBytes);
	derUnsigned(&outer, at->signature, numberBytes);
	derHead(&outer, 0x30, end);
	derPut(&outer, &noUnusedBits, 1);
	derHead(&outer, 0x03, end);
	derPut(&outer, ecdsaSha256, sizeof ecdsaSha256);
	derPut(&outer, inner.at, (size_t)(infoEnd - inner.at));
	derHead(&outer, 0x30, end);
	if (outer.full || !pemPut(pem, size, 0, "CERTIFICATE REQUEST", outer.at, (size_t)(end - outer.at)))
		return identityTooLarge;
	return identityFine;
}

static IdentityResult putRequest(const uint8_t number[numberBytes], const char* subject, const mbedtls_x509_crt* leaf, char* pem,
	size_t size)
{
	Workshop* at = calloc(1, sizeof *at);
	IdentityResult result = at ? makeRequest(at, number, subject, leaf, pem, size) : identityMemory;
	free(at);
	return result;
}

/* What the module shows now: it asks for more of that. */
static bool openLeaf(const char* name, IdentitySlot slot, mbedtls_x509_crt* chain)
{
	Record record;
	bool isThere = openRecord(name, identityPair, slot, &record);
	if (!isThere)
		return false;
	isThere = record.text && parse(chain, record.text) == 0;
	if (record.text && !isThere)
		mbedtls_x509_crt_free(chain);
	closeRecord(&record);
	return isThere;
}

IdentityResult identityRequest(const char* name, const char* subject, char* pem, size_t size)
{
	Record next;
	uint8_t number[numberBytes];
	mbedtls_x509_crt leaf;
	bool hasLeaf;
	IdentityResult result = identityFine;
	if (size > 0)
		pem[0] = 0;
	/* The key of a request that was never answered is as good as a new one, and spares the flash. */
	if (openRecord(name, identityPair, identityNext, &next) && next.head.keyBytes > 0 && !next.text)
		memcpy(number, next.key, numberBytes);
	else if (makeKey(number))
		result = writeRecord(name, identityPair, identityNext, 0, number, NULL);
	else
		result = identityMemory;
	closeRecord(&next);
	if (result == identityFine) {
		hasLeaf = openLeaf(name, identityCurrent, &leaf);
		result = putRequest(number, subject, hasLeaf ? &leaf : NULL, pem, size);
		if (hasLeaf)
			mbedtls_x509_crt_free(&leaf);
	}
	mbedtls_platform_zeroize(number, sizeof number);
	return result;
}

/* Leaf first, then the others; then what the current chain has above its leaf, where nothing came and it fits. */
static IdentityResult orderChain(const char* name, const mbedtls_x509_crt* chain, const mbedtls_x509_crt* leaf, char* text)
{
	mbedtls_x509_crt old;
	size_t used = pemPut(text, IDENTITY_PEM_BYTES, 0, "CERTIFICATE", leaf->raw.p, leaf->raw.len);
	bool isAlone = !chain->next;
	for (const mbedtls_x509_crt* each = chain; each && used > 0; each = each->next)
		if (each != leaf)
			used = pemPut(text, IDENTITY_PEM_BYTES, used, "CERTIFICATE", each->raw.p, each->raw.len);
	if (isAlone && used > 0 && openLeaf(name, identityCurrent, &old)) {
		if (old.next && sameBytes(&old.next->subject_raw, &leaf->issuer_raw))
			for (const mbedtls_x509_crt* each = old.next; each && used > 0; each = each->next)
				used = pemPut(text, IDENTITY_PEM_BYTES, used, "CERTIFICATE", each->raw.p, each->raw.len);
		mbedtls_x509_crt_free(&old);
	}
	return used > 0 ? identityFine : identityTooLarge;
}

IdentityResult identityInstall(const char* name, const char* pem, int64_t utcMs)
{
	Record next;
	uint8_t spki[sizeof spkiHead + pointBytes];
	mbedtls_x509_crt chain;
	const mbedtls_x509_crt* leaf = NULL;
	char* text;
	int count = 0;
	IdentityResult result = identityFine;
	if (strlen(pem) >= IDENTITY_PEM_BYTES)
		return identityTooLarge;
	if (!openRecord(name, identityPair, identityNext, &next))
		return identityNoRequest;
	memcpy(spki, spkiHead, sizeof spkiHead);
	if (next.head.keyBytes == 0 || next.text)
		result = identityNoRequest;
	else if (!publicPoint(next.key, spki + sizeof spkiHead))
		result = identityMemory;
	if (result == identityFine && parse(&chain, pem) != 0)
		result = identityUnreadable;
	else if (result != identityFine)
		mbedtls_x509_crt_init(&chain);
	for (const mbedtls_x509_crt* each = &chain; each && result == identityFine; each = each->next) {
		if (++count > IDENTITY_CERTIFICATES)
			result = identityTooLarge;
		else if (!leaf && each->pk_raw.len == sizeof spki && !memcmp(each->pk_raw.p, spki, sizeof spki))
			leaf = each;
	}
	if (result == identityFine && !leaf)
		result = identityOtherKey;
	if (result == identityFine && utcMs != IDENTITY_NO_CLOCK && (utcMs < utcOf(&leaf->valid_from) || utcMs >= utcOf(&leaf->valid_to)))
		result = identityExpired;
	if (result == identityFine) {
		text = calloc(1, IDENTITY_PEM_BYTES);
		result = text ? orderChain(name, &chain, leaf, text) : identityMemory;
		if (result == identityFine)
			result = writeRecord(name, identityPair, identityNext, 0, next.key, text);
		free(text);
	}
	mbedtls_x509_crt_free(&chain);
	closeRecord(&next);
	return result;
}

bool identityDates(const char* name, IdentitySlot slot, int64_t* fromMs, int64_t* untilMs)
{
	mbedtls_x509_crt leaf;
	if (!openLeaf(name, slot, &leaf))
		return false;
	*fromMs = utcOf(&leaf.valid_from);
	*untilMs = utcOf(&leaf.valid_to);
	mbedtls_x509_crt_free(&leaf);
	return true;
}

/* Roots */

uint32_t identityRootsVersion(const char* name, IdentitySlot slot)
{
	Record record;
	uint32_t version = openRecord(name, identityRoots, slot, &record) ? record.head.version : 0;
	closeRecord(&record);
	return version;
}

static bool isRoot(const mbedtls_x509_crt* each)
{
	return each->MBEDTLS_PRIVATE(ca_istrue) && sameBytes(&each->subject_raw, &each->issuer_raw);
}

IdentityResult identityPutRoots(const char* name, uint32_t version, const char* pem)
{
	mbedtls_x509_crt chain;
	IdentityResult result = identityFine;
	int count = 0;
	if (strlen(pem) >= IDENTITY_PEM_BYTES)
		return identityTooLarge;
	if (version <= identityRootsVersion(name, identityCurrent) || version <= identityRootsVersion(name, identityNext))
		return identityOld;
	if (parse(&chain, pem) != 0)
		result = identityUnreadable;
	for (const mbedtls_x509_crt* each = &chain; each && result == identityFine; each = each->next)
		if (++count > IDENTITY_ROOTS)
			result = identityTooLarge;
		else if (!isRoot(each))
			result = identityUnreadable;
	mbedtls_x509_crt_free(&chain);
	return result == identityFine ? writeRecord(name, identityRoots, identityNext, version, NULL, pem) : result;
}

/* For TLS */

void identityClose(IdentitySet* set)
{
	for (int at = 0; at < 3; at++)
		wipe(set->bytes[at], set->counts[at]);
	memset(set, 0, sizeof *set);
}

IdentityResult identityOpen(const char* name, bool wantPair, IdentitySlot pair, IdentitySlot roots, IdentitySet* set)
{
	Record record;
	memset(set, 0, sizeof *set);
	if (openRecord(name, identityRoots, roots, &record) && record.text) {
		set->bytes[0] = (uint8_t*)record.text;
		set->counts[0] = record.head.textBytes;
		record.text = NULL;
	}
	closeRecord(&record);
	if (!wantPair || !openRecord(name, identityPair, pair, &record))
		return identityFine;
	if (record.text && record.head.keyBytes > 0) {
		uint8_t* key = calloc(1, keyBytes);
		set->bytes[1] = (uint8_t*)record.text;
		set->counts[1] = record.head.textBytes;
		record.text = NULL;
		set->bytes[2] = key;
		set->counts[2] = keyBytes;
		if (key) {
			memcpy(key, keyHead, sizeof keyHead);
			memcpy(key + sizeof keyHead, record.key, numberBytes);
			memcpy(key + sizeof keyHead + numberBytes, keyMiddle, sizeof keyMiddle);
		}
		if (!key || !publicPoint(record.key, key + keyBytes - pointBytes)) {
			closeRecord(&record);
			identityClose(set);
			return identityMemory;
		}
	}
	closeRecord(&record);
	return identityFine;
}
