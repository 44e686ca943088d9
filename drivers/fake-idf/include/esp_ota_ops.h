/* OTA data and slots as fake-ota.c has them; in the IDF this header brings the partitions as well. */
#ifndef FAKE_ESP_OTA_OPS_H
#define FAKE_ESP_OTA_OPS_H
#include "fake-idf.h"
enum { ESP_PARTITION_SUBTYPE_APP_OTA_0 = 0x10, ESP_PARTITION_SUBTYPE_APP_OTA_1 = 0x11 };
#ifndef ESP_ERR_NOT_SUPPORTED
#define ESP_ERR_NOT_SUPPORTED 0x106
#endif
#ifndef ESP_ERR_NOT_FOUND
#define ESP_ERR_NOT_FOUND 0x105
#endif
#define ESP_ERR_OTA_VALIDATE_FAILED 0x1503
typedef enum {
	ESP_OTA_IMG_NEW = 0, ESP_OTA_IMG_PENDING_VERIFY = 1, ESP_OTA_IMG_VALID = 2, ESP_OTA_IMG_INVALID = 3, ESP_OTA_IMG_ABORTED = 4,
	ESP_OTA_IMG_UNDEFINED = -1
} esp_ota_img_states_t;
extern const esp_partition_t* esp_ota_get_running_partition(void);
extern const esp_partition_t* esp_ota_get_next_update_partition(const esp_partition_t* from);
extern esp_err_t esp_ota_get_state_partition(const esp_partition_t* partition, esp_ota_img_states_t* state);
extern esp_err_t esp_ota_set_boot_partition(const esp_partition_t* partition);
extern esp_err_t esp_ota_mark_app_valid_cancel_rollback(void);
extern esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void);
extern uint32_t esp_efuse_read_secure_version(void);

/* For tests. A new device: ota_0 runs and is valid, blank otadata otherwise. */
extern void fakeOtaNew(void);
/* What the boot loader does at a reset; 0 or 1 = the slot that runs, −1 = a brick. */
extern int fakeOtaBoot(void);
/* After so many more changes of the flash power is gone: nothing changes any more until the next boot. −1: never. */
extern int fakeOtaCut;
/* Changes of the flash since the device was new. */
extern int fakeOtaChanges;
/* Security version that the image in a slot carries, and the fuses'. */
extern uint32_t fakeOtaImageVersion[2], fakeOtaFuses;
#endif
