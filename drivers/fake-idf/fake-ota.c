/*
 * OTA data, the boot loader's choice and its two slots, as ESP-IDF's programming guide describes them: two records of 32 bytes
 * in a sector each; the one with the higher sequence number and a good checksum counts; a sector is erased before it is
 * written. `fakeOtaCut` takes the power away after a number of changes.
 */
#include "esp_ota_ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "psa/crypto.h"

enum { sector = 4096, slotBytes = 16 * sector, magic = 0xe9 };
struct record { uint32_t seq; uint32_t state; uint32_t crc; };

static const esp_partition_t slots[2] = {
	{ .type = 0, .subtype = 0x10, .address = 0x20000, .size = slotBytes, .erase_size = sector, .label = "ota_0" },
	{ .type = 0, .subtype = 0x11, .address = 0x220000, .size = slotBytes, .erase_size = sector, .label = "ota_1" },
};
static uint8_t images[2][slotBytes];
static struct record otadata[2];
static int running;
int fakeOtaCut = -1, fakeOtaChanges;
uint32_t fakeOtaImageVersion[2], fakeOtaFuses;

/* False where power is gone. */
static int change(void)
{
	if (fakeOtaCut == 0)
		return 0;
	if (fakeOtaCut > 0)
		fakeOtaCut--;
	fakeOtaChanges++;
	return 1;
}

static uint32_t crcOf(uint32_t seq) { return ~(seq * 2654435761u); }
static int good(const struct record* r) { return r->seq != 0xffffffffu && r->crc == crcOf(r->seq) && r->state != ESP_OTA_IMG_INVALID && r->state != ESP_OTA_IMG_ABORTED; }
static int slotOf(const struct record* r) { return (int)((r->seq - 1) % 2); }
static int active(void)
{
	int a = good(&otadata[0]), b = good(&otadata[1]);
	return a && b ? (otadata[0].seq > otadata[1].seq ? 0 : 1) : a ? 0 : b ? 1 : -1;
}

/* Erase, then write: power may go between the two. */
static esp_err_t put(int which, struct record r)
{
	if (!change())
		return ESP_FAIL;
	memset(&otadata[which], 0xff, sizeof otadata[which]);
	if (!change())
		return ESP_FAIL;
	otadata[which] = r;
	return ESP_OK;
}

static struct record* recordFor(int slot)
{
	for (int i = 0; i < 2; i++)
		if (otadata[i].seq != 0xffffffffu && otadata[i].crc == crcOf(otadata[i].seq) && slotOf(&otadata[i]) == slot)
			return &otadata[i];
	return NULL;
}

void fakeOtaNew(void)
{
	memset(images, 0xff, sizeof images);
	memset(otadata, 0xff, sizeof otadata);
	images[0][0] = magic;
	otadata[0] = (struct record){ 1, ESP_OTA_IMG_VALID, crcOf(1) };
	running = 0;
	fakeOtaCut = -1;
	fakeOtaChanges = 0;
	memset(fakeOtaImageVersion, 0, sizeof fakeOtaImageVersion);
	fakeOtaFuses = 0;
}

static int bootable(int slot) { return images[slot][0] == magic && fakeOtaImageVersion[slot] >= fakeOtaFuses; }

int fakeOtaBoot(void)
{
	fakeOtaCut = -1;
	for (int tries = 0; tries < 3; tries++) {
		int which = active();
		if (which < 0)
			break;
		struct record r = otadata[which];
		if (r.state == ESP_OTA_IMG_PENDING_VERIFY) {
			r.state = ESP_OTA_IMG_ABORTED;
			put(which, r);
			continue;
		}
		if (!bootable(slotOf(&r))) {
			r.state = ESP_OTA_IMG_INVALID;
			put(which, r);
			continue;
		}
		if (r.state == ESP_OTA_IMG_NEW) {
			r.state = ESP_OTA_IMG_PENDING_VERIFY;
			put(which, r);
		}
		return running = slotOf(&r);
	}
	/* As the boot loader does without usable OTA data: the first slot that holds an image. */
	for (int slot = 0; slot < 2; slot++)
		if (bootable(slot))
			return running = slot;
	return running = -1;
}

const esp_partition_t* esp_ota_get_running_partition(void) { return &slots[running]; }
const esp_partition_t* esp_ota_get_next_update_partition(const esp_partition_t* from) { (void)from; return &slots[!running]; }

esp_err_t esp_ota_get_state_partition(const esp_partition_t* partition, esp_ota_img_states_t* state)
{
	const struct record* r = recordFor((int)(partition - slots));
	if (!r)
		return ESP_ERR_NOT_FOUND;
	*state = (esp_ota_img_states_t)r->state;
	return ESP_OK;
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t* partition)
{
	int slot = (int)(partition - slots), now = active();
	uint32_t seq = now < 0 ? 0 : otadata[now].seq;
	if (!bootable(slot))
		return ESP_ERR_OTA_VALIDATE_FAILED;
	do
		seq++;
	while ((int)((seq - 1) % 2) != slot);
	return put(now < 0 ? 0 : !now, (struct record){ seq, ESP_OTA_IMG_NEW, crcOf(seq) });
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
	struct record* r = recordFor(running);
	if (!r)
		return ESP_ERR_NOT_FOUND;
	struct record next = *r;
	next.state = ESP_OTA_IMG_VALID;
	/* The guide: a state is changed in place, by writing its sector anew. */
	esp_err_t error = put((int)(r - otadata), next);
	if (!error && fakeOtaImageVersion[running] > fakeOtaFuses && change())
		fakeOtaFuses = fakeOtaImageVersion[running];
	return error;
}

esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void)
{
	struct record* r = recordFor(running);
	if (!r || !bootable(!running))
		return ESP_FAIL;
	struct record next = *r;
	next.state = ESP_OTA_IMG_INVALID;
	return put((int)(r - otadata), next);
}

uint32_t esp_efuse_read_secure_version(void) { return fakeOtaFuses; }

static uint8_t* at(const esp_partition_t* partition, size_t where, size_t count)
{
	if (partition != &slots[!running] || where + count > slotBytes) {
		fprintf(stderr, "fake-ota: outside of the other slot\n");
		abort();
	}
	return images[!running] + where;
}

esp_err_t esp_partition_read(const esp_partition_t* partition, size_t where, void* into, size_t count)
{
	memcpy(into, at(partition, where, count), count);
	return ESP_OK;
}

esp_err_t esp_partition_read_raw(const esp_partition_t* partition, size_t where, void* into, size_t count)
{
	return esp_partition_read(partition, where, into, count);
}

esp_err_t esp_partition_write(const esp_partition_t* partition, size_t where, const void* bytes, size_t count)
{
	uint8_t* to = at(partition, where, count);
	if (!change())
		return ESP_FAIL;
	for (size_t i = 0; i < count; i++)
		to[i] &= ((const uint8_t*)bytes)[i];
	return ESP_OK;
}

esp_err_t esp_partition_erase_range(const esp_partition_t* partition, size_t where, size_t count)
{
	uint8_t* to = at(partition, where, count);
	if (!change())
		return ESP_FAIL;
	memset(to, 0xff, count);
	return ESP_OK;
}

/* PSA */

uint8_t fakePsaRaw[64];
psa_status_t fakePsaVerdict;
static uint32_t k[64];

static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

/* The constants of FIPS 180-4 from what they are: fractional parts of roots of the first primes. */
static uint32_t root(int prime, int cube)
{
	uint64_t low = 0, high = 1ull << 36;
	while (high - low > 1) {
		uint64_t middle = (low + high) / 2;
		__uint128_t power = (__uint128_t)middle * middle;
		if (cube) {
			/* (middle / 2^32)^3 < prime, kept within 128 bits. */
			power = (power >> 28) * middle;
			if (power < (__uint128_t)prime << 68) low = middle; else high = middle;
		} else if (power < (__uint128_t)prime << 64) low = middle;
		else high = middle;
	}
	return (uint32_t)low;
}

psa_status_t psa_crypto_init(void) { return PSA_SUCCESS; }
psa_status_t psa_hash_abort(psa_hash_operation_t* o) { (void)o; return PSA_SUCCESS; }

psa_status_t psa_hash_setup(psa_hash_operation_t* o, psa_algorithm_t algorithm)
{
	int found = 0;
	(void)algorithm;
	for (int n = 2; found < 64; n++) {
		int prime = 1;
		for (int d = 2; d * d <= n; d++)
			if (n % d == 0)
				prime = 0;
		if (!prime)
			continue;
		k[found] = root(n, 1);
		if (found < 8)
			o->h[found] = root(n, 0);
		found++;
	}
	o->count = 0;
	return PSA_SUCCESS;
}

static void compress(psa_hash_operation_t* o)
{
	uint32_t w[64], s[8];
	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)o->block[4 * i] << 24 | (uint32_t)o->block[4 * i + 1] << 16 | (uint32_t)o->block[4 * i + 2] << 8 | o->block[4 * i + 3];
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7]
			+ (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(s, o->h, sizeof s);
	for (int i = 0; i < 64; i++) {
		uint32_t one = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
		uint32_t two = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
		memmove(s + 1, s, 7 * sizeof *s);
		s[4] += one;
		s[0] = one + two;
	}
	for (int i = 0; i < 8; i++)
		o->h[i] += s[i];
}

psa_status_t psa_hash_update(psa_hash_operation_t* o, const uint8_t* bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		o->block[o->count++ % 64] = bytes[i];
		if (o->count % 64 == 0)
			compress(o);
	}
	return PSA_SUCCESS;
}

psa_status_t psa_hash_finish(psa_hash_operation_t* o, uint8_t* hash, size_t size, size_t* length)
{
	uint64_t bits = o->count * 8;
	uint8_t byte = 0x80;
	(void)size;
	psa_hash_update(o, &byte, 1);
	for (byte = 0; o->count % 64 != 56;)
		psa_hash_update(o, &byte, 1);
	for (int i = 7; i >= 0; i--) {
		byte = (uint8_t)(bits >> 8 * i);
		psa_hash_update(o, &byte, 1);
	}
	for (int i = 0; i < 32; i++)
		hash[i] = (uint8_t)(o->h[i / 4] >> 8 * (3 - i % 4));
	*length = 32;
	return PSA_SUCCESS;
}

psa_status_t psa_import_key(const psa_key_attributes_t* a, const uint8_t* bytes, size_t count, psa_key_id_t* key)
{
	(void)a; (void)bytes;
	*key = 1;
	return count == 65 ? PSA_SUCCESS : -1;
}

psa_status_t psa_verify_message(psa_key_id_t key, psa_algorithm_t algorithm, const uint8_t* text, size_t textBytes,
	const uint8_t* raw, size_t rawBytes)
{
	(void)key; (void)algorithm; (void)text; (void)textBytes;
	if (rawBytes != sizeof fakePsaRaw)
		return -1;
	memcpy(fakePsaRaw, raw, rawBytes);
	return fakePsaVerdict;
}

psa_status_t psa_destroy_key(psa_key_id_t key) { (void)key; return PSA_SUCCESS; }
