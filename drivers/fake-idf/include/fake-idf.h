/*
 * The calls of ESP-IDF 6 that drivers/ use, for the host: names and shapes as there, behaviour as small as a test needs
 * (one UART with FIFOs that shift at the bit rate, one timer, GPIO levels with edges, one SPI peripheral). It proves our code
 * against what we believe of the IDF, not against the IDF. The controls for tests are at the end.
 */
#ifndef FAKE_IDF_H
#define FAKE_IDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int esp_err_t;
#define ESP_OK 0
#define ESP_FAIL (-1)
#define ESP_ERR_INVALID_ARG 0x102
#define ESP_ERR_INVALID_STATE 0x103
#define ESP_ERR_NOT_FOUND 0x105
#define ESP_ERR_TIMEOUT 0x107
#define IRAM_ATTR
#define DMA_ATTR __attribute__((aligned(4)))
#define RTC_NOINIT_ATTR

/* FreeRTOS: the fake counts, so that a test sees an unlock that is missing. */
typedef int portMUX_TYPE;
#define portMUX_INITIALIZER_UNLOCKED 0
extern void fakeLock(portMUX_TYPE* lock, int by);
#define portENTER_CRITICAL(lock) fakeLock(lock, 1)
#define portEXIT_CRITICAL(lock) fakeLock(lock, -1)
#define portENTER_CRITICAL_ISR(lock) fakeLock(lock, 1)
#define portEXIT_CRITICAL_ISR(lock) fakeLock(lock, -1)
typedef uint32_t TickType_t;

extern int64_t esp_timer_get_time(void);

typedef struct fakeInterrupt* intr_handle_t;
#define ESP_INTR_FLAG_IRAM (1 << 10)
extern esp_err_t esp_intr_alloc(int source, int flags, void (*handler)(void*), void* arg, intr_handle_t* handle);
extern esp_err_t esp_intr_free(intr_handle_t handle);

/* GPIO */
typedef int gpio_num_t;
typedef struct { int unused; } gpio_dev_t;
extern gpio_dev_t GPIO;
enum { GPIO_MODE_INPUT = 1, GPIO_MODE_OUTPUT = 2 };
enum { GPIO_PULLUP_ONLY = 0 };
enum { GPIO_INTR_ANYEDGE = 3 };
extern esp_err_t gpio_set_level(gpio_num_t pin, uint32_t level);
extern int gpio_get_level(gpio_num_t pin);
extern esp_err_t gpio_set_direction(gpio_num_t pin, int mode);
extern esp_err_t gpio_set_pull_mode(gpio_num_t pin, int mode);
extern esp_err_t gpio_set_intr_type(gpio_num_t pin, int type);
extern esp_err_t gpio_install_isr_service(int flags);
extern esp_err_t gpio_isr_handler_add(gpio_num_t pin, void (*handler)(void*), void* arg);
extern esp_err_t gpio_isr_handler_remove(gpio_num_t pin);
extern void gpio_ll_set_level(gpio_dev_t* hw, uint32_t pin, uint32_t level);

/* Timer */
typedef struct fakeTimer* gptimer_handle_t;
enum { GPTIMER_CLK_SRC_DEFAULT = 4, GPTIMER_COUNT_UP = 1 };
typedef struct { int clk_src, direction; uint32_t resolution_hz; int intr_priority; } gptimer_config_t;
typedef struct { uint64_t count_value, alarm_value; } gptimer_alarm_event_data_t;
typedef struct {
	bool (*on_alarm)(gptimer_handle_t, const gptimer_alarm_event_data_t*, void*);
} gptimer_event_callbacks_t;
typedef struct { uint64_t alarm_count, reload_count; struct { uint32_t auto_reload_on_alarm : 1; } flags; } gptimer_alarm_config_t;
extern esp_err_t gptimer_new_timer(const gptimer_config_t* config, gptimer_handle_t* timer);
extern esp_err_t gptimer_del_timer(gptimer_handle_t timer);
extern esp_err_t gptimer_register_event_callbacks(gptimer_handle_t timer, const gptimer_event_callbacks_t* callbacks, void* data);
extern esp_err_t gptimer_set_alarm_action(gptimer_handle_t timer, const gptimer_alarm_config_t* config);
extern esp_err_t gptimer_enable(gptimer_handle_t timer);
extern esp_err_t gptimer_disable(gptimer_handle_t timer);
extern esp_err_t gptimer_start(gptimer_handle_t timer);
extern esp_err_t gptimer_stop(gptimer_handle_t timer);

