#include "fake-idf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { fifoBytes = 128, pins = 64, stepUs = 10 };
struct fakeInterrupt { int unused; };
struct fakeTimer { int unused; };

gpio_dev_t GPIO;
uart_dev_t fakeUart;
const uart_signal_conn_t uart_periph_signal[UART_NUM_MAX] = { { 34 }, { 35 }, { 36 } };
int fakeUndriven, fakeDrivePin, fakeDriveLevel;
int64_t fakeSentUs;
uint32_t fakeRate;

static struct fakeInterrupt theInterrupt;
static struct fakeTimer theTimer;
static struct {
	int64_t us;
	int locked, inHandler;
	char fail[40];
	struct { int level; void (*handler)(void*); void* arg; } pin[pins];
	void (*uartHandler)(void*);
	void* uartArg;
	uint32_t raw, enabled;
	uint8_t rx[fifoBytes], tx[fifoBytes], sent[4096], wire[4096];
	size_t rxCount, txCount, sentCount, wireCount;
	uint16_t rxThreshold, txThreshold;
	int64_t shiftUntilUs, wireNextUs, uartMaskedUntilUs;
	int shifting;
	int timerMade, timerEnabled, timerRunning;
	gptimer_event_callbacks_t callbacks;
	uint64_t alarm;
	int64_t alarmUs;
	int spiMade;
	spi_slave_interface_config_t spi;
	spi_slave_transaction_t* transfer;
	spi_slave_transaction_t* done;
	size_t clocked;
} fake;

static void check(int ok, const char* what)
{
	if (ok)
		return;
	fprintf(stderr, "fake-idf: %s\n", what);
	abort();
}

static int fails(const char* call)
{
	if (strcmp(fake.fail, call))
		return 0;
	fake.fail[0] = 0;
	return 1;
}

void fakeFail(const char* call) { snprintf(fake.fail, sizeof fake.fail, "%s", call); }

void fakeReset(void)
{
	memset(&fake, 0, sizeof fake);
	for (int pin = 0; pin < pins; pin++)
		fake.pin[pin].level = 1;
	fakeUndriven = 0;
	fakeDrivePin = -1;
	fakeSentUs = -1;
	fakeRate = 0;
}

int fakeHeld(void)
{
	int held = fake.locked + (fake.uartHandler != NULL) + fake.timerMade + fake.spiMade;
	for (int pin = 0; pin < pins; pin++)
		held += fake.pin[pin].handler != NULL;
	return held;
}

void fakeLock(portMUX_TYPE* lock, int by)
{
	*lock += by;
	fake.locked += by;
	check(*lock == 0 || *lock == 1, "a lock is taken twice, or given back twice");
}

int64_t esp_timer_get_time(void) { return fake.us; }

esp_err_t esp_intr_alloc(int source, int flags, void (*handler)(void*), void* arg, intr_handle_t* handle)
{
	if (fails("esp_intr_alloc"))
		return ESP_FAIL;
	check(source >= 34 && source <= 36 && flags & ESP_INTR_FLAG_IRAM && !fake.uartHandler, "esp_intr_alloc");
	fake.uartHandler = handler;
	fake.uartArg = arg;
	*handle = &theInterrupt;
	return ESP_OK;
}

esp_err_t esp_intr_free(intr_handle_t handle)
{
	check(handle == &theInterrupt && fake.uartHandler, "esp_intr_free");
	fake.uartHandler = NULL;
	return ESP_OK;
}

/* GPIO */

esp_err_t gpio_set_level(gpio_num_t pin, uint32_t level)
{
	check(pin >= 0 && pin < pins && level <= 1, "gpio_set_level");
	fake.pin[pin].level = (int)level;
	return ESP_OK;
}

void gpio_ll_set_level(gpio_dev_t* hw, uint32_t pin, uint32_t level)
{
	check(hw == &GPIO, "gpio_ll_set_level");
	gpio_set_level((int)pin, level);
}

