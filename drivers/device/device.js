// The chip's own functions (device.c, heap.c), by name.
/* global native */
export const random = native("xs_ucm_random");
export const now = native("xs_ucm_now");
export const asked = native("xs_ucm_asked");
export const restart = native("xs_ucm_restart");
export const reason = native("xs_ucm_reason");
export const feed = native("xs_ucm_feed");
export const freeBytes = native("xs_ucm_free_bytes");
export const confirm = native("xs_ucm_confirm");
