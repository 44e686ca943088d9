// The chip's own functions (device.c), by name.
/* global native */
export const random = native("xs_ucm_random");
export const now = native("xs_ucm_now");
export const restart = native("xs_ucm_restart");
export const reason = native("xs_ucm_reason");
export const confirm = native("xs_ucm_confirm");