int gpio_get_level(gpio_num_t pin) { return fake.pin[pin].level; }
esp_err_t gpio_set_direction(gpio_num_t pin, int mode) { (void)pin; (void)mode; return fails("gpio_set_direction") ? ESP_FAIL : ESP_OK; }
esp_err_t gpio_set_pull_mode(gpio_num_t pin, int mode) { (void)pin; (void)mode; return ESP_OK; }
esp_err_t gpio_set_intr_type(gpio_num_t pin, int type) { (void)pin; (void)type; return ESP_OK; }
esp_err_t gpio_install_isr_service(int flags) { (void)flags; return fails("gpio_install_isr_service") ? ESP_FAIL : ESP_OK; }

esp_err_t gpio_isr_handler_add(gpio_num_t pin, void (*handler)(void*), void* arg)
{
	fake.pin[pin].handler = handler;
	fake.pin[pin].arg = arg;
	return ESP_OK;
}

esp_err_t gpio_isr_handler_remove(gpio_num_t pin)
{
	fake.pin[pin].handler = NULL;
	return ESP_OK;
}

void fakePin(int pin, int level)
{
	if (fake.pin[pin].level == level)
		return;
	fake.pin[pin].level = level;
	if (fake.spiMade && pin == fake.spi.spics_io_num && level && fake.transfer && fake.clocked) {
		fake.transfer->trans_len = 8 * fake.clocked;
		fake.done = fake.transfer;
		fake.transfer = NULL;
		if (fake.spi.post_trans_cb)
			fake.spi.post_trans_cb(fake.done);
	}
	if (pin == fake.spi.spics_io_num)
		fake.clocked = 0;
	if (fake.pin[pin].handler)
		fake.pin[pin].handler(fake.pin[pin].arg);
}

/* Timer */

esp_err_t gptimer_new_timer(const gptimer_config_t* config, gptimer_handle_t* timer)
{
	if (fails("gptimer_new_timer"))
		return ESP_ERR_NOT_FOUND;
	check(config->resolution_hz == 1000000 && !fake.timerMade, "gptimer_new_timer");
	fake.timerMade = 1;
	*timer = &theTimer;
	return ESP_OK;
}

esp_err_t gptimer_del_timer(gptimer_handle_t timer)
{
	check(timer == &theTimer && fake.timerMade && !fake.timerEnabled, "gptimer_del_timer of a timer that is enabled");
	fake.timerMade = 0;
	return ESP_OK;
}

esp_err_t gptimer_register_event_callbacks(gptimer_handle_t timer, const gptimer_event_callbacks_t* callbacks, void* data)
{
	check(timer == &theTimer && !fake.timerEnabled && !data, "gptimer_register_event_callbacks");
	fake.callbacks = *callbacks;
	return ESP_OK;
}

esp_err_t gptimer_set_alarm_action(gptimer_handle_t timer, const gptimer_alarm_config_t* config)
{
	check(timer == &theTimer && config->flags.auto_reload_on_alarm, "gptimer_set_alarm_action");
	fake.alarm = config->alarm_count;
	return ESP_OK;
}

esp_err_t gptimer_enable(gptimer_handle_t timer)
{
	check(timer == &theTimer && !fake.timerEnabled, "gptimer_enable");
	if (fails("gptimer_enable"))
		return ESP_FAIL;
	fake.timerEnabled = 1;
	return ESP_OK;
}

esp_err_t gptimer_disable(gptimer_handle_t timer)
{
	check(timer == &theTimer && fake.timerEnabled && !fake.timerRunning, "gptimer_disable of a timer that runs");
	fake.timerEnabled = 0;
	return ESP_OK;
}

esp_err_t gptimer_start(gptimer_handle_t timer)
{
	check(timer == &theTimer && fake.timerEnabled && !fake.timerRunning, "gptimer_start");
	if (fails("gptimer_start"))
		return ESP_FAIL;
	fake.timerRunning = 1;
	fake.alarmUs = fake.us + (int64_t)fake.alarm;
	return ESP_OK;
}

esp_err_t gptimer_stop(gptimer_handle_t timer)
{
	check(timer == &theTimer && fake.timerRunning, "gptimer_stop");
	fake.timerRunning = 0;
	return ESP_OK;
}

/* UART */

esp_err_t uart_param_config(uart_port_t port, const uart_config_t* config)
{
	if (fails("uart_param_config"))
		return ESP_FAIL;
	check(port >= 0 && port < UART_NUM_MAX && config->data_bits == UART_DATA_8_BITS && config->stop_bits == UART_STOP_BITS_1, "uart_param_config");
	fakeRate = (uint32_t)config->baud_rate;
	return ESP_OK;
}

