/*
 * ESP-IDF 6, driver spi_slave with DMA. A transfer is armed when ATTENTION is pulled, because the appliance clocks only
 * then; it ends when SELECT rises, and only then does the chip tell what came in and how much went out.
 *
 * Never run on hardware. Unproven: whether every ESP32 takes a transfer armed while SELECT is already low, whether the
 * time from ATTENTION to the first clock suffices on real appliances, DMA's last word on transfers that are no multiple of
 * 4 bytes (the ESP32 overwrites it; the buffers leave room), and everything about levels and speed.
 */
#include "spi-peripheral.h"

#include <string.h>

#include "driver/gpio.h"
#include "driver/spi_slave.h"
#include "esp_attr.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"

enum { filler = 0xff };

static DMA_ATTR uint8_t spiTx[SPI_PERIPHERAL_BYTES];
static DMA_ATTR uint8_t spiRx[SPI_PERIPHERAL_BYTES];

static struct {
	SpiPeripheralPins pins;
	spi_slave_transaction_t transfer;
	int running, armed;
	uint16_t loaded;
	volatile int ended; /* set by the handler when SELECT has risen after clocks */
	volatile uint16_t head, count;
	uint32_t lost;
	SpiPeripheralEvent events[SPI_PERIPHERAL_EVENTS];
} spi;

static portMUX_TYPE spiLock = portMUX_INITIALIZER_UNLOCKED;

static IRAM_ATTR int64_t msNow(void) { return esp_timer_get_time() / 1000; }

/* The caller holds the lock. */
static IRAM_ATTR void put(uint8_t kind, uint8_t on, uint16_t length)
{
	if (spi.count == SPI_PERIPHERAL_EVENTS) {
		spi.lost++;
		return;
	}
	SpiPeripheralEvent* event = &spi.events[(spi.head + spi.count) % SPI_PERIPHERAL_EVENTS];
	event->kind = kind;
	event->on = on;
	event->length = length;
	event->atMs = msNow();
	spi.count++;
}

static IRAM_ATTR void onTransferEnd(spi_slave_transaction_t* transfer)
{
	(void)transfer;
	spi.ended = 1;
}

static IRAM_ATTR void onEdge(void* kind)
{
	portENTER_CRITICAL_ISR(&spiLock);
	int isSelect = (intptr_t)kind == spiSelect;
	put((uint8_t)(intptr_t)kind, !gpio_get_level((gpio_num_t)(isSelect ? spi.pins.select : spi.pins.reset)), 0);
	portEXIT_CRITICAL_ISR(&spiLock);
}

static esp_err_t startDriver(void)
{
	spi_bus_config_t bus = {
		.mosi_io_num = spi.pins.in,
		.miso_io_num = spi.pins.out,
		.sclk_io_num = spi.pins.clock,
		.quadwp_io_num = -1,
		.quadhd_io_num = -1,
		.max_transfer_sz = SPI_PERIPHERAL_BYTES,
	};
	spi_slave_interface_config_t config = {
		.spics_io_num = spi.pins.select,
		.queue_size = 1,
		.mode = (uint8_t)spi.pins.mode,
		.post_trans_cb = onTransferEnd,
	};
	spi.armed = 0;
	spi.ended = 0;
	return spi_slave_initialize((spi_host_device_t)spi.pins.host, &bus, &config, SPI_DMA_CH_AUTO);
}

static esp_err_t watch(int pin, int kind)
{
	if (pin < 0)
		return ESP_OK;
	if (kind == spiReset)
		gpio_set_direction((gpio_num_t)pin, GPIO_MODE_INPUT);
	gpio_set_pull_mode((gpio_num_t)pin, GPIO_PULLUP_ONLY);
	gpio_set_intr_type((gpio_num_t)pin, GPIO_INTR_ANYEDGE);
	return gpio_isr_handler_add((gpio_num_t)pin, onEdge, (void*)(intptr_t)kind);
}

int spiPeripheralStart(const SpiPeripheralPins* pins)
{
	if (spi.running)
		return ESP_ERR_INVALID_STATE;
	memset(&spi, 0, sizeof spi);
	spi.pins = *pins;
	memset(spiTx, filler, sizeof spiTx);
	gpio_set_level((gpio_num_t)pins->attention, 1);
	gpio_set_direction((gpio_num_t)pins->attention, GPIO_MODE_OUTPUT);
	esp_err_t error = startDriver();
	if (error)
		return error;
	spi.running = 1;
	error = gpio_install_isr_service(0);
	if (error == ESP_ERR_INVALID_STATE)
		error = ESP_OK; /* somebody else has installed it */
	if (!error)
		error = watch(pins->select, spiSelect);
	if (!error)
		error = watch(pins->reset, spiReset);
	if (error)
		spiPeripheralStop();
	return error;
}

