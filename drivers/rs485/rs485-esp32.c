/*
 * ESP-IDF 6: UART without its driver, so that the handler is ours alone and lies in internal RAM. DE follows the
 * transmit-done interrupt. What arrives while we drive is our own noise and is dropped (unless the line is said to echo).
 *
 * Needs CONFIG_GPTIMER_ISR_CACHE_SAFE=y (the timer must tick while flash is erased) and CONFIG_ESP_TIMER_IN_IRAM=y.
 * There is no ring of received bytes: the handler consumes them, and what it makes of them waits in an event queue of
 * 4,096 bytes, several seconds of line.
 *
 * Never run on hardware: register names and the behaviour of TX_DONE are from ESP-IDF's sources; timing, DE turn-around,
 * behaviour while flash is erased and interrupt latency under Wi-Fi are unproven.
 */
#include "rs485-esp32.h"

#include "driver/gpio.h"
#include "driver/gptimer.h"
#include "driver/uart.h"
#include "esp_attr.h"
#include "esp_intr_alloc.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "hal/gpio_ll.h"
#include "hal/uart_ll.h"
#include "placement.h"
#include "soc/uart_periph.h"

RS485_RAM_OPTIONS

#define TICK_US 1000
#define RX_INTERRUPTS (UART_INTR_RXFIFO_FULL | UART_INTR_RXFIFO_TOUT | UART_INTR_RXFIFO_OVF | UART_INTR_FRAM_ERR | UART_INTR_PARITY_ERR)

static struct {
	Rs485FrameLine line;
	Rs485EventQueue events;
	uart_dev_t* hw;
	intr_handle_t interrupt;
	gptimer_handle_t timer;
	int port, driveEnable, driveActive;
	int running, driving;
	uint16_t written; /* bytes of line.out that are in the FIFO or gone */
	uint16_t writing;
	int64_t baseUs, baseMs; /* the last whole millisecond told */
	uint8_t bytes[64];
} rs485;

static portMUX_TYPE rs485Lock = portMUX_INITIALIZER_UNLOCKED;

/* Milliseconds without a division of 64 bits. The caller holds the lock. */
RS485_RAM static int64_t msNow(void)
{
	int64_t passed = esp_timer_get_time() - rs485.baseUs;
	while (passed >= 4000000000) {
		passed -= 4000000000;
		rs485.baseUs += 4000000000;
		rs485.baseMs += 4000000;
	}
	uint32_t ms = (uint32_t)passed / 1000;
	rs485.baseUs += (int64_t)ms * 1000;
	rs485.baseMs += ms;
	return rs485.baseMs;
}

RS485_RAM static void drive(int on)
{
	rs485.driving = on;
	if (rs485.driveEnable >= 0)
		gpio_ll_set_level(&GPIO, (uint32_t)rs485.driveEnable, (uint32_t)(on ? rs485.driveActive : !rs485.driveActive));
}

/* As many bytes as the FIFO takes; when all are in, the interrupt that tells that the last bit has left. */
RS485_RAM static void fill(void)
{
	uint32_t room = uart_ll_get_txfifo_len(rs485.hw), left = (uint32_t)(rs485.writing - rs485.written);
	uint32_t count = left < room ? left : room;
	uart_ll_clr_intsts_mask(rs485.hw, UART_INTR_TX_DONE); /* that of the bytes before; these take a while */
	if (count)
		uart_ll_write_txfifo(rs485.hw, rs485.line.out + rs485.written, count);
	rs485.written = (uint16_t)(rs485.written + count);
	if (rs485.written < rs485.writing) {
		uart_ll_clr_intsts_mask(rs485.hw, UART_INTR_TXFIFO_EMPTY);
		uart_ll_ena_intr_mask(rs485.hw, UART_INTR_TXFIFO_EMPTY);
	}
	else {
		uart_ll_disable_intr_mask(rs485.hw, UART_INTR_TXFIFO_EMPTY);
		uart_ll_ena_intr_mask(rs485.hw, UART_INTR_TX_DONE);
	}
}

/* After every call of the line: what it wants sent. */
RS485_RAM static void serve(void)
{
	if (!rs485.line.write)
		return;
	rs485.writing = rs485.line.write;
	rs485.written = 0;
	rs485.line.write = 0;
	drive(1);
	fill();
}