esp_err_t uart_set_pin(uart_port_t port, int tx, int rx, int rts, int cts)
{
	(void)port;
	return fails("uart_set_pin") || tx < 0 || rx < 0 || rts != UART_PIN_NO_CHANGE || cts != UART_PIN_NO_CHANGE ? ESP_FAIL : ESP_OK;
}

esp_err_t uart_set_baudrate(uart_port_t port, uint32_t rate)
{
	(void)port;
	check(!fake.locked, "uart_set_baudrate takes a lock of its own");
	fakeRate = rate;
	return ESP_OK;
}

uint32_t uart_ll_get_rxfifo_len(uart_dev_t* hw) { check(hw == &fakeUart, "hw"); return (uint32_t)fake.rxCount; }

void uart_ll_read_rxfifo(uart_dev_t* hw, uint8_t* bytes, uint32_t count)
{
	check(hw == &fakeUart && count <= fake.rxCount, "uart_ll_read_rxfifo of more than is there");
	memcpy(bytes, fake.rx, count);
	memmove(fake.rx, fake.rx + count, fake.rxCount -= count);
}

uint32_t uart_ll_get_txfifo_len(uart_dev_t* hw) { check(hw == &fakeUart, "hw"); return (uint32_t)(fifoBytes - fake.txCount); }

void uart_ll_write_txfifo(uart_dev_t* hw, const uint8_t* bytes, uint32_t count)
{
	check(hw == &fakeUart && count <= fifoBytes - fake.txCount, "uart_ll_write_txfifo of more than there is room");
	memcpy(fake.tx + fake.txCount, bytes, count);
	fake.txCount += count;
}

void uart_ll_rxfifo_rst(uart_dev_t* hw) { check(hw == &fakeUart, "hw"); fake.rxCount = 0; }
uint32_t uart_ll_get_intsts_mask(uart_dev_t* hw) { check(hw == &fakeUart, "hw"); return fake.raw & fake.enabled; }
void uart_ll_clr_intsts_mask(uart_dev_t* hw, uint32_t mask) { check(hw == &fakeUart, "hw"); fake.raw &= ~mask; }
void uart_ll_ena_intr_mask(uart_dev_t* hw, uint32_t mask) { check(hw == &fakeUart, "hw"); fake.enabled |= mask; }
void uart_ll_disable_intr_mask(uart_dev_t* hw, uint32_t mask) { check(hw == &fakeUart, "hw"); fake.enabled &= ~mask; }
void uart_ll_set_rxfifo_full_thr(uart_dev_t* hw, uint16_t threshold) { check(hw == &fakeUart, "hw"); fake.rxThreshold = threshold; }
void uart_ll_set_txfifo_empty_thr(uart_dev_t* hw, uint16_t threshold) { check(hw == &fakeUart, "hw"); fake.txThreshold = threshold; }

void fakeUartTrouble(uint32_t interrupts) { fake.raw |= interrupts; }

void fakeReceive(const uint8_t* bytes, size_t count)
{
	check(fake.wireCount + count <= sizeof fake.wire, "fakeReceive");
	if (!fake.wireCount)
		fake.wireNextUs = fake.us + 10000000 / (int64_t)fakeRate;
	memcpy(fake.wire + fake.wireCount, bytes, count);
	fake.wireCount += count;
}

size_t fakeSent(uint8_t* bytes, size_t size)
{
	size_t count = fake.sentCount < size ? fake.sentCount : size;
	memcpy(bytes, fake.sent, count);
	fake.sentCount = 0;
	fakeSentUs = -1;
	return count;
}

static void shift(void)
{
	if (fake.shifting && fake.us >= fake.shiftUntilUs) {
		fake.shifting = 0;
		if (!fake.txCount)
			fake.raw |= UART_INTR_TX_DONE;
	}
	if (!fake.shifting && fake.txCount) {
		if (fakeSentUs < 0)
			fakeSentUs = fake.us;
		if (fakeDrivePin >= 0 && fake.pin[fakeDrivePin].level != fakeDriveLevel)
			fakeUndriven++;
		fake.shifting = 1;
		fake.shiftUntilUs = fake.us + 10000000 / (int64_t)fakeRate;
		check(fake.sentCount < sizeof fake.sent, "too much was sent");
		fake.sent[fake.sentCount++] = fake.tx[0];
		memmove(fake.tx, fake.tx + 1, --fake.txCount);
	}
	if (fake.txCount <= fake.txThreshold)
		fake.raw |= UART_INTR_TXFIFO_EMPTY;
}

