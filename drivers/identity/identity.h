/*
 * The module's own keys and certificates, and the roots that it trusts, by the name of a set of credentials. This folder
 * guarantees: a P-256 key is made here, by the library's random numbers, and no call gives it to JavaScript; a set is one
 * record, so that a power cut leaves no certificate beside another key; each name has a current set and a next one, and the
 * current one stays, whole, until the next has been confirmed. One task calls all of this.
 */
#ifndef UCM_IDENTITY_H
#define UCM_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDENTITY_NAME_BYTES 48
/* Subject of a first request: a common name. */
#define IDENTITY_SUBJECT_BYTES 65
/* A chain, or a bundle of roots, as PEM. NVS spreads a record over its pages of 4000 bytes. */
#define IDENTITY_PEM_BYTES 7680
#define IDENTITY_CERTIFICATES 4
#define IDENTITY_ROOTS 8
#define IDENTITY_REQUEST_BYTES 1536

typedef enum { identityCurrent, identityNext } IdentitySlot;
typedef enum { identityPair = 'k', identityRoots = 'r' } IdentityKind;

typedef enum {
	identityFine,
	identityStorage,    /* the flash did not take it */
	identityMemory,     /* no memory, no random numbers */
	identityUnreadable, /* not certificates as PEM, or none that may stand there */
	identityNoRequest,  /* no key waits for a certificate */
	identityOtherKey,   /* no certificate is for that key */
	identityExpired,    /* the certificate for it is over, or not yet */
	identityTooLarge,
	identityOld,        /* roots: not above the version that is kept */
} IdentityResult;

extern const char* identityResultName(IdentityResult result);

/* No trusted clock. */
#define IDENTITY_NO_CLOCK INT64_MIN

/*
 * A request (PKCS #10, PEM) for the key that waits, or for a new one. Who has a certificate asks as the same subject, with the
 * same alternative names (RFC 7030 4.2.2); else the common name is `subject`.
 */
extern IdentityResult identityRequest(const char* name, const char* subject, char* pem, size_t size);
/*
 * The chain for the key that waits, in any order; becomes the next set. A leaf alone gets the current chain's issuers,
 * where they are its issuer (RFC 7030 4.2.3 answers with the leaf alone).
 */
extern IdentityResult identityInstall(const char* name, const char* pem, int64_t utcMs);
/* Roots beside those that are trusted; every certificate must be a CA that has signed itself. */
extern IdentityResult identityPutRoots(const char* name, uint32_t version, const char* pem);
/* The next set has proved itself: it becomes the current one. Fine where there is none. */
extern IdentityResult identityConfirm(const char* name, IdentityKind kind);
/* Gives up the next set. */
extern IdentityResult identityDrop(const char* name, IdentityKind kind);
/* Validity of the leaf; false: there is no certificate. */
extern bool identityDates(const char* name, IdentitySlot slot, int64_t* fromMs, int64_t* untilMs);
/* 0: there are none. */
extern uint32_t identityRootsVersion(const char* name, IdentitySlot slot);

typedef struct {
	uint8_t* bytes[3]; /* roots, chain, key; NULL = none */
	size_t counts[3];
} IdentitySet;

/* What TLS is to use: `wantPair` false = no certificate of its own. Missing parts stay NULL. */
extern IdentityResult identityOpen(const char* name, bool wantPair, IdentitySlot pair, IdentitySlot roots, IdentitySet* set);
/* Wipes it. */
extern void identityClose(IdentitySet* set);

#endif