RS485_RAM static void receive(int64_t ms)
{
	for (uint32_t count; (count = uart_ll_get_rxfifo_len(rs485.hw)) > 0;) {
		if (count > sizeof rs485.bytes)
			count = sizeof rs485.bytes;
		uart_ll_read_rxfifo(rs485.hw, rs485.bytes, count);
		if (rs485.driving && !rs485.line.echo)
			continue;
		if (count == 1) { /* the rule: the FIFO tells of every byte */
			if (rs485LineQuick(&rs485.line, rs485.bytes[0], ms))
				continue;
			rs485LineByte(&rs485.line, rs485.bytes[0], ms);
		}
		else
			rs485LineRx(&rs485.line, rs485.bytes, (uint16_t)count, ms, ms);
		serve();
	}
}

RS485_RAM static void onUart(void* unused)
{
	(void)unused;
	portENTER_CRITICAL_ISR(&rs485Lock);
	uint32_t status = uart_ll_get_intsts_mask(rs485.hw);
	int64_t ms = msNow();
	uart_ll_clr_intsts_mask(rs485.hw, status);
	if (status & UART_INTR_RXFIFO_OVF)
		rs485.events.counters.overruns++;
	if (status & (UART_INTR_FRAM_ERR | UART_INTR_PARITY_ERR))
		rs485.events.counters.lineErrors++;
	receive(ms);
	if (status & UART_INTR_TXFIFO_EMPTY && rs485.written < rs485.writing)
		fill();
	if (status & UART_INTR_TX_DONE && rs485.driving && rs485.written == rs485.writing) {
		uart_ll_disable_intr_mask(rs485.hw, UART_INTR_TX_DONE);
		drive(0);
		rs485LineSent(&rs485.line, ms, ms);
		serve();
	}
	portEXIT_CRITICAL_ISR(&rs485Lock);
}

RS485_RAM static bool onTick(gptimer_handle_t timer, const gptimer_alarm_event_data_t* event, void* unused)
{
	(void)timer;
	(void)event;
	(void)unused;
	portENTER_CRITICAL_ISR(&rs485Lock);
	int64_t ms = msNow();
	if (ms >= rs485LineNextMs(&rs485.line)) {
		rs485LinePoll(&rs485.line, ms);
		serve();
	}
	portEXIT_CRITICAL_ISR(&rs485Lock);
	return false;
}

static esp_err_t startTimer(void)
{
	gptimer_config_t config = { .clk_src = GPTIMER_CLK_SRC_DEFAULT, .direction = GPTIMER_COUNT_UP, .resolution_hz = 1000000 };
	gptimer_event_callbacks_t callbacks = { .on_alarm = onTick };
	gptimer_alarm_config_t alarm = { .alarm_count = TICK_US, .flags.auto_reload_on_alarm = 1 };
	esp_err_t error = gptimer_new_timer(&config, &rs485.timer);
	if (!error)
		error = gptimer_register_event_callbacks(rs485.timer, &callbacks, NULL);
	if (!error)
		error = gptimer_set_alarm_action(rs485.timer, &alarm);
	if (!error)
		error = gptimer_enable(rs485.timer);
	if (error)
		return error;
	error = gptimer_start(rs485.timer);
	if (error)
		gptimer_disable(rs485.timer);
	return error;
}

static esp_err_t startUart(const Rs485Pins* pins, uint32_t bitsPerSecond)
{
	uart_config_t config = {
		.baud_rate = (int)bitsPerSecond,
		.data_bits = UART_DATA_8_BITS,
		.parity = UART_PARITY_DISABLE,
		.stop_bits = UART_STOP_BITS_1,
		.flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
		.source_clk = UART_SCLK_DEFAULT,
	};
	if (pins->driveEnable >= 0) {
		/* The level first, so that DE never blips. */
		gpio_set_level((gpio_num_t)pins->driveEnable, (uint32_t)!rs485.driveActive);
		esp_err_t error = gpio_set_direction((gpio_num_t)pins->driveEnable, GPIO_MODE_OUTPUT);
		if (error)
			return error;
	}
	esp_err_t error = uart_param_config((uart_port_t)pins->port, &config);
	if (!error)
		error = uart_set_pin((uart_port_t)pins->port, pins->transmit, pins->receive, UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE);
	if (error)
		return error;
	uart_ll_disable_intr_mask(rs485.hw, UART_LL_INTR_MASK);
	uart_ll_clr_intsts_mask(rs485.hw, UART_LL_INTR_MASK);
	uart_ll_rxfifo_rst(rs485.hw);
	uart_ll_set_rxfifo_full_thr(rs485.hw, 1); /* every byte: its time is the frame's end */
	uart_ll_set_txfifo_empty_thr(rs485.hw, 10);
	error = esp_intr_alloc(uart_periph_signal[pins->port].irq, ESP_INTR_FLAG_IRAM, onUart, NULL, &rs485.interrupt);
	if (!error)
		uart_ll_ena_intr_mask(rs485.hw, RX_INTERRUPTS);
	return error;
}