static void arrive(void)
{
	if (!fake.wireCount || fake.us < fake.wireNextUs)
		return;
	if (fake.rxCount == fifoBytes)
		fake.raw |= UART_INTR_RXFIFO_OVF;
	else
		fake.rx[fake.rxCount++] = fake.wire[0];
	memmove(fake.wire, fake.wire + 1, --fake.wireCount);
	fake.wireNextUs += 10000000 / (int64_t)fakeRate;
}

void fakeMaskUart(int64_t us) { fake.uartMaskedUntilUs = fake.us + us; }

void fakeAdvance(int64_t us)
{
	for (int64_t until = fake.us + us; fake.us < until;) {
		fake.us += stepUs;
		shift();
		arrive();
		if (fake.rxCount >= (fake.rxThreshold ? fake.rxThreshold : 120u))
			fake.raw |= UART_INTR_RXFIFO_FULL;
		if (fake.timerRunning && fake.us >= fake.alarmUs) {
			gptimer_alarm_event_data_t event = { fake.alarm, fake.alarm };
			fake.alarmUs += (int64_t)fake.alarm;
			fake.callbacks.on_alarm(&theTimer, &event, NULL);
		}
		if (fake.uartHandler && fake.raw & fake.enabled && fake.us >= fake.uartMaskedUntilUs)
			fake.uartHandler(fake.uartArg);
		check(!fake.locked, "a handler ended with a lock");
	}
}

/* SPI peripheral */

esp_err_t spi_slave_initialize(spi_host_device_t host, const spi_bus_config_t* bus, const spi_slave_interface_config_t* config, int dma)
{
	(void)host;
	if (fails("spi_slave_initialize"))
		return ESP_ERR_INVALID_STATE;
	check(!fake.spiMade && bus->max_transfer_sz % 4 == 0 && dma == SPI_DMA_CH_AUTO, "spi_slave_initialize");
	fake.spiMade = 1;
	fake.spi = *config;
	fake.transfer = fake.done = NULL;
	fake.pin[config->spics_io_num].handler = NULL; /* the driver routes the pin anew */
	return ESP_OK;
}

esp_err_t spi_slave_free(spi_host_device_t host)
{
	(void)host;
	check(fake.spiMade, "spi_slave_free");
	fake.spiMade = 0;
	return ESP_OK;
}

esp_err_t spi_slave_queue_trans(spi_host_device_t host, const spi_slave_transaction_t* transfer, TickType_t wait)
{
	(void)host;
	check(!wait && transfer->length % 32 == 0 && (uintptr_t)transfer->rx_buffer % 4 == 0, "spi_slave_queue_trans");
	if (fails("spi_slave_queue_trans") || fake.transfer)
		return ESP_FAIL;
	fake.transfer = (spi_slave_transaction_t*)(uintptr_t)transfer;
	return ESP_OK;
}

esp_err_t spi_slave_get_trans_result(spi_host_device_t host, spi_slave_transaction_t** transfer, TickType_t wait)
{
	(void)host;
	(void)wait;
	if (!fake.done)
		return ESP_FAIL;
	*transfer = fake.done;
	fake.done = NULL;
	return ESP_OK;
}

size_t fakeClock(const uint8_t* in, uint8_t* out, size_t count)
{
	for (size_t index = 0; index < count; index++) {
		size_t at = fake.clocked;
		out[index] = 0xff;
		if (!fake.transfer || 8 * at >= fake.transfer->length)
			continue;
		out[index] = ((const uint8_t*)fake.transfer->tx_buffer)[at];
		((uint8_t*)fake.transfer->rx_buffer)[at] = in[index];
		fake.clocked++;
	}
	return count;
}

/* Flash */

