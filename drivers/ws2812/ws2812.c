/*
 * One WS2812 lamp by the RMT transmitter of ESP-IDF 6: 24 bits by 24 pulses, which the hardware sends by itself while the
 * caller goes on. Never run on hardware, nor compiled against the IDF.
 */
#include "xsmc.h"
#include "mc.xs.h" /* xsID_… */
#include "xsHost.h"

#include "driver/rmt_tx.h"

/* A tenth of a microsecond. A bit is 1.2 µs: high for 0.4 (0) or 0.8 (1), each ±0.15 by the maker's sheet. */
#define TICKS_HZ 10000000
enum { SHORT_TICKS = 4, LONG_TICKS = 8, SYMBOLS = 64 /* a channel's memory on an ESP32; the others round up */ };

static rmt_channel_handle_t channel;
static rmt_encoder_handle_t encoder;
/* Green, red, blue. It stays as it is until it has been sent. */
static uint8_t colour[3];

static void release(void)
{
	if (encoder)
		rmt_del_encoder(encoder);
	if (channel)
		rmt_del_channel(channel);
	encoder = NULL;
	channel = NULL;
}

/* (pin): 0, or the error of the IDF; then there is no lamp. */
void xs_ucm_ws2812_open(xsMachine* the)
{
	rmt_tx_channel_config_t line = {
		.gpio_num = (gpio_num_t)xsmcToInteger(xsArg(0)), .clk_src = RMT_CLK_SRC_DEFAULT, .resolution_hz = TICKS_HZ,
		.mem_block_symbols = SYMBOLS, .trans_queue_depth = 1,
	};
	rmt_bytes_encoder_config_t bits = {
		.bit0 = { .level0 = 1, .duration0 = SHORT_TICKS, .level1 = 0, .duration1 = LONG_TICKS },
		.bit1 = { .level0 = 1, .duration0 = LONG_TICKS, .level1 = 0, .duration1 = SHORT_TICKS },
		.flags.msb_first = 1,
	};
	esp_err_t error = channel ? ESP_ERR_INVALID_STATE : rmt_new_tx_channel(&line, &channel);
	if (!error) {
		error = rmt_new_bytes_encoder(&bits, &encoder);
		if (!error)
			error = rmt_enable(channel);
		if (error)
			release();
	}
	xsmcSetInteger(xsResult, error);
}

/* (red, green, blue), 0 to 255 each: 0, or the error of the IDF; then the lamp is as it was. Never waits. */
void xs_ucm_ws2812_set(xsMachine* the)
{
	static const rmt_transmit_config_t once = { .loop_count = 0, .flags.queue_nonblocking = 1 };
	esp_err_t error = channel ? rmt_tx_wait_all_done(channel, 0) : ESP_ERR_INVALID_STATE;
	if (!error) {
		colour[0] = (uint8_t)xsmcToInteger(xsArg(1));
		colour[1] = (uint8_t)xsmcToInteger(xsArg(0));
		colour[2] = (uint8_t)xsmcToInteger(xsArg(2));
		error = rmt_transmit(channel, encoder, colour, sizeof colour, &once);
	}
	xsmcSetInteger(xsResult, error);
}
