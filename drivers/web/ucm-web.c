/*
 * TCP connections of the pages over BSD sockets that never block (lwIP's, the host's), asked by JavaScript's task alone. The
 * SDK's own listener is not used: between the accept of a connection and its take-over by JavaScript nobody tells it of a
 * reset, and it goes on with what lwIP has freed (README.md of drivers). Behind a socket lwIP keeps the connection until it
 * is closed here. **Never run on hardware.**
 */
#include "xsmc.h"
#include "mc.xs.h"
#include "xsHost.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#if defined(ESP_PLATFORM)
	#include "lwip/sockets.h"
#else
	#include <arpa/inet.h>
	#include <netinet/in.h>
	#include <netinet/tcp.h>
	#include <sys/socket.h>
#endif

#ifndef MSG_NOSIGNAL
	#define MSG_NOSIGNAL 0
#endif

/* Four that are served, and one that is looked at before it takes another's place. */
#define CONNECTIONS 5
#define READ_BYTES 1024

/* One more than the socket; 0 = none. */
static int listener, sockets[CONNECTIONS];

static bool neverBlock(int socket)
{
	int flags = fcntl(socket, F_GETFL, 0);
	return flags >= 0 && fcntl(socket, F_SETFL, flags | O_NONBLOCK) >= 0;
}

static int* connectionOf(xsMachine* the)
{
	xsIntegerValue at = xsmcToInteger(xsArg(0));
	if (at < 0 || at >= CONNECTIONS || !sockets[at])
		xsUnknownError("no such connection");
	return &sockets[at];
}

static bool isWait(void) { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

/* (port): the port */
void xs_ucm_web_listen(xsMachine* the)
{
	xsIntegerValue port = xsmcToInteger(xsArg(0));
	struct sockaddr_in address;
	socklen_t size = sizeof address;
	int on = 1, made;
	if (port < 0 || port > 65535)
		xsUnknownError("no such port");
	if (listener)
		xsUnknownError("listens already");
	memset(&address, 0, sizeof address);
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_ANY);
	address.sin_port = htons((uint16_t)port);
	made = socket(AF_INET, SOCK_STREAM, 0);
	if (made < 0)
		xsUnknownError("no socket");
	setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (!neverBlock(made) || bind(made, (struct sockaddr*)&address, sizeof address) || listen(made, CONNECTIONS)
		|| getsockname(made, (struct sockaddr*)&address, &size)) {
		close(made);
		xsUnknownError("cannot listen");
	}
	listener = made + 1;
	xsmcSetInteger(xsResult, ntohs(address.sin_port));
}

/* (): the number of a connection, or -1 */
void xs_ucm_web_accept(xsMachine* the)
{
	int at = 0, on = 1, made;
	xsmcSetInteger(xsResult, -1);
	while (at < CONNECTIONS && sockets[at])
		at++;
	if (!listener || at == CONNECTIONS)
		return;
	made = accept(listener - 1, NULL, NULL);
	if (made < 0)
		return;
	if (!neverBlock(made)) {
		close(made);
		return;
	}
	setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	sockets[at] = made + 1;
	xsmcSetInteger(xsResult, at);
}

/* (at): the other side's address, or "" */
void xs_ucm_web_address(xsMachine* the)
{
	int socket = *connectionOf(the) - 1;
	struct sockaddr_in address;
	socklen_t size = sizeof address;
	char text[INET_ADDRSTRLEN] = "";
	if (getpeername(socket, (struct sockaddr*)&address, &size) || address.sin_family != AF_INET
		|| !inet_ntop(AF_INET, &address.sin_addr, text, sizeof text))
		text[0] = 0;
	xsmcSetString(xsResult, text);
}

/* (at): ArrayBuffer, undefined or null */
void xs_ucm_web_read(xsMachine* the)
{
	static uint8_t bytes[READ_BYTES];
	int socket = *connectionOf(the) - 1;
	int got = (int)recv(socket, bytes, sizeof bytes, 0);
	if (got > 0)
		xsmcSetArrayBuffer(xsResult, bytes, got);
	else if (got == 0 || !isWait())
		xsmcSetNull(xsResult);
}

/* (at, bytes): how many were taken, or -1 */
void xs_ucm_web_write(xsMachine* the)
{
	int socket = *connectionOf(the) - 1, put = 0;
	void* bytes;
	xsUnsignedValue count;
	xsmcGetBufferReadable(xsArg(1), &bytes, &count);
	if (count > 0)
		put = (int)send(socket, bytes, count, MSG_NOSIGNAL);
	xsmcSetInteger(xsResult, put >= 0 ? put : isWait() ? 0 : -1);
}

/* (at) */
void xs_ucm_web_close(xsMachine* the)
{
	int* connection = connectionOf(the);
	close(*connection - 1);
	*connection = 0;
}
