/* Of ESP-IDF's NVS what drivers/identity uses; drivers/identity/host/fake-nvs.c is behind it. */
#ifndef FAKE_NVS_H
#define FAKE_NVS_H

#include <stddef.h>
#include <stdint.h>

typedef int esp_err_t;
typedef uint32_t nvs_handle_t;
typedef enum { NVS_READONLY, NVS_READWRITE } nvs_open_mode_t;
#define ESP_OK 0
#define ESP_FAIL (-1)
#define ESP_ERR_NVS_NOT_FOUND 0x1102
#define ESP_ERR_NVS_INVALID_NAME 0x1106
#define ESP_ERR_NVS_INVALID_LENGTH 0x110c

extern esp_err_t nvs_open(const char* space, nvs_open_mode_t mode, nvs_handle_t* handle);
extern void nvs_close(nvs_handle_t handle);
extern esp_err_t nvs_get_blob(nvs_handle_t handle, const char* key, void* into, size_t* count);
extern esp_err_t nvs_set_blob(nvs_handle_t handle, const char* key, const void* bytes, size_t count);
extern esp_err_t nvs_erase_key(nvs_handle_t handle, const char* key);
extern esp_err_t nvs_commit(nvs_handle_t handle);

#endif
