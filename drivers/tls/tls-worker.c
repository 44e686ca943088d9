#include "tls-worker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls-net.h"
#include "tls-port.h"

/* How long the worker sleeps while connections live and nothing comes in: what is written waits so long at most. */
#define TURN_MS 10
/* What the last bytes and the goodbye of a closed connection get. */
#define CLOSING_MS 2000
/* What the question gets whether a server has static RSA alone. */
#define PROBE_MS 5000

typedef enum { stateFree, stateResolving, stateConnecting, stateHandshake, stateProbeConnecting, stateProbing, stateOpen, stateEnded } State;

typedef struct {
	char name[TLS_NAME_BYTES];
	bool used, parsed, gone; /* gone: replaced or removed, kept for who still uses it */
	int users;
	TlsReason fault;
	TlsProfile profile;
	uint32_t serial;
	uint8_t* bytes[3]; /* until they are parsed */
	size_t counts[3];
	TlsCredentials set;
} Credentials;

typedef struct {
	State state;
	int32_t id;
	bool silent;     /* closed by the caller: nothing more is told */
	bool leaving;    /* ends when it is due, open or not */
	bool openTold, endTold, openDue;
	TlsReason reason; /* with stateEnded; tlsFine = goodbye */
	char text[TLS_TEXT_BYTES];
	char host[TLS_HOST_BYTES];
	uint16_t port;
	int64_t utcMs, dueMs;
	Credentials* credentials;
	TlsNet net;
	TlsWatch probe;
	TlsSession session;
	size_t inCount, outCount, outRefused;
	uint8_t in[TLS_BUFFER_BYTES], out[TLS_BUFFER_BYTES];
} Connection;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool running, stopping;
static uint32_t lastSerial;
static TlsCore core;
static Credentials credentials[TLS_CREDENTIALS];
static Connection* connections[TLS_CONNECTIONS];

/* Credentials. All under the lock, but the parsing. */

static void wipe(uint8_t** bytes, size_t count)
{
	if (*bytes) {
		mbedtls_platform_zeroize(*bytes, count);
		free(*bytes);
	}
	*bytes = NULL;
}

static void wipeText(Credentials* each)
{
	for (int at = 0; at < 3; at++)
		wipe(&each->bytes[at], each->counts[at]);
}

/* By the worker. */
static void freeCredentials(Credentials* each)
{
	if (each->parsed && each->fault == tlsFine)
		tlsCredentialsFree(&each->set);
	tlsCoreForget(&core, each->serial);
	wipeText(each);
	memset(each, 0, sizeof *each);
}

static Credentials* findCredentials(const char* name)
{
	for (int at = 0; at < TLS_CREDENTIALS; at++)
		if (credentials[at].used && !credentials[at].gone && !strcmp(credentials[at].name, name))
			return &credentials[at];
	return NULL;
}

TlsReason tlsWorkerCredentials(const char* name, const uint8_t* const bytes[3], const size_t counts[3], TlsProfile profile)
{
	Credentials* old;
	Credentials* room = NULL;
	TlsReason reason = tlsFine;
	bool remove = !bytes[0] && !bytes[1] && !bytes[2];
	if (strlen(name) >= TLS_NAME_BYTES)
		return tlsCredentials;
	pthread_mutex_lock(&lock);
	old = findCredentials(name);
	for (int at = 0; at < TLS_CREDENTIALS && !room && !remove; at++)
		if (!credentials[at].used)
			room = &credentials[at];
	if (!remove && !room)
		reason = tlsBusy;
	else if (!remove) {
		memset(room, 0, sizeof *room);
		for (int at = 0; at < 3 && reason == tlsFine; at++) {
			bool isPem = bytes[at] && counts[at] > 10 && !memcmp(bytes[at], "-----BEGIN", 10);
			if (!bytes[at])
				continue;
			room->counts[at] = counts[at] + isPem; /* PEM is a text with its end */
			room->bytes[at] = calloc(1, counts[at] + 1);
			if (room->bytes[at])
				memcpy(room->bytes[at], bytes[at], counts[at]);
			else
				reason = tlsMemory;
		}
		if (reason != tlsFine)
			wipeText(room);
		else {
			strcpy(room->name, name);
			room->profile = profile;
			room->serial = ++lastSerial;
			room->used = true;
		}
	}
	if (reason == tlsFine && old) {
		old->gone = true;
		/* The worker tidies up; without one nothing was ever parsed or used. */
		if (!running) {
			wipeText(old);
			memset(old, 0, sizeof *old);
		}
	}
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	return reason;
}

/* Connections, from the caller's side */

static Connection* find(int32_t id)
{
	for (int at = 0; at < TLS_CONNECTIONS; at++)
		if (connections[at] && connections[at]->id == id && !connections[at]->silent)
			return connections[at];
	return NULL;
}

