// The natives of the identity (identity.h), by name; identity-port.ts makes the port of src/ports/certificates.ts of them.
/* global native */
export const request = native("xs_ucm_identity_request");
export const install = native("xs_ucm_identity_install");
export const putRoots = native("xs_ucm_identity_put_roots");
export const confirm = native("xs_ucm_identity_confirm");
export const drop = native("xs_ucm_identity_drop");
export const date = native("xs_ucm_identity_date");
export const rootsVersion = native("xs_ucm_identity_roots_version");
export const use = native("xs_ucm_identity_use");
