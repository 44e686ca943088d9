// The lamp's natives (ws2812.c), by name.
/* global native */
export const open = native("xs_ucm_ws2812_open");
export const set = native("xs_ucm_ws2812_set");
