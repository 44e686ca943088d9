#include "tls-verify.h"

#include <string.h>

#if defined(ESP_PLATFORM)
	#include "lwip/inet.h"
	#include "lwip/sockets.h"
#else
	#include <arpa/inet.h>
	#include <sys/socket.h>
#endif

enum { sanDns = 2, sanAddress = 7 };

int tlsAddress(const char* host, uint8_t address[16])
{
	if (inet_pton(AF_INET, host, address) == 1)
		return 4;
	return inet_pton(AF_INET6, host, address) == 1 ? 16 : 0;
}

static uint8_t lower(uint8_t letter) { return letter >= 'A' && letter <= 'Z' ? (uint8_t)(letter | 0x20) : letter; }

static bool sameText(const uint8_t* a, const char* b, size_t length)
{
	for (size_t at = 0; at < length; at++)
		if (lower(a[at]) != lower((uint8_t)b[at]))
			return false;
	return true;
}

/* RFC 6125 6.4.3: a wildcard stands for one whole label, the leftmost, above at least two others. */
bool tlsNameMatches(const uint8_t* pattern, size_t length, const char* host)
{
	size_t hostLength = strlen(host), dot;
	if (hostLength > 0 && host[hostLength - 1] == '.')
		hostLength--;
	if (length == 0 || hostLength == 0)
		return false;
	if (length > 2 && pattern[0] == '*' && pattern[1] == '.') {
		for (dot = 0; dot < hostLength && host[dot] != '.'; dot++)
			;
		if (dot == 0 || !memchr(pattern + 2, '.', length - 2))
			return false;
		return hostLength - dot == length - 1 && sameText(pattern + 1, host + dot, length - 1);
	}
	return length == hostLength && sameText(pattern, host, length);
}

static bool hostMatches(const mbedtls_x509_crt* certificate, const char* host)
{
	uint8_t address[16];
	int addressLength = tlsAddress(host, address);
	for (const mbedtls_x509_sequence* name = &certificate->subject_alt_names; name; name = name->next) {
		int kind = name->buf.tag & 0x1f;
		if (!name->buf.p)
			continue;
		if (addressLength > 0 ? kind == sanAddress && name->buf.len == (size_t)addressLength && !memcmp(name->buf.p, address, (size_t)addressLength)
				: kind == sanDns && tlsNameMatches(name->buf.p, name->buf.len, host))
			return true;
	}
	return false;
}

/* Civil date of a day since 1970 (proleptic Gregorian), and the time of day. */
static void civil(int64_t utcMs, int out[6])
{
	int64_t seconds = utcMs / 1000 - (utcMs % 1000 < 0), days = seconds / 86400 - (seconds % 86400 < 0);
	int64_t rest = seconds - days * 86400, z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t dayOfEra = z - era * 146097;
	int64_t yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
	int64_t dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100), month = (5 * dayOfYear + 2) / 153;
	out[2] = (int)(dayOfYear - (153 * month + 2) / 5 + 1);
	out[1] = (int)(month < 10 ? month + 3 : month - 9);
	out[0] = (int)(yearOfEra + era * 400 + (out[1] <= 2));
	out[3] = (int)(rest / 3600);
	out[4] = (int)(rest / 60 % 60);
	out[5] = (int)(rest % 60);
}

/* <0, 0, >0: now is before, at, after that time. */
static int compareTime(const int now[6], const mbedtls_x509_time* time)
{
	const int other[6] = { time->year, time->mon, time->day, time->hour, time->min, time->sec };
	for (int at = 0; at < 6; at++)
		if (now[at] != other[at])
			return now[at] - other[at];
	return 0;
}

static bool sameName(const mbedtls_x509_buf* a, const mbedtls_x509_buf* b)
{
	/* An empty one names nobody. */
	return a->len > 0 && a->len == b->len && !memcmp(a->p, b->p, a->len);
}

/* Why none of these is the issuer; tlsUnknownRoot where none has the name. */
static TlsReason whyNotIssued(const mbedtls_x509_crt* child, const mbedtls_x509_crt* candidates, int depth)
{
	TlsReason reason = tlsUnknownRoot;
	for (const mbedtls_x509_crt* each = candidates; each && each->raw.p; each = each->next) {
		if (each == child || !sameName(&child->issuer_raw, &each->subject_raw))
			continue;
		if (!each->MBEDTLS_PRIVATE(ca_istrue))
			return tlsNotCa;
		if (mbedtls_x509_crt_check_key_usage(each, MBEDTLS_X509_KU_KEY_CERT_SIGN))
			return tlsIssuerUsage;
		/* The field is one more than the number in the certificate, 0 = no bound. */
		if (each->MBEDTLS_PRIVATE(max_pathlen) > 0 && each->MBEDTLS_PRIVATE(max_pathlen) < 1 + depth)
			return tlsPathLength;
		reason = tlsForged;
	}
	return reason;
}

static TlsReason untrusted(const TlsVerify* verify, const mbedtls_x509_crt* certificate, int depth)
{
	TlsReason reason = whyNotIssued(certificate, certificate->next, depth);
	if (reason == tlsUnknownRoot)
		reason = whyNotIssued(certificate, verify->roots, depth);
	if (reason == tlsUnknownRoot && depth == 0 && sameName(&certificate->issuer_raw, &certificate->subject_raw))
		return tlsSelfSigned;
	return reason;
}

static TlsReason judge(const TlsVerify* verify, const mbedtls_x509_crt* certificate, int depth, uint32_t flags)
{
	if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
		return untrusted(verify, certificate, depth);
	if (flags & (MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY))
		return tlsWeak;
	if (verify->utcMs != TLS_NO_CLOCK) {
		int now[6];
		civil(verify->utcMs, now);
		if (compareTime(now, &certificate->valid_to) > 0)
			return tlsExpired;
		if (compareTime(now, &certificate->valid_from) < 0)
			return tlsNotYetValid;
	}
	if (depth == 0) {
		static const char serverAuth[] = "\x2b\x06\x01\x05\x05\x07\x03\x01"; /* RFC 5280 4.2.1.12 */
		/* Every suite that is offered has the server sign: no key transport, so no keyEncipherment. */
		if (mbedtls_x509_crt_check_key_usage(certificate, MBEDTLS_X509_KU_DIGITAL_SIGNATURE))
			return tlsKeyUsage;
		if (mbedtls_x509_crt_check_extended_key_usage(certificate, serverAuth, sizeof serverAuth - 1))
			return tlsExtendedKeyUsage;
		if (!hostMatches(certificate, verify->host))
			return tlsHostName;
	}
	flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE | MBEDTLS_X509_BADCERT_CN_MISMATCH);
	if (flags & MBEDTLS_X509_BADCERT_KEY_USAGE)
		return tlsKeyUsage;
	if (flags & MBEDTLS_X509_BADCERT_EXT_KEY_USAGE)
		return tlsExtendedKeyUsage;
	return flags ? tlsUntrusted : tlsFine;
}

int tlsVerify(void* context, mbedtls_x509_crt* certificate, int depth, uint32_t* flags)
{
	TlsVerify* verify = context;
	TlsReason reason = judge(verify, certificate, depth, *flags);
	verify->judged = true;
	if (verify->reason == tlsFine)
		verify->reason = reason;
	/* What is left in the flags decides: the library refuses where any is. */
	*flags = reason == tlsFine ? 0 : MBEDTLS_X509_BADCERT_OTHER;
	return 0;
}