void spiPeripheralStop(void)
{
	if (!spi.running)
		return;
	gpio_set_level((gpio_num_t)spi.pins.attention, 1);
	gpio_isr_handler_remove((gpio_num_t)spi.pins.select);
	if (spi.pins.reset >= 0)
		gpio_isr_handler_remove((gpio_num_t)spi.pins.reset);
	spi_slave_free((spi_host_device_t)spi.pins.host);
	spi.running = 0;
}

int spiPeripheralRunning(void) { return spi.running; }
int64_t spiPeripheralNowMs(void) { return msNow(); }
uint32_t spiPeripheralLost(void) { return spi.lost; }

int spiPeripheralLoad(const uint8_t* bytes, uint16_t length)
{
	if (length > SPI_PERIPHERAL_BYTES || spi.armed)
		return 0;
	memcpy(spiTx, bytes, length);
	memset(spiTx + length, filler, sizeof spiTx - length);
	spi.loaded = length;
	return 1;
}

int spiPeripheralAttention(int asserted)
{
	esp_err_t error = ESP_OK;
	if (asserted && !spi.armed) {
		memset(&spi.transfer, 0, sizeof spi.transfer);
		spi.transfer.length = 8 * SPI_PERIPHERAL_BYTES;
		spi.transfer.tx_buffer = spiTx;
		spi.transfer.rx_buffer = spiRx;
		spi.ended = 0;
		error = spi_slave_queue_trans((spi_host_device_t)spi.pins.host, &spi.transfer, 0);
		spi.armed = !error;
	}
	gpio_set_level((gpio_num_t)spi.pins.attention, (uint32_t)(error || !asserted));
	if (!asserted && spi.armed && !spi.ended && gpio_get_level((gpio_num_t)spi.pins.select)) {
		/* Nobody came: what was armed is taken back, which the driver can only do whole. */
		spi_slave_free((spi_host_device_t)spi.pins.host);
		memset(spiTx, filler, sizeof spiTx);
		spi.loaded = 0;
		error = startDriver();
		/* The driver has set up SELECT anew. */
		if (!error)
			error = watch(spi.pins.select, spiSelect);
	}
	return !error;
}

/* What came in goes before SELECT's rise, which was put into the queue first: the link is told in this order. */
static int takeTransfer(SpiPeripheralEvent* event, uint8_t* bytes)
{
	spi_slave_transaction_t* done;
	if (!spi.armed || !spi.ended || spi_slave_get_trans_result((spi_host_device_t)spi.pins.host, &done, 0))
		return 0;
	uint16_t length = (uint16_t)(done->trans_len / 8);
	if (length > SPI_PERIPHERAL_BYTES)
		length = SPI_PERIPHERAL_BYTES;
	spi.armed = 0;
	spi.ended = 0;
	portENTER_CRITICAL(&spiLock);
	if (spi.loaded && length >= spi.loaded) {
		/* To the front of the queue: directly after what came in. */
		if (spi.count == SPI_PERIPHERAL_EVENTS)
			spi.lost++;
		else {
			spi.head = (uint16_t)((spi.head + SPI_PERIPHERAL_EVENTS - 1) % SPI_PERIPHERAL_EVENTS);
			spi.count++;
			spi.events[spi.head] = (SpiPeripheralEvent){ .kind = spiOut, .atMs = msNow() };
		}
	}
	portEXIT_CRITICAL(&spiLock);
	spi.loaded = 0;
	memset(spiTx, filler, sizeof spiTx);
	memcpy(bytes, spiRx, length);
	*event = (SpiPeripheralEvent){ .kind = spiIn, .length = length, .atMs = msNow() };
	return 1;
}

int spiPeripheralTake(SpiPeripheralEvent* event, uint8_t* bytes)
{
	portENTER_CRITICAL(&spiLock);
	/* Only the fall of SELECT may go before the transfer that it began. */
	int fall = spi.count && spi.events[spi.head].kind == spiSelect && spi.events[spi.head].on;
	portEXIT_CRITICAL(&spiLock);
	if (!fall && takeTransfer(event, bytes))
		return 1;
	portENTER_CRITICAL(&spiLock);
	int any = spi.count != 0;
	if (any) {
		*event = spi.events[spi.head];
		spi.head = (uint16_t)((spi.head + 1) % SPI_PERIPHERAL_EVENTS);
		spi.count--;
	}
	portEXIT_CRITICAL(&spiLock);
	return any;
}
