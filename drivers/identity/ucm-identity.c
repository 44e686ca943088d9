/* XS side of the identity: the native functions of ucm-identity.js. Never run on hardware; see drivers/README.md. */
#include "xsmc.h"
#include "mc.xs.h" /* xsID_… */
#include "xsHost.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "tls-worker.h"

static void nameOf(xsMachine* the, char name[IDENTITY_NAME_BYTES]) { xsmcToStringBuffer(xsArg(0), name, IDENTITY_NAME_BYTES); }
static IdentityKind kindOf(xsMachine* the, int index) { return xsmcToInteger(xsArg(index)) == 1 ? identityRoots : identityPair; }
static IdentitySlot slotOf(xsMachine* the, int index) { return xsmcToInteger(xsArg(index)) == 1 ? identityNext : identityCurrent; }
static void answer(xsMachine* the, IdentityResult result) { xsmcSetString(xsResult, (char*)identityResultName(result)); }

/* (name, subject): a request as PEM; undefined where none can be made. */
void xs_ucm_identity_request(xsMachine* the)
{
	char name[IDENTITY_NAME_BYTES], subject[IDENTITY_SUBJECT_BYTES];
	char* pem;
	nameOf(the, name);
	xsmcToStringBuffer(xsArg(1), subject, sizeof subject);
	pem = malloc(IDENTITY_REQUEST_BYTES);
	if (pem && identityRequest(name, subject, pem, IDENTITY_REQUEST_BYTES) == identityFine)
		xsmcSetString(xsResult, pem);
	free(pem);
}

/* A text of the machine's, copied, because what is called may take its time and the machine may move it. */
static char* textOf(xsMachine* the, int index)
{
	const char* text = xsmcToString(xsArg(index));
	size_t count = strlen(text);
	char* copy = count < IDENTITY_PEM_BYTES ? malloc(count + 1) : NULL;
	if (copy)
		memcpy(copy, text, count + 1);
	return copy;
}

/* (name, chain, utcMs): what became of it */
void xs_ucm_identity_install(xsMachine* the)
{
	char name[IDENTITY_NAME_BYTES];
	xsNumberValue utcMs = xsmcToNumber(xsArg(2));
	char* text;
	nameOf(the, name);
	text = textOf(the, 1);
	answer(the, text ? identityInstall(name, text, isfinite(utcMs) && fabs(utcMs) < 1e15 ? (int64_t)utcMs : IDENTITY_NO_CLOCK)
		: identityTooLarge);
	free(text);
}

/* (name, version, bundle) */
void xs_ucm_identity_put_roots(xsMachine* the)
{
	char name[IDENTITY_NAME_BYTES];
	xsNumberValue version = xsmcToNumber(xsArg(1));
	char* text;
	nameOf(the, name);
	text = textOf(the, 2);
	answer(the, !text ? identityTooLarge : version >= 1 && version < 4294967295.0
		? identityPutRoots(name, (uint32_t)version, text) : identityUnreadable);
	free(text);
}

/* (name, kind): 0 certificate, 1 roots */
void xs_ucm_identity_confirm(xsMachine* the)
{
	char name[IDENTITY_NAME_BYTES];
	nameOf(the, name);
	answer(the, identityConfirm(name, kindOf(the, 1)));
}

void xs_ucm_identity_drop(xsMachine* the)
{
	char name[IDENTITY_NAME_BYTES];
	nameOf(the, name);
	answer(the, identityDrop(name, kindOf(the, 1)));
}

/* (name, slot, which): 0 the begin, 1 the end of validity, ms since 1970; NaN = no certificate. */
void xs_ucm_identity_date(xsMachine* the)
{
	char name[IDENTITY_NAME_BYTES];
	int64_t fromMs = 0, untilMs = 0;
	nameOf(the, name);
	if (identityDates(name, slotOf(the, 1), &fromMs, &untilMs))
		xsmcSetNumber(xsResult, (xsNumberValue)(xsmcToInteger(xsArg(2)) == 1 ? untilMs : fromMs));
	else
		xsmcSetNumber(xsResult, NAN);
}

/* (name, slot): 0 = none */
void xs_ucm_identity_roots_version(xsMachine* the)
{
	char name[IDENTITY_NAME_BYTES];
	nameOf(the, name);
	xsmcSetNumber(xsResult, identityRootsVersion(name, slotOf(the, 1)));
}

/*
 * (name, pair, roots, ca, profile): sets TLS's credentials of that name, so that no key passes through the machine. pair and
 * roots: 0 current, 1 next, pair −1: none. ca: what is trusted where no bundle is kept. Answers with TLS's reason or ours.
 */
void xs_ucm_identity_use(xsMachine* the)
{
	char name[IDENTITY_NAME_BYTES];
	IdentitySet set;
	IdentityResult result;
	TlsProfile profile = xsmcToInteger(xsArg(4)) == 1 ? tlsOpenAdr20b : tlsModern;
	char* given;
	nameOf(the, name);
	given = textOf(the, 3);
	result = identityOpen(name, xsmcToInteger(xsArg(1)) >= 0, slotOf(the, 1), slotOf(the, 2), &set);
	if (result == identityFine && !set.bytes[0] && given && given[0]) {
		set.counts[0] = strlen(given);
		set.bytes[0] = (uint8_t*)given;
		given = NULL;
	}
	free(given);
	if (result == identityFine)
		xsmcSetString(xsResult, (char*)tlsReasonName(tlsWorkerCredentials(name, (const uint8_t* const*)set.bytes, set.counts, profile)));
	else
		answer(the, result);
	identityClose(&set);
}
