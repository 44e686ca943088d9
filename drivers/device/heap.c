/* What JavaScript has left, by XS's own account of its heap, which no header for applications gives. Never run on hardware. */
#include "xsAll.h"

/* Below this what looks used is swept first: most of it is garbage. */
enum { SWEEP_BYTES = 16 * 1024 };

static txSize left(txMachine* the)
{
	txSize chunks = the->maximumChunksSize - the->currentChunksSize;
	txSize slots = (the->maximumHeapCount - the->currentHeapCount) * (txSize)sizeof(txSlot);
	return chunks < slots ? chunks : slots;
}

/* Bytes of the scarcer of the two parts, chunks and slots. */
void xs_ucm_free_bytes(txMachine* the)
{
	txSize bytes = left(the);
	if (bytes < SWEEP_BYTES) {
		fxCollectGarbage(the);
		bytes = left(the);
	}
	fxInteger(the, mxResult, bytes);
}
