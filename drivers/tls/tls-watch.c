#include "tls-watch.h"

#include <string.h>

enum { changeCipherSpec = 20, alert = 21, handshake = 22, applicationData = 23 };
enum { serverHelloMessage = 2, certificateMessage = 11, certificateRequestMessage = 13 };

void tlsWatchStart(TlsWatch* watch, bool offers13)
{
	memset(watch, 0, sizeof *watch);
	watch->offers13 = offers13;
}

bool tlsWatchInside(const TlsWatch* watch) { return watch->headerLength > 0 || watch->recordLeft > 0; }

static unsigned word(const uint8_t* at) { return (unsigned)at[0] << 8 | at[1]; }

/* version, random 32, session id, suite 2, compression 1, extensions */
static TlsReason readHello(TlsWatch* watch)
{
	const uint8_t* hello = watch->hello;
	size_t length = watch->helloLength, at = 35;
	if (length < 38)
		return tlsProtocol;
	watch->serverHello = true;
	watch->version = (uint16_t)word(hello);
	at += hello[34] + 3u;
	if (at <= length)
		watch->suite = (uint16_t)word(hello + at - 3);
	if (at + 2 <= length) {
		size_t end = at + 2 + word(hello + at);
		for (at += 2; at + 4 <= end && at + 4 <= length; at += 4 + word(hello + at + 2))
			if (word(hello + at) == 43 && at + 6 <= length) /* supported_versions */
				watch->version = (uint16_t)word(hello + at + 4);
	}
	if (watch->version < 0x0303)
		return tlsVersion;
	if (watch->version == 0x0303 && !memcmp(hello + 26, "DOWNGRD", 7) && (hello[33] == 0 || (hello[33] == 1 && watch->offers13)))
		return tlsDowngraded;
	return tlsFine;
}

static TlsReason readMessages(TlsWatch* watch, const uint8_t* bytes, size_t count)
{
	while (count > 0) {
		if (watch->messageHeaderLength < 4) {
			watch->message[watch->messageHeaderLength++] = *bytes++;
			count--;
			if (watch->messageHeaderLength < 4)
				continue;
			watch->messageLeft = (uint32_t)watch->message[1] << 16 | word(watch->message + 2);
			if (watch->messageLeft > TLS_MESSAGE_BYTES)
				return tlsOversize;
			watch->helloLength = 0;
			if (watch->message[0] == certificateMessage)
				watch->certificate = true;
			else if (watch->message[0] == certificateRequestMessage)
				watch->certificateRequest = true;
		}
		size_t take = count < watch->messageLeft ? count : watch->messageLeft;
		if (watch->message[0] == serverHelloMessage) {
			size_t room = TLS_HELLO_BYTES - watch->helloLength, keep = take < room ? take : room;
			memcpy(watch->hello + watch->helloLength, bytes, keep);
			watch->helloLength = (uint16_t)(watch->helloLength + keep);
		}
		bytes += take;
		count -= take;
		watch->messageLeft -= (uint32_t)take;
		if (watch->messageLeft == 0) {
			TlsReason reason = watch->message[0] == serverHelloMessage ? readHello(watch) : tlsFine;
			watch->messageHeaderLength = 0;
			if (reason != tlsFine)
				return reason;
		}
	}
	return tlsFine;
}

static TlsReason readHeader(TlsWatch* watch)
{
	watch->headerLength = 0;
	watch->type = watch->header[0];
	watch->recordLeft = (uint16_t)word(watch->header + 3);
	if (watch->type < changeCipherSpec || watch->type > applicationData || watch->header[1] != 3)
		return tlsNotTls;
	if (watch->recordLeft > TLS_RECORD_BYTES)
		return tlsOversize;
	/* In 1.3 it means nothing and comes before nothing that could be read. */
	if (watch->type == changeCipherSpec && watch->version == 0x0303)
		watch->secret = true;
	return tlsFine;
}

