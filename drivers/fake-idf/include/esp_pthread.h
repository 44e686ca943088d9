/* Of ESP-IDF's esp_pthread.h what the drivers use. */
#ifndef FAKE_ESP_PTHREAD_H
#define FAKE_ESP_PTHREAD_H

#include <stdbool.h>
#include <stddef.h>

#include "fake-idf.h"

#ifndef ESP_OK
	#define ESP_OK 0
#endif

typedef struct {
	size_t stack_size;
	size_t prio;
	bool inherit_cfg;
	const char* thread_name;
	int pin_to_core;
} esp_pthread_cfg_t;

extern esp_pthread_cfg_t esp_pthread_get_default_config(void);
extern esp_err_t esp_pthread_set_cfg(const esp_pthread_cfg_t* cfg);
extern esp_err_t esp_pthread_get_cfg(esp_pthread_cfg_t* cfg);

#endif
