#include "event-queue.h"

#include "placement.h"

RS485_RAM_OPTIONS

enum { headerBytes = sizeof(Rs485Event), headerWords = headerBytes / 4, frameRecordBytes = headerBytes + (RS485_EVENT_BYTES + 3) / 4 * 4 };

void rs485QueueStart(Rs485EventQueue* queue)
{
	*queue = (Rs485EventQueue){ 0 };
}

/* What a record takes: a header and bytes, in whole words, so that headers are copied by words. */
RS485_RAM static uint32_t recordBytes(uint32_t length) { return headerBytes + ((length + 3) & ~3u); }

RS485_RAM int rs485QueueHasRoom(const Rs485EventQueue* queue, uint8_t kind, uint16_t length)
{
	uint32_t needed = recordBytes(length);
	if (kind == rs485EventNoise)
		needed += frameRecordBytes;
	return queue->used + needed <= RS485_QUEUE_BYTES;
}

RS485_RAM static void count(Rs485Counters* c, const Rs485Event* event)
{
	uint8_t kind = event->kind;
	if (kind == rs485EventFrame) {
		c->framesReceived++;
		c->bytesReceived += event->length + 6u;
	}
	else if (kind == rs485EventAnswer) {
		c->bytesReceived += 2;
		if (event->code < 0)
			c->acksReceived++;
		else
			c->naksReceived[event->code & 7]++;
	}
	else if (kind == rs485EventSent)
		c->framesSent++;
	else if (kind == rs485EventAnswered) {
		c->bytesSent += 2;
		if (event->code < 0)
			c->acksSent++;
		else
			c->naksSent[event->code & 7]++;
	}
	else if (kind == rs485EventNoise) {
		c->bytesReceived += event->length;
		c->bytesDiscarded += event->length;
		c->noise[event->fault]++;
	}
}

RS485_RAM void rs485QueuePut(Rs485EventQueue* queue, const Rs485Event* event, const uint8_t* bytes)
{
	count(&queue->counters, event);
	uint32_t length = event->length;
	if (!rs485QueueHasRoom(queue, event->kind, (uint16_t)length)) {
		queue->counters.eventsLost++;
		return;
	}
	uint32_t at = ((uint32_t)queue->head + queue->used) % RS485_QUEUE_BYTES;
	for (uint32_t index = 0; index < headerWords; index++, at = (at + 4) % RS485_QUEUE_BYTES)
		queue->words[at / 4] = event->words[index];
	uint8_t* target = (uint8_t*)queue->words;
	for (uint32_t index = 0; index < length; index++)
		target[(at + index) % RS485_QUEUE_BYTES] = bytes[index];
	queue->used = (uint16_t)(queue->used + recordBytes(length));
}

RS485_RAM int rs485QueueTake(Rs485EventQueue* queue, Rs485Event* event, uint8_t* bytes)
{
	if (!queue->used)
		return 0;
	uint32_t at = queue->head;
	for (uint32_t index = 0; index < headerWords; index++, at = (at + 4) % RS485_QUEUE_BYTES)
		event->words[index] = queue->words[at / 4];
	uint32_t length = event->length;
	const uint8_t* source = (const uint8_t*)queue->words;
	for (uint32_t index = 0; index < length; index++)
		bytes[index] = source[(at + index) % RS485_QUEUE_BYTES];
	queue->head = (uint16_t)((queue->head + recordBytes(length)) % RS485_QUEUE_BYTES);
	queue->used = (uint16_t)(queue->used - recordBytes(length));
	return 1;
}
