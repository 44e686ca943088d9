/* drivers/slots over fake-ota.c: an update with the power cut at every change of the flash, and what is refused. */
#include "slots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "psa/crypto.h"

#define EXPECT(what) do { if (!(what)) { fprintf(stderr, "line %d: %s\n", __LINE__, #what); exit(1); } } while (0)

enum { sectors = 3 };
static uint8_t image[sectors * 4096];

/* The steps of an update as src/update takes them; stops where power is gone. */
static void update(void)
{
	for (uint32_t at = 0; at < sizeof image; at += 4096) {
		if (ucmSlotsErase(at))
			return;
		for (uint32_t page = 0; page < 4096; page += 512)
			if (ucmSlotsWrite(at + page, image + at + page, 512))
				return;
	}
	ucmSlotsBoot();
}

/* What the firmware in a slot does after a boot: slot 1 is new, and good. */
static void firmware(void)
{
	UcmSlots state;
	EXPECT(ucmSlotsState(&state) == ESP_OK);
	if (state.trial)
		ucmSlotsConfirm();
	else if (state.slot == 0)
		update();
}

static UcmSlots now(void)
{
	UcmSlots state;
	EXPECT(ucmSlotsState(&state) == ESP_OK);
	return state;
}

int main(void)
{
	uint8_t hash[32], bytes[32];
	int changes, bricks = 0;
	for (size_t i = 0; i < sizeof image; i++)
		image[i] = (uint8_t)(i * 7 + i / 251);
	image[0] = 0xe9;

	/* The way without a cut. */
	fakeOtaNew();
	EXPECT(fakeOtaBoot() == 0 && now().other == UCM_OTHER_EMPTY && !now().trial && now().slotBytes == 65536);
	update();
	EXPECT(now().other == UCM_OTHER_WRITTEN);
	EXPECT(ucmSlotsHash(0, sizeof image, hash) == ESP_OK);
	psa_hash_operation_t own = PSA_HASH_OPERATION_INIT;
	size_t length;
	psa_hash_setup(&own, PSA_ALG_SHA_256);
	psa_hash_update(&own, (const uint8_t*)"abc", 3);
	psa_hash_finish(&own, bytes, 32, &length);
	EXPECT(bytes[0] == 0xba && bytes[1] == 0x78 && bytes[31] == 0xad);
	psa_hash_setup(&own, PSA_ALG_SHA_256);
	psa_hash_update(&own, image, sizeof image);
	psa_hash_finish(&own, bytes, 32, &length);
	EXPECT(!memcmp(hash, bytes, 32));
	EXPECT(ucmSlotsRead(4090, bytes, 13, false) == ESP_OK && !memcmp(bytes, image + 4090, 13));
	EXPECT(ucmSlotsRead(4090, bytes, 13, true) == ESP_OK && !memcmp(bytes, image + 4090, 13));
	EXPECT(fakeOtaBoot() == 1 && now().trial && now().slot == 1 && now().other == UCM_OTHER_VALID);
	ucmSlotsConfirm();
	EXPECT(!now().trial && fakeOtaBoot() == 1 && !now().trial);
	changes = fakeOtaChanges;

	/* Power is cut at every one of these changes, once: the device always boots, and always gets there. */
	for (int cut = 0; cut < changes; cut++) {
		fakeOtaNew();
		fakeOtaBoot();
		fakeOtaCut = cut;
		for (int boots = 0; boots < 8; boots++) {
			firmware();
			if (fakeOtaBoot() < 0) {
				bricks++;
				break;
			}
		}
		if (now().slot != 1 || now().trial)
			bricks++;
	}
	EXPECT(bricks == 0);

	/* A reset on trial goes back, and so does giving up. */
	fakeOtaNew();
	update();
	EXPECT(fakeOtaBoot() == 1 && fakeOtaBoot() == 0 && now().other == UCM_OTHER_ABORTED && !now().trial);
	fakeOtaNew();
	update();
	EXPECT(fakeOtaBoot() == 1 && ucmSlotsRollBack() == ESP_OK && fakeOtaBoot() == 0 && now().other == UCM_OTHER_INVALID);

	/* No image, or one below the fuses, is not booted; the fuses move when an image is confirmed, not before. */
	fakeOtaNew();
	EXPECT(ucmSlotsBoot() == ESP_ERR_OTA_VALIDATE_FAILED && fakeOtaBoot() == 0);
	fakeOtaImageVersion[1] = 3;
	update();
	EXPECT(fakeOtaBoot() == 1 && now().securityVersion == 0);
	ucmSlotsConfirm();
	EXPECT(now().securityVersion == 3 && ucmSlotsBoot() == ESP_ERR_OTA_VALIDATE_FAILED);

	/* Outside and not aligned: refused before the IDF hears of it. */
	EXPECT(ucmSlotsErase(65536) == ESP_ERR_INVALID_ARG && ucmSlotsErase(100) == ESP_ERR_INVALID_ARG && ucmSlotsErase(UINT32_MAX) == ESP_ERR_INVALID_ARG);
	EXPECT(ucmSlotsWrite(65536 - 16, image, 32) == ESP_ERR_INVALID_ARG && ucmSlotsWrite(8, image, 16) == ESP_ERR_INVALID_ARG && ucmSlotsWrite(0, image, 17) == ESP_ERR_INVALID_ARG);
	EXPECT(ucmSlotsRead(65530, bytes, 7, true) == ESP_ERR_INVALID_ARG && ucmSlotsHash(1, 65536, hash) == ESP_ERR_INVALID_ARG);

	/* Signatures: DER into two halves, and nothing that is not exactly DER. */
	{
		uint8_t spki[91] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
			0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };
		uint8_t der[] = { 0x30, 0x08, 0x02, 0x02, 0x00, 0x81, 0x02, 0x02, 0x12, 0x34 };
		fakePsaVerdict = PSA_SUCCESS;
		EXPECT(ucmSlotsVerify(spki, sizeof spki, der, sizeof der, image, 10));
		EXPECT(fakePsaRaw[31] == 0x81 && fakePsaRaw[30] == 0 && fakePsaRaw[62] == 0x12 && fakePsaRaw[63] == 0x34);
		EXPECT(!ucmSlotsVerify(spki, sizeof spki - 1, der, sizeof der, image, 10));
		for (size_t i = 0; i < 8; i++)
			for (int bit = 0; bit < 8; bit++) {
				uint8_t bad[sizeof der];
				if (i == 4 || (i == 5 && bit != 7))
					continue; /* parts of a number */
				memcpy(bad, der, sizeof der);
				bad[i] ^= (uint8_t)(1 << bit);
				EXPECT(!ucmSlotsVerify(spki, sizeof spki, bad, sizeof bad, image, 10));
			}
		for (size_t cut = 0; cut < sizeof der; cut++)
			EXPECT(!ucmSlotsVerify(spki, sizeof spki, der, cut, image, 10));
		fakePsaVerdict = -149;
		EXPECT(!ucmSlotsVerify(spki, sizeof spki, der, sizeof der, image, 10));
		spki[25] = 1;
		EXPECT(!ucmSlotsVerify(spki, sizeof spki, der, sizeof der, image, 10));
	}
	printf("slots ok, %d power cuts\n", changes);
	return 0;
}