int rs485Start(const Rs485Pins* pins, const Rs485Settings* settings, uint32_t bitsPerSecond)
{
	if (rs485.running)
		return ESP_ERR_INVALID_STATE;
	if (pins->port < 0 || pins->port >= UART_NUM_MAX || !bitsPerSecond)
		return ESP_ERR_INVALID_ARG;
	rs485.port = pins->port;
	rs485.hw = UART_LL_GET_HW(pins->port);
	rs485.driveEnable = pins->driveEnable;
	rs485.driveActive = !pins->driveInverted;
	rs485.driving = 0;
	rs485.interrupt = NULL;
	rs485.timer = NULL;
	rs485.writing = rs485.written = 0;
	rs485LineStart(&rs485.line, &rs485.events, settings, bitsPerSecond, RS485_CAPACITY, pins->echo);
	rs485.running = 1;
	esp_err_t error = startUart(pins, bitsPerSecond);
	if (!error)
		error = startTimer();
	if (error) {
		/* The timer is not running here; it may exist. */
		if (rs485.timer)
			gptimer_del_timer(rs485.timer);
		rs485.timer = NULL;
		rs485Stop();
	}
	return error;
}

void rs485Stop(void)
{
	if (!rs485.running)
		return;
	uart_ll_disable_intr_mask(rs485.hw, UART_LL_INTR_MASK);
	if (rs485.timer) {
		gptimer_stop(rs485.timer);
		gptimer_disable(rs485.timer);
		gptimer_del_timer(rs485.timer);
	}
	if (rs485.interrupt)
		esp_intr_free(rs485.interrupt);
	drive(0);
	rs485.running = 0;
}

int rs485Running(void) { return rs485.running; }

int64_t rs485NowMs(void)
{
	portENTER_CRITICAL(&rs485Lock);
	int64_t ms = msNow();
	portEXIT_CRITICAL(&rs485Lock);
	return ms;
}

int rs485Take(Rs485Event* event, uint8_t* bytes)
{
	portENTER_CRITICAL(&rs485Lock);
	int taken = rs485QueueTake(&rs485.events, event, bytes);
	/* A new rate waits for what is being sent; JavaScript asks for events all the time. */
	uint32_t rate = rs485.driving ? 0 : rs485.line.rate;
	if (rate)
		rs485.line.rate = 0;
	portEXIT_CRITICAL(&rs485Lock);
	if (rate)
		uart_set_baudrate((uart_port_t)rs485.port, rate);
	return taken;
}

int rs485Send(const uint8_t* bytes, uint16_t length)
{
	portENTER_CRITICAL(&rs485Lock);
	int taken = rs485LineSendFrame(&rs485.line, bytes, length);
	rs485LinePoll(&rs485.line, msNow());
	serve();
	portEXIT_CRITICAL(&rs485Lock);
	return taken;
}

void rs485Configure(const Rs485Settings* settings, uint32_t bitsPerSecond)
{
	portENTER_CRITICAL(&rs485Lock);
	rs485LineConfigure(&rs485.line, settings, bitsPerSecond);
	uint32_t rate = rs485.driving ? 0 : rs485.line.rate;
	if (rate)
		rs485.line.rate = 0;
	portEXIT_CRITICAL(&rs485Lock);
	if (rate)
		uart_set_baudrate((uart_port_t)rs485.port, rate);
}

Rs485Counters rs485Counters(void)
{
	portENTER_CRITICAL(&rs485Lock);
	Rs485Counters counters = rs485.events.counters;
	portEXIT_CRITICAL(&rs485Lock);
	return counters;
}