TlsReason tlsWorkerOpen(const TlsRequest* request)
{
	TlsReason reason = tlsBusy;
	size_t length = strlen(request->host);
	bool isBracketed = length > 2 && request->host[0] == '[' && request->host[length - 1] == ']';
	if (length == 0 || length >= TLS_HOST_BYTES)
		return tlsDns;
	if (!tlsWorkerStart())
		return tlsMemory;
	pthread_mutex_lock(&lock);
	for (int at = 0; at < TLS_CONNECTIONS && reason == tlsBusy; at++) {
		Connection* connection;
		if (connections[at])
			continue;
		connection = connections[at] = calloc(1, sizeof *connection);
		reason = connection ? tlsFine : tlsMemory;
		if (!connection)
			break;
		connection->id = request->id;
		memcpy(connection->host, request->host + isBracketed, length - 2u * isBracketed);
		connection->port = request->port;
		connection->utcMs = request->utcMs;
		connection->dueMs = tlsPortNowMs() + (request->timeoutMs > 0 && request->timeoutMs < TLS_OPEN_MS ? request->timeoutMs : TLS_OPEN_MS);
		connection->credentials = findCredentials(request->credentials);
		if (connection->credentials)
			connection->credentials->users++;
		connection->state = stateResolving;
		tlsNetInit(&connection->net);
	}
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	return reason;
}

size_t tlsWorkerWrite(int32_t id, const uint8_t* bytes, size_t count)
{
	Connection* connection;
	size_t room = 0;
	pthread_mutex_lock(&lock);
	connection = find(id);
	if (connection && connection->state == stateOpen) {
		room = sizeof connection->out - connection->outCount;
		room = room < count ? room : count;
		memcpy(connection->out + connection->outCount, bytes, room);
		connection->outCount += room;
	}
	pthread_mutex_unlock(&lock);
	return room;
}

void tlsWorkerClose(int32_t id, bool waits)
{
	Connection* connection;
	pthread_mutex_lock(&lock);
	connection = find(id);
	if (connection) {
		if (!connection->leaving)
			connection->dueMs = connection->state == stateOpen ? tlsPortNowMs() + CLOSING_MS : 0;
		connection->leaving = true;
		connection->silent = !waits;
	}
	pthread_mutex_unlock(&lock);
}

void tlsWorkerPoll(TlsEvent* event, uint8_t* bytes)
{
	memset(event, 0, sizeof *event);
	pthread_mutex_lock(&lock);
	for (int at = 0; at < TLS_CONNECTIONS && event->kind == tlsEventNone; at++) {
		Connection* connection = connections[at];
		if (!connection || connection->silent)
			continue;
		event->id = connection->id;
		if (connection->openDue && !connection->openTold) {
			connection->openTold = true;
			event->kind = tlsEventOpen;
			memcpy(event->text, connection->text, sizeof event->text);
		} else if (connection->inCount > 0) {
			event->kind = tlsEventData;
			event->count = connection->inCount;
			memcpy(bytes, connection->in, connection->inCount);
			mbedtls_platform_zeroize(connection->in, connection->inCount);
			connection->inCount = 0;
		} else if (connection->state == stateEnded && !connection->endTold) {
			connection->endTold = true;
			event->kind = connection->reason == tlsFine ? tlsEventClosed : tlsEventFailed;
			event->reason = connection->reason;
			memcpy(event->text, connection->text, sizeof event->text);
		}
	}
	pthread_mutex_unlock(&lock);
}

int tlsWorkerBusy(void)
{
	int count = 0;
	pthread_mutex_lock(&lock);
	for (int at = 0; at < TLS_CONNECTIONS; at++)
		count += connections[at] != NULL;
	pthread_mutex_unlock(&lock);
	return count;
}

/* The worker's side. Fields that the caller sees change under the lock. */

static void setState(Connection* connection, State state, TlsReason reason, const char* text)
{
	pthread_mutex_lock(&lock);
	connection->state = state;
	connection->reason = reason;
	if (text)
		snprintf(connection->text, sizeof connection->text, "%s", text);
	pthread_mutex_unlock(&lock);
}

static void end(Connection* connection, TlsReason reason)
{
	char text[TLS_TEXT_BYTES] = "";
	if (connection->session.ready && connection->session.error)
		snprintf(text, sizeof text, "%s0x%x", connection->session.error < 0 ? "-" : "", (unsigned)abs(connection->session.error));
	tlsNetClose(&connection->net);
	tlsSessionFree(&connection->session);
	setState(connection, stateEnded, reason, text);
}

static int netRead(void* context, uint8_t* bytes, size_t count) { return tlsNetRead(context, bytes, count); }
static int netWrite(void* context, const uint8_t* bytes, size_t count) { return tlsNetWrite(context, bytes, count); }

