/* TCP by BSD sockets (the host's, lwIP's), never blocking, and names by a helper thread. Used by the worker alone. */
#ifndef UCM_TLS_NET_H
#define UCM_TLS_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(ESP_PLATFORM)
	#include "lwip/sockets.h"
#else
	#include <netinet/in.h>
	#include <sys/socket.h>
#endif

#include "tls-reason.h"

#define TLS_ADDRESSES 4

struct TlsLookup;

typedef struct {
	int socket;
	bool connecting, wantsWrite;
	bool paused; /* nothing is read just now: do not wake for it */
	int count, next;
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} addresses[TLS_ADDRESSES];
	struct TlsLookup* lookup;
} TlsNet;

extern void tlsNetInit(TlsNet* net);
/* 1 = addresses are there, 0 = not yet, −1 with *reason. */
extern int tlsNetResolve(TlsNet* net, const char* host, uint16_t port, TlsReason* reason);
/* 1 = connected, 0 = not yet, −1 with *reason: none of the addresses answers. */
extern int tlsNetConnect(TlsNet* net, TlsReason* reason);
/* Ends the connection, to make another one to the same address; false = there is none. */
extern bool tlsNetAgain(TlsNet* net);
/* As TlsTransport has them. */
extern int tlsNetRead(TlsNet* net, uint8_t* bytes, size_t count);
extern int tlsNetWrite(TlsNet* net, const uint8_t* bytes, size_t count);
extern void tlsNetClose(TlsNet* net);
/* Until one of them has something, at most so long. */
extern void tlsNetSleep(TlsNet* const nets[], int count, int ms);

#endif
