// The natives (ucm-web.c), by name: TCP connections of the module's pages. None of them ever waits; connections are known by
// small numbers.
/* global native */
export const listen = native("xs_ucm_web_listen");
export const accept = native("xs_ucm_web_accept");
export const address = native("xs_ucm_web_address");
export const read = native("xs_ucm_web_read");
export const write = native("xs_ucm_web_write");
export const close = native("xs_ucm_web_close");