static void startSession(Connection* connection)
{
	Credentials* own = connection->credentials;
	TlsTransport transport = { &connection->net, netRead, netWrite };
	TlsReason reason;
	if (!own) {
		end(connection, tlsCredentials);
		return;
	}
	if (!own->parsed) {
		own->fault = tlsCredentialsParse(&core, &own->set, (const uint8_t* const*)own->bytes, own->counts, own->profile, own->serial);
		own->parsed = true;
		wipeText(own);
	}
	connection->session.nowMs = tlsPortNowMs();
	reason = own->fault != tlsFine ? own->fault
		: tlsSessionStart(&connection->session, &core, &own->set, connection->host, connection->port, connection->utcMs, transport);
	if (reason != tlsFine)
		end(connection, reason);
	else
		setState(connection, stateHandshake, tlsFine, NULL);
}

static void shakeHands(Connection* connection, int64_t nowMs)
{
	char text[TLS_TEXT_BYTES];
	int reason;
	connection->session.nowMs = nowMs;
	reason = tlsSessionHandshake(&connection->session);
	if (reason == tlsFine) {
		tlsSessionDescribe(&connection->session, text, sizeof text);
		pthread_mutex_lock(&lock);
		connection->openDue = true;
		connection->state = stateOpen;
		memcpy(connection->text, text, sizeof text);
		pthread_mutex_unlock(&lock);
	} else if (reason == tlsNoSuite && connection->dueMs > nowMs && tlsNetAgain(&connection->net)) {
		/* Nothing in common: has the server static RSA alone, or an old version? One more connection tells. */
		tlsSessionFree(&connection->session);
		pthread_mutex_lock(&lock);
		if (!connection->leaving && nowMs + PROBE_MS < connection->dueMs)
			connection->dueMs = nowMs + PROBE_MS;
		connection->state = stateProbeConnecting;
		pthread_mutex_unlock(&lock);
	} else if (reason >= 0)
		end(connection, (TlsReason)reason);
}

static void connectOn(Connection* connection)
{
	bool isProbe = connection->state == stateProbeConnecting;
	TlsReason reason = tlsFine;
	int through = tlsNetConnect(&connection->net, &reason);
	if (through < 0)
		end(connection, isProbe ? tlsNoSuite : reason);
	else if (through > 0 && !isProbe)
		startSession(connection);
	else if (through > 0) {
		uint8_t hello[400], random[32] = { 0 }, address[16];
		mbedRandom(&core.random, random, sizeof random);
		size_t count = tlsProbeHello(hello, random, tlsAddress(connection->host, address) ? NULL : connection->host);
		tlsWatchStart(&connection->probe, false);
		if (tlsNetWrite(&connection->net, hello, count) != (int)count)
			end(connection, tlsNoSuite);
		else
			setState(connection, stateProbing, tlsFine, NULL);
	}
}

static void probe(Connection* connection)
{
	uint8_t bytes[256];
	TlsReason fault = tlsFine;
	int got = tlsNetRead(&connection->net, bytes, sizeof bytes);
	if (got == tlsWait)
		return;
	if (got > 0)
		fault = tlsWatchFeed(&connection->probe, bytes, (size_t)got);
	if (got > 0 && fault == tlsFine && !connection->probe.serverHello && connection->probe.alertLength == 0)
		return;
	end(connection, fault == tlsVersion ? tlsVersion : tlsProbeIsStaticRsa(&connection->probe) ? tlsStaticRsa : tlsNoSuite);
}

static void exchange(Connection* connection, int64_t nowMs)
{
	TlsReason reason = tlsFine;
	uint8_t* const bytes = connection->out;
	size_t count;
	bool isSilent, hasRoom;
	int done;
	connection->session.nowMs = nowMs;
	pthread_mutex_lock(&lock);
	isSilent = connection->silent;
	hasRoom = connection->inCount == 0;
	count = connection->outCount;
	pthread_mutex_unlock(&lock);
	connection->net.paused = isSilent || !hasRoom;
	/* A write that was refused is repeated with the same count, as the library wants it. */
	if (connection->outRefused > 0)
		count = connection->outRefused;
	done = count > 0 ? tlsSessionWrite(&connection->session, bytes, count, &reason) : 0;
	connection->outRefused = done == tlsWait ? count : 0;
	if (done == tlsBroken) {
		end(connection, reason == tlsFine ? tlsClosed : reason);
		return;
	}
	if (done > 0) {
		pthread_mutex_lock(&lock);
		memmove(bytes, bytes + done, connection->outCount - (size_t)done);
		connection->outCount -= (size_t)done;
		mbedtls_platform_zeroize(bytes + connection->outCount, (size_t)done);
		pthread_mutex_unlock(&lock);
	}
	if (isSilent) {
		if (connection->outCount == 0) {
			tlsSessionGoodbye(&connection->session);
			end(connection, tlsFine);
		}
		return;
	}
	if (!hasRoom)
		return;
	/* in is the worker's while inCount is 0. */
	done = tlsSessionRead(&connection->session, connection->in, sizeof connection->in, &reason);
	if (done == tlsBroken) {
		if (reason == tlsFine)
			tlsSessionGoodbye(&connection->session);
		end(connection, reason);
	} else if (done > 0) {
		pthread_mutex_lock(&lock);
		connection->inCount = (size_t)done;
		pthread_mutex_unlock(&lock);
	}
}

