/* What the worker needs of its platform beside POSIX threads and BSD sockets, which the host and ESP-IDF (lwIP) both have. */
#ifndef UCM_TLS_PORT_H
#define UCM_TLS_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern int64_t tlsPortNowMs(void);
/* A thread that nobody joins. What it is for decides its stack and its priority. */
typedef enum { tlsThreadWorker, tlsThreadResolver } TlsThread;
extern bool tlsPortThread(TlsThread thread, void* (*body)(void*), void* argument);

#endif