enum { flashSector = 4096, flashSectors = 8 };
static uint8_t flash[flashSectors * flashSector];
static int flashNew = 1;
int64_t fakeStuckBit = -1;
static const esp_partition_t partitions[] = {
	{ .type = 1, .subtype = 2, .address = 0x9000, .size = 2 * flashSector, .erase_size = flashSector, .label = "nvs" },
	{ .type = 1, .subtype = 0x40, .address = 0x520000, .size = 4 * flashSector, .erase_size = flashSector, .label = "journal" },
	{ .type = 1, .subtype = 0x41, .size = flashSector, .erase_size = flashSector, .label = "secret", .encrypted = true },
	{ .type = 1, .subtype = 0x42, .size = flashSector, .erase_size = flashSector, .label = "fixed", .readonly = true },
	{ .type = 1, .subtype = 0x43, .size = flashSector + 1, .erase_size = flashSector, .label = "odd" },
	{ .type = 0, .subtype = 0x10, .size = flashSector, .erase_size = flashSector, .label = "ota_0" },
};

static uint8_t* flashAt(const esp_partition_t* partition, size_t at, size_t count)
{
	check(partition == &partitions[0] || partition == &partitions[1], "a partition that nobody opened");
	check(!fake.inHandler, "flash from an interrupt handler");
	check(at + count <= partition->size, "outside of the partition");
	if (flashNew)
		memset(flash, 0xff, sizeof flash);
	flashNew = 0;
	return flash + (partition == &partitions[0] ? 0 : partitions[0].size) + at;
}

const esp_partition_t* esp_partition_find_first(int type, int subtype, const char* label)
{
	for (size_t index = 0; index < sizeof partitions / sizeof *partitions; index++) {
		const esp_partition_t* p = &partitions[index];
		if (p->type == type && (subtype == ESP_PARTITION_SUBTYPE_ANY || p->subtype == subtype) && !strcmp(p->label, label))
			return p;
	}
	return NULL;
}

esp_err_t esp_partition_read(const esp_partition_t* partition, size_t at, void* into, size_t count)
{
	if (fails("esp_partition_read"))
		return ESP_FAIL;
	memcpy(into, flashAt(partition, at, count), count);
	return ESP_OK;
}

esp_err_t esp_partition_write(const esp_partition_t* partition, size_t at, const void* bytes, size_t count)
{
	uint8_t* to = flashAt(partition, at, count);
	if (fails("esp_partition_write"))
		return ESP_FAIL;
	for (size_t index = 0; index < count; index++) {
		uint8_t stuck = fakeStuckBit / 8 == (int64_t)(at + index) && fakeStuckBit >= 0 ? (uint8_t)(1 << fakeStuckBit % 8) : 0;
		to[index] &= ((const uint8_t*)bytes)[index] | (to[index] & stuck);
	}
	return ESP_OK;
}

esp_err_t esp_partition_erase_range(const esp_partition_t* partition, size_t at, size_t count)
{
	check(at % flashSector == 0 && count % flashSector == 0, "an erasure that is not of whole sectors");
	if (fails("esp_partition_erase_range"))
		return ESP_FAIL;
	memset(flashAt(partition, at, count), 0xff, count);
	return ESP_OK;
}

/* Starts and the task watchdog */
esp_reset_reason_t fakeReason = ESP_RST_POWERON;
esp_reset_reason_t esp_reset_reason(void) { return fakeReason; }
void esp_restart(void) { fakeReason = ESP_RST_SW; }
uint32_t esp_random(void) { return 0x9e3779b9u; }
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void) { return ESP_OK; }

static struct fakeUser { int64_t fedUs; } user;
static bool isUser;
static bool bitten;
enum { patienceUs = 10000000 };

bool fakeBitten(void) { return bitten || (isUser && esp_timer_get_time() - user.fedUs > patienceUs); }

esp_err_t esp_task_wdt_add_user(const char* name, esp_task_wdt_user_handle_t* handle)
{
	check(name && !isUser, "a second user of the watchdog");
	if (fails("esp_task_wdt_add_user"))
		return ESP_FAIL;
	isUser = true;
	user.fedUs = esp_timer_get_time();
	*handle = &user;
	return ESP_OK;
}

esp_err_t esp_task_wdt_reset_user(esp_task_wdt_user_handle_t handle)
{
	check(handle == &user && isUser, "a user that the watchdog does not know");
	bitten = fakeBitten();
	user.fedUs = esp_timer_get_time();
	return ESP_OK;
}