static void serve(Connection* connection, int64_t nowMs)
{
	int64_t dueMs;
	bool isLeaving;
	pthread_mutex_lock(&lock);
	dueMs = connection->dueMs;
	isLeaving = connection->leaving;
	pthread_mutex_unlock(&lock);
	if (connection->state == stateEnded)
		return;
	if (nowMs >= dueMs && (connection->state != stateOpen || isLeaving)) {
		end(connection, connection->state == stateProbeConnecting || connection->state == stateProbing ? tlsNoSuite : tlsTimeout);
		return;
	}
	switch (connection->state) {
	case stateResolving: {
		TlsReason reason = tlsFine;
		int through = tlsNetResolve(&connection->net, connection->host, connection->port, &reason);
		if (through < 0)
			end(connection, reason);
		else if (through > 0)
			setState(connection, stateConnecting, tlsFine, NULL);
		break;
	}
	case stateConnecting:
	case stateProbeConnecting:
		connectOn(connection);
		break;
	case stateHandshake:
		shakeHands(connection, nowMs);
		break;
	case stateProbing:
		probe(connection);
		break;
	case stateOpen:
		exchange(connection, nowMs);
		break;
	default:
		break;
	}
}

/* Under the lock. True while there is anything to do. */
static bool tidy(void)
{
	bool isBusy = false;
	for (int at = 0; at < TLS_CONNECTIONS; at++) {
		Connection* connection = connections[at];
		if (connection && connection->state == stateEnded && (connection->silent || connection->endTold || stopping)) {
			if (connection->credentials)
				connection->credentials->users--;
			mbedtls_platform_zeroize(connection, sizeof *connection);
			free(connection);
			connections[at] = NULL;
		}
		isBusy = isBusy || connections[at];
	}
	for (int at = 0; at < TLS_CREDENTIALS; at++)
		if (credentials[at].used && credentials[at].users == 0 && (credentials[at].gone || (stopping && !isBusy)))
			freeCredentials(&credentials[at]);
	return isBusy;
}

static void* work(void* unused)
{
	(void)unused;
	for (;;) {
		Connection* each[TLS_CONNECTIONS];
		TlsNet* nets[TLS_CONNECTIONS];
		int count = 0;
		bool isBusy, isEnd;
		pthread_mutex_lock(&lock);
		while (!(isBusy = tidy()) && !stopping)
			pthread_cond_wait(&changed, &lock);
		isEnd = stopping && !isBusy;
		memcpy(each, connections, sizeof each);
		if (stopping)
			for (int at = 0; at < TLS_CONNECTIONS; at++)
				if (each[at]) {
					each[at]->silent = each[at]->leaving = true;
					each[at]->dueMs = 0;
				}
		if (isEnd) {
			tlsCoreStop(&core);
			running = false;
			pthread_cond_broadcast(&changed);
			pthread_mutex_unlock(&lock);
			return NULL;
		}
		pthread_mutex_unlock(&lock);
		/* A core that found no random numbers at its start is asked again: connections fail until then. */
		bool isReady = tlsCoreStart(&core) == tlsFine;
		for (int at = 0; at < TLS_CONNECTIONS; at++)
			if (each[at]) {
				if (isReady)
					serve(each[at], tlsPortNowMs());
				else
					end(each[at], tlsMemory);
				nets[count++] = &each[at]->net;
			}
		tlsNetSleep(nets, count, TURN_MS);
	}
}

bool tlsWorkerStart(void)
{
	bool isRunning;
	pthread_mutex_lock(&lock);
	if (!running && !stopping)
		running = tlsPortThread(tlsThreadWorker, work, NULL);
	isRunning = running && !stopping;
	pthread_mutex_unlock(&lock);
	return isRunning;
}

void tlsWorkerStop(void)
{
	pthread_mutex_lock(&lock);
	stopping = true;
	pthread_cond_broadcast(&changed);
	while (running)
		pthread_cond_wait(&changed, &lock);
	stopping = false;
	/* Without a worker there were never more than texts. */
	for (int at = 0; at < TLS_CREDENTIALS; at++) {
		wipeText(&credentials[at]);
		memset(&credentials[at], 0, sizeof credentials[at]);
	}
	pthread_mutex_unlock(&lock);
}
