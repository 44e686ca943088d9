/*
 * The platform of the TLS worker on an ESP32 with ESP-IDF 6 (Mbed TLS 4: PSA draws its random numbers from the hardware).
 * ESP-IDF's POSIX threads are FreeRTOS tasks. Never run on hardware; compiled on the host against drivers/fake-idf.
 */
#include "tls-port.h"

#include <pthread.h>

#include "esp_pthread.h"
#include "esp_timer.h"

/* A handshake with two P-256 certificates and a client certificate; measured on a computer, docs/tls.md. */
#define WORKER_STACK_BYTES 10240
/* getaddrinfo of lwIP. */
#define RESOLVER_STACK_BYTES 4096
/* Below the machine (4) and far below the link, which is in interrupts: signatures take their time. */
#define PRIORITY 2

int64_t tlsPortNowMs(void) { return esp_timer_get_time() / 1000; }

bool tlsPortThread(TlsThread thread, void* (*body)(void*), void* argument)
{
	pthread_t id;
	esp_pthread_cfg_t before, wanted = esp_pthread_get_default_config();
	bool hadConfig = esp_pthread_get_cfg(&before) == ESP_OK, isStarted;
	wanted.stack_size = thread == tlsThreadWorker ? WORKER_STACK_BYTES : RESOLVER_STACK_BYTES;
	wanted.prio = PRIORITY;
	wanted.thread_name = thread == tlsThreadWorker ? "tls" : "dns";
	if (esp_pthread_set_cfg(&wanted) != ESP_OK)
		return false;
	isStarted = pthread_create(&id, NULL, body, argument) == 0;
	if (isStarted)
		pthread_detach(id);
	/* The configuration belongs to the task that calls: others of its threads are no business of ours. */
	if (!hadConfig)
		before = esp_pthread_get_default_config();
	esp_pthread_set_cfg(&before);
	return isStarted;
}