/* UART */
typedef int uart_port_t;
typedef struct { int unused; } uart_dev_t;
enum { UART_NUM_MAX = 3, UART_PIN_NO_CHANGE = -1, UART_SCLK_DEFAULT = 4 };
enum { UART_DATA_8_BITS = 3, UART_PARITY_DISABLE = 0, UART_STOP_BITS_1 = 1, UART_HW_FLOWCTRL_DISABLE = 0 };
enum {
	UART_INTR_RXFIFO_FULL = 1 << 0, UART_INTR_TXFIFO_EMPTY = 1 << 1, UART_INTR_PARITY_ERR = 1 << 2, UART_INTR_FRAM_ERR = 1 << 3,
	UART_INTR_RXFIFO_OVF = 1 << 4, UART_INTR_RXFIFO_TOUT = 1 << 8, UART_INTR_TX_DONE = 1 << 14,
};
#define UART_LL_INTR_MASK 0x7ffff
typedef struct { int baud_rate, data_bits, parity, stop_bits, flow_ctrl; uint8_t rx_flow_ctrl_thresh; int source_clk; } uart_config_t;
typedef struct { int irq; } uart_signal_conn_t;
extern const uart_signal_conn_t uart_periph_signal[UART_NUM_MAX];
extern uart_dev_t fakeUart;
#define UART_LL_GET_HW(port) (&fakeUart)
extern esp_err_t uart_param_config(uart_port_t port, const uart_config_t* config);
extern esp_err_t uart_set_pin(uart_port_t port, int tx, int rx, int rts, int cts);
extern esp_err_t uart_set_baudrate(uart_port_t port, uint32_t rate);
extern uint32_t uart_ll_get_rxfifo_len(uart_dev_t* hw);
extern void uart_ll_read_rxfifo(uart_dev_t* hw, uint8_t* bytes, uint32_t count);
extern uint32_t uart_ll_get_txfifo_len(uart_dev_t* hw); /* free places */
extern void uart_ll_write_txfifo(uart_dev_t* hw, const uint8_t* bytes, uint32_t count);
extern void uart_ll_rxfifo_rst(uart_dev_t* hw);
extern uint32_t uart_ll_get_intsts_mask(uart_dev_t* hw);
extern void uart_ll_clr_intsts_mask(uart_dev_t* hw, uint32_t mask);
extern void uart_ll_ena_intr_mask(uart_dev_t* hw, uint32_t mask);
extern void uart_ll_disable_intr_mask(uart_dev_t* hw, uint32_t mask);
extern void uart_ll_set_rxfifo_full_thr(uart_dev_t* hw, uint16_t threshold);
extern void uart_ll_set_txfifo_empty_thr(uart_dev_t* hw, uint16_t threshold);

/* SPI peripheral */
typedef int spi_host_device_t;
enum { SPI_DMA_CH_AUTO = 3 };
typedef struct { int mosi_io_num, miso_io_num, sclk_io_num, quadwp_io_num, quadhd_io_num, max_transfer_sz; } spi_bus_config_t;
typedef struct spi_slave_transaction_t {
	uint32_t flags;
	size_t length, trans_len;
	const void* tx_buffer;
	void* rx_buffer;
	void* user;
} spi_slave_transaction_t;
typedef struct {
	int spics_io_num;
	uint32_t flags;
	int queue_size;
	uint8_t mode;
	void (*post_setup_cb)(spi_slave_transaction_t*);
	void (*post_trans_cb)(spi_slave_transaction_t*);
} spi_slave_interface_config_t;
extern esp_err_t spi_slave_initialize(spi_host_device_t host, const spi_bus_config_t* bus, const spi_slave_interface_config_t* config, int dma);
extern esp_err_t spi_slave_free(spi_host_device_t host);
extern esp_err_t spi_slave_queue_trans(spi_host_device_t host, const spi_slave_transaction_t* transfer, TickType_t wait);
extern esp_err_t spi_slave_get_trans_result(spi_host_device_t host, spi_slave_transaction_t** transfer, TickType_t wait);

/* Flash: partitions of NOR sectors. Writing lets bits fall, erasing needs whole sectors. */
enum { ESP_PARTITION_TYPE_DATA = 1, ESP_PARTITION_SUBTYPE_ANY = 0xff };
typedef struct {
	int type, subtype;
	uint32_t address, size, erase_size;
	char label[17];
	bool encrypted, readonly;
} esp_partition_t;
extern const esp_partition_t* esp_partition_find_first(int type, int subtype, const char* label);
extern esp_err_t esp_partition_read(const esp_partition_t* partition, size_t at, void* into, size_t count);
extern esp_err_t esp_partition_read_raw(const esp_partition_t* partition, size_t at, void* into, size_t count);
extern esp_err_t esp_partition_write(const esp_partition_t* partition, size_t at, const void* bytes, size_t count);
extern esp_err_t esp_partition_erase_range(const esp_partition_t* partition, size_t at, size_t count);

