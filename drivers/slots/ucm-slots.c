/* XS side of the slots: the native functions of ucm-slots.js. Never run on hardware, nor compiled against the IDF. */
#include "xsmc.h"
#include "mc.xs.h" /* xsID_… */
#include "xsHost.h"

#include "slots.h"

/* An address or a length; a number that is none becomes one that is refused. */
static uint32_t natural(xsMachine* the, int index)
{
	xsNumberValue value = xsmcToNumber(xsArg(index));
	return value >= 0 && value < 4294967295.0 && value == (xsNumberValue)(uint32_t)value ? (uint32_t)value : UINT32_MAX;
}

/* (which): 0 slot, 1 trial, 2 the other slot's state, 3 bytes of a slot, 4 security version; −1 without two slots. */
void xs_ucm_slots_state(xsMachine* the)
{
	UcmSlots state;
	int which = xsmcToInteger(xsArg(0));
	xsNumberValue value = -1;
	if (ucmSlotsState(&state) == ESP_OK)
		value = which == 0 ? state.slot : which == 1 ? state.trial : which == 2 ? (xsNumberValue)state.other
			: which == 3 ? state.slotBytes : state.securityVersion;
	xsmcSetNumber(xsResult, value);
}

/* (at): an error of the IDF, 0 = done. */
void xs_ucm_slots_erase(xsMachine* the) { xsmcSetInteger(xsResult, ucmSlotsErase(natural(the, 0))); }

/* (at, bytes) */
void xs_ucm_slots_write(xsMachine* the)
{
	void* bytes;
	xsUnsignedValue length;
	uint32_t at = natural(the, 0);
	xsmcGetBufferReadable(xsArg(1), &bytes, &length);
	xsmcSetInteger(xsResult, ucmSlotsWrite(at, bytes, length));
}

/* (at, into, raw) */
void xs_ucm_slots_read(xsMachine* the)
{
	void* bytes;
	xsUnsignedValue length;
	uint32_t at = natural(the, 0);
	xsmcGetBufferWritable(xsArg(1), &bytes, &length);
	xsmcSetInteger(xsResult, ucmSlotsRead(at, bytes, length, xsmcToBoolean(xsArg(2))));
}

/* (at, length, into 32 bytes) */
void xs_ucm_slots_hash(xsMachine* the)
{
	uint8_t hash[32];
	void* bytes;
	xsUnsignedValue length;
	esp_err_t error = ucmSlotsHash(natural(the, 0), natural(the, 1), hash);
	xsmcGetBufferWritable(xsArg(2), &bytes, &length);
	if (!error && length != sizeof hash)
		error = ESP_ERR_INVALID_ARG;
	if (!error)
		memcpy(bytes, hash, sizeof hash);
	xsmcSetInteger(xsResult, error);
}

void xs_ucm_slots_boot(xsMachine* the) { xsmcSetInteger(xsResult, ucmSlotsBoot()); }
void xs_ucm_slots_confirm(xsMachine* the) { xsmcSetInteger(xsResult, ucmSlotsConfirm()); }
void xs_ucm_slots_roll_back(xsMachine* the) { xsmcSetInteger(xsResult, ucmSlotsRollBack()); }

/* (spki, signature, text), all bytes: true where it is good. */
void xs_ucm_slots_verify(xsMachine* the)
{
	void *spki, *signature, *text;
	xsUnsignedValue spkiBytes, signatureBytes, textBytes;
	xsmcGetBufferReadable(xsArg(0), &spki, &spkiBytes);
	xsmcGetBufferReadable(xsArg(1), &signature, &signatureBytes);
	xsmcGetBufferReadable(xsArg(2), &text, &textBytes);
	xsmcSetBoolean(xsResult, ucmSlotsVerify(spki, spkiBytes, signature, signatureBytes, text, textBytes));
}
