#include "tls-net.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>
#include <unistd.h>

#if defined(ESP_PLATFORM)
	#include "lwip/netdb.h"
#else
	#include <arpa/inet.h>
	#include <netdb.h>
	#include <netinet/tcp.h>
#endif

#include "tls-port.h"
#include "tls-session.h"

/* Names that are looked up at once, those included that nobody waits for any more. */
#define LOOKUPS 4

/* Belongs to the connection and to the helper; the last one frees it. */
struct TlsLookup {
	bool done, orphan;
	int count;
	TlsNet found;
	char host[TLS_HOST_BYTES], port[8];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int lookups;

void tlsNetInit(TlsNet* net)
{
	memset(net, 0, sizeof *net);
	net->socket = -1;
}

static void copyAddresses(TlsNet* net, const struct addrinfo* list)
{
	net->count = 0;
	for (; list && net->count < TLS_ADDRESSES; list = list->ai_next)
		if ((list->ai_family == AF_INET || list->ai_family == AF_INET6) && list->ai_addrlen <= sizeof net->addresses[0])
			memcpy(&net->addresses[net->count++], list->ai_addr, list->ai_addrlen);
}

static void* look(void* argument)
{
	struct TlsLookup* lookup = argument;
	struct addrinfo hints, *list = NULL;
	bool isOrphan;
	memset(&hints, 0, sizeof hints);
	hints.ai_socktype = SOCK_STREAM;
	if (getaddrinfo(lookup->host, lookup->port, &hints, &list) == 0 && list) {
		copyAddresses(&lookup->found, list);
		freeaddrinfo(list);
	}
	pthread_mutex_lock(&lock);
	lookups--;
	lookup->done = true;
	isOrphan = lookup->orphan;
	pthread_mutex_unlock(&lock);
	if (isOrphan)
		free(lookup);
	return NULL;
}

static void letGo(TlsNet* net)
{
	struct TlsLookup* lookup = net->lookup;
	bool isDone;
	if (!lookup)
		return;
	net->lookup = NULL;
	pthread_mutex_lock(&lock);
	isDone = lookup->done;
	lookup->orphan = true;
	pthread_mutex_unlock(&lock);
	if (isDone)
		free(lookup);
}

static int startLookup(TlsNet* net, const char* host, uint16_t port, TlsReason* reason)
{
	struct TlsLookup* lookup;
	bool isFree;
	pthread_mutex_lock(&lock);
	isFree = lookups < LOOKUPS;
	lookups += isFree;
	pthread_mutex_unlock(&lock);
	*reason = tlsBusy;
	if (!isFree)
		return -1;
	lookup = calloc(1, sizeof *lookup);
	*reason = tlsMemory;
	if (lookup) {
		snprintf(lookup->host, sizeof lookup->host, "%s", host);
		snprintf(lookup->port, sizeof lookup->port, "%u", port);
		if (tlsPortThread(tlsThreadResolver, look, lookup)) {
			net->lookup = lookup;
			return 0;
		}
		free(lookup);
	}
	pthread_mutex_lock(&lock);
	lookups--;
	pthread_mutex_unlock(&lock);
	return -1;
}

int tlsNetResolve(TlsNet* net, const char* host, uint16_t port, TlsReason* reason)
{
	bool isDone;
	uint8_t address[16];
	int length = net->lookup ? 0 : tlsAddress(host, address);
	if (length == 4) {
		net->addresses[0].four.sin_family = AF_INET;
		net->addresses[0].four.sin_port = htons(port);
		memcpy(&net->addresses[0].four.sin_addr, address, 4);
	} else if (length == 16) {
		net->addresses[0].six.sin6_family = AF_INET6;
		net->addresses[0].six.sin6_port = htons(port);
		memcpy(&net->addresses[0].six.sin6_addr, address, 16);
	}
	if (length > 0) {
		net->count = 1;
		return 1;
	}
	if (!net->lookup)
		return startLookup(net, host, port, reason);
	pthread_mutex_lock(&lock);
	isDone = net->lookup->done;
	pthread_mutex_unlock(&lock);
	if (!isDone)
		return 0;
	net->count = net->lookup->found.count;
	memcpy(net->addresses, net->lookup->found.addresses, sizeof net->addresses);
	letGo(net);
	*reason = tlsDns;
	return net->count > 0 ? 1 : -1;
}

static TlsReason reasonOf(int error)
{
	return error == ECONNREFUSED ? tlsRefused : error == ETIMEDOUT ? tlsTimeout : error == ENOMEM || error == ENFILE || error == EMFILE ? tlsBusy : tlsUnreachable;
}

static void shut(TlsNet* net)
{
	if (net->socket >= 0)
		close(net->socket);
	net->socket = -1;
	net->connecting = net->wantsWrite = false;
}

/* One attempt at an address: 1, 0, or −1 with *error. */
static int attempt(TlsNet* net, int* error)
{
	struct sockaddr* address = &net->addresses[net->next].any;
	socklen_t size = address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	int on = 1;
	net->socket = socket(address->sa_family, SOCK_STREAM, 0);
	if (net->socket < 0) {
		*error = errno;
		return -1;
	}
	if (net->socket >= FD_SETSIZE) {
		*error = EMFILE;
		return -1;
	}
	fcntl(net->socket, F_SETFL, fcntl(net->socket, F_GETFL, 0) | O_NONBLOCK);
	setsockopt(net->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(net->socket, address, size) == 0)
		return 1;
	*error = errno;
	return errno == EINPROGRESS ? 0 : -1;
}

int tlsNetConnect(TlsNet* net, TlsReason* reason)
{
	int error = 0, through;
	if (net->connecting) {
		fd_set set;
		struct timeval now = { 0, 0 };
		socklen_t size = sizeof error;
		FD_ZERO(&set);
		FD_SET(net->socket, &set);
		if (select(net->socket + 1, NULL, &set, NULL, &now) < 1)
			return 0;
		if (getsockopt(net->socket, SOL_SOCKET, SO_ERROR, &error, &size))
			error = errno;
		through = error ? -1 : 1;
	} else
		through = attempt(net, &error);
	net->connecting = net->wantsWrite = through == 0;
	if (through >= 0)
		return through;
	shut(net);
	*reason = reasonOf(error);
	return ++net->next < net->count ? 0 : -1;
}

bool tlsNetAgain(TlsNet* net)
{
	shut(net);
	return net->next < net->count;
}

static int broken(TlsNet* net, bool isWrite)
{
	bool isWait = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
	if (isWrite)
		net->wantsWrite = isWait;
	return isWait ? tlsWait : tlsBroken;
}

int tlsNetRead(TlsNet* net, uint8_t* bytes, size_t count)
{
	int got = (int)recv(net->socket, bytes, count, 0);
	return got >= 0 ? got : broken(net, false);
}

int tlsNetWrite(TlsNet* net, const uint8_t* bytes, size_t count)
{
#ifdef MSG_NOSIGNAL
	int put = (int)send(net->socket, bytes, count, MSG_NOSIGNAL);
#else
	int put = (int)send(net->socket, bytes, count, 0);
#endif
	if (put < 0)
		return broken(net, true);
	net->wantsWrite = false;
	return put;
}

void tlsNetClose(TlsNet* net)
{
	letGo(net);
	shut(net);
}

void tlsNetSleep(TlsNet* const nets[], int count, int ms)
{
	fd_set read, write;
	struct timeval most = { 0, ms * 1000 };
	int top = -1;
	FD_ZERO(&read);
	FD_ZERO(&write);
	for (int at = 0; at < count; at++) {
		int socket = nets[at]->socket;
		if (socket < 0)
			continue;
		if (nets[at]->wantsWrite)
			FD_SET(socket, &write);
		else if (!nets[at]->paused)
			FD_SET(socket, &read);
		top = socket > top ? socket : top;
	}
	select(top + 1, &read, &write, NULL, &most);
}