/* Starts, and the task watchdog: one user, who has 10 s. */
typedef enum {
	ESP_RST_UNKNOWN, ESP_RST_POWERON, ESP_RST_EXT, ESP_RST_SW, ESP_RST_PANIC, ESP_RST_INT_WDT, ESP_RST_TASK_WDT, ESP_RST_WDT,
	ESP_RST_DEEPSLEEP, ESP_RST_BROWNOUT, ESP_RST_SDIO, ESP_RST_USB, ESP_RST_JTAG, ESP_RST_EFUSE, ESP_RST_PWR_GLITCH, ESP_RST_CPU_LOCKUP
} esp_reset_reason_t;
extern esp_reset_reason_t esp_reset_reason(void);
extern void esp_restart(void);
extern uint32_t esp_random(void);
typedef struct fakeUser* esp_task_wdt_user_handle_t;
extern esp_err_t esp_task_wdt_add_user(const char* name, esp_task_wdt_user_handle_t* user);
extern esp_err_t esp_task_wdt_reset_user(esp_task_wdt_user_handle_t user);

/* RMT: transmitters with the encoder of bytes. The fake keeps the pulses and takes their time. */
typedef struct fakeRmt* rmt_channel_handle_t;
typedef struct fakeEncoder* rmt_encoder_handle_t;
enum { RMT_CLK_SRC_DEFAULT = 4 };
typedef struct { uint16_t duration0 : 15, level0 : 1, duration1 : 15, level1 : 1; } rmt_symbol_word_t;
typedef struct {
	gpio_num_t gpio_num;
	int clk_src;
	uint32_t resolution_hz;
	size_t mem_block_symbols, trans_queue_depth;
	int intr_priority;
	struct { uint32_t invert_out : 1, with_dma : 1, io_loop_back : 1, io_od_mode : 1, allow_pd : 1, init_level : 1; } flags;
} rmt_tx_channel_config_t;
typedef struct { rmt_symbol_word_t bit0, bit1; struct { uint32_t msb_first : 1; } flags; } rmt_bytes_encoder_config_t;
typedef struct { int loop_count; struct { uint32_t eot_level : 1, queue_nonblocking : 1; } flags; } rmt_transmit_config_t;
extern esp_err_t rmt_new_tx_channel(const rmt_tx_channel_config_t* config, rmt_channel_handle_t* channel);
extern esp_err_t rmt_del_channel(rmt_channel_handle_t channel);
extern esp_err_t rmt_enable(rmt_channel_handle_t channel);
extern esp_err_t rmt_new_bytes_encoder(const rmt_bytes_encoder_config_t* config, rmt_encoder_handle_t* encoder);
extern esp_err_t rmt_del_encoder(rmt_encoder_handle_t encoder);
extern esp_err_t rmt_transmit(rmt_channel_handle_t channel, rmt_encoder_handle_t encoder, const void* bytes, size_t count, const rmt_transmit_config_t* config);
extern esp_err_t rmt_tx_wait_all_done(rmt_channel_handle_t channel, int wait);

/* For tests. Everything as after power-up; flash keeps what it holds. */
extern void fakeReset(void);
/* Lets time pass, a hundredth of a millisecond at a time: bits leave, interrupts come. */
extern void fakeAdvance(int64_t us);
/* Bytes on the receiving pin, one after another at the bit rate, while time passes. */
extern void fakeReceive(const uint8_t* bytes, size_t count);
/* The UART's interrupt comes late: not before so much time has passed. */
extern void fakeMaskUart(int64_t us);
/* What has left since the last call, and how many bytes of it left while the pin `driveEnable` was not at `active`. */
extern size_t fakeSent(uint8_t* bytes, size_t size);
extern int fakeUndriven;
extern int64_t fakeSentUs; /* when the first byte of what has left began */
extern int fakeDrivePin, fakeDriveLevel;
extern uint32_t fakeRate;
extern void fakeUartTrouble(uint32_t interrupts);
/* This bit of the flash has worn out: it no longer falls. -1: none. */
extern int64_t fakeStuckBit;
/* What esp_reset_reason() says; esp_restart() sets it to ESP_RST_SW. */
extern esp_reset_reason_t fakeReason;
/* What a WS2812 at this pin has understood since the last call: green, red, blue as 24 bits; −1 = nothing or no sense. */
extern int32_t fakeLamp(int pin);
/* Channels and encoders that are held. */
extern int fakeRmtHeld(void);
/* The watchdog has bitten. */
extern bool fakeBitten(void);
/* The next call of this name fails with ESP_FAIL. */
extern void fakeFail(const char* call);
/* What is held: interrupt, timer, SPI, GPIO handlers, locks. All 0 when a driver has let go. */
extern int fakeHeld(void);
/* The appliance's side of the SPI. Levels make edges; clocking ends when SELECT rises. */
extern void fakePin(int pin, int level);
extern size_t fakeClock(const uint8_t* in, uint8_t* out, size_t count);

#endif
