#include "tls-reason.h"

#define NAME(id, name, failure) name,
#define FAILURE(id, name, failure) failure,
static const char* const names[] = { TLS_REASONS(NAME) };
static const char* const failures[] = { TLS_REASONS(FAILURE) };

const char* tlsReasonName(TlsReason reason) { return names[reason < tlsReasons ? reason : tlsProtocol]; }
const char* tlsReasonFailure(TlsReason reason) { return failures[reason < tlsReasons ? reason : tlsProtocol]; }
