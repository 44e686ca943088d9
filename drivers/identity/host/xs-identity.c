/* The program of drivers/tls/host with the identity's natives beside those of TLS: `xs-identity FILE ARGUMENT`. */
#define MORE_NATIVES(each) \
	each(ucm_identity_request) each(ucm_identity_install) each(ucm_identity_put_roots) each(ucm_identity_confirm) \
	each(ucm_identity_drop) each(ucm_identity_date) each(ucm_identity_roots_version) each(ucm_identity_use)
#include "../../tls/host/xs-tls.c"