TlsReason tlsWatchFeed(TlsWatch* watch, const uint8_t* bytes, size_t count)
{
	if (!watch->through && (watch->total += (uint32_t)count) > TLS_HANDSHAKE_BYTES)
		return tlsOversize;
	while (count > 0) {
		TlsReason reason = tlsFine;
		if (watch->recordLeft == 0) {
			/* A server that speaks something else often sends fewer than five bytes. */
			if (watch->headerLength == 0 && (*bytes < changeCipherSpec || *bytes > applicationData))
				return tlsNotTls;
			watch->header[watch->headerLength++] = *bytes++;
			count--;
			if (watch->headerLength == 5 && (reason = readHeader(watch)) != tlsFine)
				return reason;
			continue;
		}
		size_t take = count < watch->recordLeft ? count : watch->recordLeft;
		if (!watch->through && !watch->secret) {
			if (watch->type == handshake)
				reason = readMessages(watch, bytes, take);
			else if (watch->type == alert)
				for (size_t at = 0; at < take && watch->alertLength < 2; at++)
					watch->alert[watch->alertLength++] = bytes[at];
		}
		if (reason != tlsFine)
			return reason;
		bytes += take;
		count -= take;
		watch->recordLeft = (uint16_t)(watch->recordLeft - take);
	}
	return tlsFine;
}

bool tlsProbeIsStaticRsa(const TlsWatch* watch) { return watch->serverHello && watch->suite < 0xc000; }

size_t tlsProbeHello(uint8_t* bytes, const uint8_t random[32], const char* host)
{
	/* TLS_ECDHE_ECDSA and _RSA_WITH_AES_128_CBC_SHA; then TLS_RSA_WITH_AES, 128 and 256 bits, GCM and CBC */
	static const uint8_t suites[] = { 0, 16, 0xc0, 0x09, 0xc0, 0x13, 0x00, 0x9c, 0x00, 0x9d, 0x00, 0x3c, 0x00, 0x3d, 0x00, 0x2f, 0x00, 0x35 };
	/* signature_algorithms: rsa_pkcs1_sha256, sha384, ecdsa_secp256r1_sha256; supported_groups: secp256r1 */
	static const uint8_t algorithms[] = { 0, 13, 0, 8, 0, 6, 4, 1, 5, 1, 4, 3, 0, 10, 0, 4, 0, 2, 0, 23 };
	size_t name = host ? strlen(host) : 0, at = 9, extensions, end;
	if (name > 253)
		name = 0;
	bytes[at++] = 3;
	bytes[at++] = 3;
	memcpy(bytes + at, random, 32);
	at += 32;
	bytes[at++] = 0;
	memcpy(bytes + at, suites, sizeof suites);
	at += sizeof suites;
	bytes[at++] = 1;
	bytes[at++] = 0;
	extensions = at;
	at += 2;
	memcpy(bytes + at, algorithms, sizeof algorithms);
	at += sizeof algorithms;
	if (name > 0) {
		const uint8_t head[] = { 0, 0, 0, (uint8_t)((name + 5) & 0xff), 0, (uint8_t)((name + 3) & 0xff), 0, 0, (uint8_t)name };
		memcpy(bytes + at, head, sizeof head);
		bytes[at + 2] = (uint8_t)((name + 5) >> 8);
		bytes[at + 4] = (uint8_t)((name + 3) >> 8);
		at += sizeof head;
		memcpy(bytes + at, host, name);
		at += name;
	}
	end = at;
	bytes[extensions] = (uint8_t)((end - extensions - 2) >> 8);
	bytes[extensions + 1] = (uint8_t)((end - extensions - 2) & 0xff);
	const uint8_t head[] = { handshake, 3, 1, (uint8_t)((end - 5) >> 8), (uint8_t)((end - 5) & 0xff), 1, 0,
		(uint8_t)((end - 9) >> 8), (uint8_t)((end - 9) & 0xff) };
	memcpy(bytes, head, sizeof head);
	return end;
}