/* RMT */
static struct fakeRmt { rmt_tx_channel_config_t config; bool made, enabled; int64_t untilUs; const uint8_t* bytes; size_t count; } rmt;
static struct fakeEncoder { rmt_bytes_encoder_config_t config; bool made; } rmtEncoder;
static int32_t lampTold = -1;

int fakeRmtHeld(void) { return rmt.made + rmtEncoder.made; }

esp_err_t rmt_new_tx_channel(const rmt_tx_channel_config_t* config, rmt_channel_handle_t* channel)
{
	check(!rmt.made, "one channel is enough");
	if (fails("rmt_new_tx_channel") || config->gpio_num < 0 || config->mem_block_symbols % 2 || config->mem_block_symbols < 64)
		return ESP_ERR_INVALID_ARG;
	rmt = (struct fakeRmt){ .config = *config, .made = true };
	*channel = &rmt;
	return ESP_OK;
}

esp_err_t rmt_del_channel(rmt_channel_handle_t channel)
{
	check(channel == &rmt && rmt.made && !rmt.enabled, "a channel that is not there, or not disabled");
	rmt.made = false;
	return ESP_OK;
}

esp_err_t rmt_enable(rmt_channel_handle_t channel)
{
	check(channel == &rmt && rmt.made && !rmt.enabled, "enabled twice");
	if (fails("rmt_enable"))
		return ESP_FAIL;
	return rmt.enabled = true, ESP_OK;
}

esp_err_t rmt_new_bytes_encoder(const rmt_bytes_encoder_config_t* config, rmt_encoder_handle_t* encoder)
{
	if (fails("rmt_new_bytes_encoder"))
		return ESP_FAIL;
	check(!rmtEncoder.made, "one encoder is enough");
	rmtEncoder = (struct fakeEncoder){ .config = *config, .made = true };
	*encoder = &rmtEncoder;
	return ESP_OK;
}

esp_err_t rmt_del_encoder(rmt_encoder_handle_t encoder)
{
	check(encoder == &rmtEncoder && rmtEncoder.made, "an encoder that is not there");
	rmtEncoder.made = false;
	return ESP_OK;
}

static bool within(uint32_t ticks, int ns)
{
	int64_t got = (int64_t)ticks * 1000000000 / rmt.config.resolution_hz;
	return got >= ns - 150 && got <= ns + 150;
}

/* The lamp reads when the last bit has gone: what was changed meanwhile shows. */
static void rmtFinish(void)
{
	if (!rmt.bytes || esp_timer_get_time() < rmt.untilUs)
		return;
	const rmt_symbol_word_t zero = rmtEncoder.config.bit0, one = rmtEncoder.config.bit1;
	bool good = rmt.count == 3 && rmtEncoder.config.flags.msb_first && zero.level0 && !zero.level1 && one.level0 && !one.level1
		&& within(zero.duration0, 400) && within(zero.duration1, 850) && within(one.duration0, 800) && within(one.duration1, 450);
	lampTold = good ? rmt.bytes[0] << 16 | rmt.bytes[1] << 8 | rmt.bytes[2] : -1;
	rmt.bytes = NULL;
}

esp_err_t rmt_transmit(rmt_channel_handle_t channel, rmt_encoder_handle_t encoder, const void* bytes, size_t count, const rmt_transmit_config_t* config)
{
	check(channel == &rmt && rmt.enabled && encoder == &rmtEncoder, "no such channel");
	rmtFinish();
	check(!rmt.bytes && config->flags.queue_nonblocking && config->loop_count == 0, "the caller would wait");
	if (fails("rmt_transmit"))
		return ESP_FAIL;
	rmt.bytes = bytes;
	rmt.count = count;
	rmt.untilUs = esp_timer_get_time() + 30;
	return ESP_OK;
}

esp_err_t rmt_tx_wait_all_done(rmt_channel_handle_t channel, int wait)
{
	check(channel == &rmt && wait == 0, "the caller would wait");
	rmtFinish();
	return rmt.bytes ? ESP_ERR_TIMEOUT : ESP_OK;
}

int32_t fakeLamp(int pin)
{
	rmtFinish();
	int32_t told = rmt.made && rmt.config.gpio_num == pin ? lampTold : -1;
	lampTold = -1;
	return told;
}
