// The natives of the slots (slots.h), by name; slots-port.ts makes the port of src/ports/update.ts of them.
/* global native */
export const state = native("xs_ucm_slots_state");
export const erase = native("xs_ucm_slots_erase");
export const write = native("xs_ucm_slots_write");
export const read = native("xs_ucm_slots_read");
export const hash = native("xs_ucm_slots_hash");
export const boot = native("xs_ucm_slots_boot");
export const confirm = native("xs_ucm_slots_confirm");
export const rollBack = native("xs_ucm_slots_roll_back");
export const verify = native("xs_ucm_slots_verify");
