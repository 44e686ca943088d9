/*
 * TLS connections off the caller's task: one worker does DNS (by a helper), TCP and TLS for three connections at once; the
 * caller never waits. Mbed TLS is entered by the worker alone, credentials included. Functions here may be called from one
 * task; they copy what they are given.
 */
#ifndef UCM_TLS_WORKER_H
#define UCM_TLS_WORKER_H

#include "tls-session.h"

#define TLS_CONNECTIONS 3
/* Four upstreams, the update server, and one that is being replaced. */
#define TLS_CREDENTIALS 6
/* Plain bytes that wait in each direction of a connection. */
#define TLS_BUFFER_BYTES 4096
/* The default and longest time from the call to an open connection, ms. */
#define TLS_OPEN_MS 30000
#define TLS_TEXT_BYTES 96

typedef struct {
	int32_t id; /* the caller's; not in use */
	const char* host;
	uint16_t port;
	const char* credentials;
	int64_t utcMs; /* or TLS_NO_CLOCK */
	uint32_t timeoutMs; /* 0 = TLS_OPEN_MS */
} TlsRequest;

typedef enum { tlsEventNone, tlsEventOpen, tlsEventData, tlsEventClosed, tlsEventFailed } TlsEventKind;

typedef struct {
	TlsEventKind kind;
	int32_t id;
	TlsReason reason; /* of tlsEventFailed */
	size_t count;     /* bytes of tlsEventData */
	char text[TLS_TEXT_BYTES]; /* open: version, suite, resumed; failed: what the log wants to know */
} TlsEvent;

/* Starts the worker at the first call. */
extern bool tlsWorkerStart(void);
/* Ends all connections, the worker and every secret it has; waits for it. */
extern void tlsWorkerStop(void);

/* Replaces the set of that name; all NULL removes it. What runs goes on with what it had. tlsBusy: no room. */
extern TlsReason tlsWorkerCredentials(const char* name, const uint8_t* const bytes[3], const size_t counts[3], TlsProfile profile);
/* tlsFine; tlsBusy: there are three. An unknown set of credentials fails the connection, later. */
extern TlsReason tlsWorkerOpen(const TlsRequest* request);
/* How many of the bytes were taken. */
extern size_t tlsWorkerWrite(int32_t id, const uint8_t* bytes, size_t count);
/*
 * Sends what was written, says goodbye; no further event of it. With waits more may be written and it is to be called again;
 * where that is not done in 2 s, the other side takes nothing, and it ends as failed.
 */
extern void tlsWorkerClose(int32_t id, bool waits);
/* The next event; data is copied to bytes (TLS_BUFFER_BYTES). */
extern void tlsWorkerPoll(TlsEvent* event, uint8_t* bytes);
/* Connections that are not free, closing ones included. */
extern int tlsWorkerBusy(void);

#endif
