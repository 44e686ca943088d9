/* The platform of the TLS worker on a computer. */
#include "tls-port.h"

#include <pthread.h>
#include <time.h>

int64_t tlsPortNowMs(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool tlsPortThread(TlsThread thread, void* (*body)(void*), void* argument)
{
	pthread_t id;
	(void)thread;
	if (pthread_create(&id, NULL, body, argument))
		return false;
	pthread_detach(id);
	return true;
}
