#include "event-queue.h"

#include "placement.h"

RS485_RAM_OPTIONS

enum { headerBytes = sizeof(Rs485Event), frameRecordBytes = headerBytes + RS485_EVENT_BYTES };

void rs485QueueStart(Rs485EventQueue* queue)
{
	*queue = (Rs485EventQueue){ 0 };
}

RS485_RAM int rs485QueueHasRoom(const Rs485EventQueue* queue, uint8_t kind, uint16_t length)
{
	uint32_t needed = (uint32_t)headerBytes + length;
	if (kind == rs485EventNoise)
		needed += frameRecordBytes;
	return queue->used + needed <= RS485_QUEUE_BYTES;
}

RS485_RAM static void putBytes(Rs485EventQueue* queue, const uint8_t* bytes, uint32_t count)
{
	uint32_t at = (uint32_t)queue->head + queue->used;
	for (uint32_t index = 0; index < count; index++)
		queue->bytes[(at + index) % RS485_QUEUE_BYTES] = bytes[index];
	queue->used = (uint16_t)(queue->used + count);
}

RS485_RAM static void takeBytes(Rs485EventQueue* queue, uint8_t* bytes, uint32_t count)
{
	uint32_t at = queue->head;
	for (uint32_t index = 0; index < count; index++)
		bytes[index] = queue->bytes[(at + index) % RS485_QUEUE_BYTES];
	queue->head = (uint16_t)((at + count) % RS485_QUEUE_BYTES);
	queue->used = (uint16_t)(queue->used - count);
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
	if (!rs485QueueHasRoom(queue, event->kind, event->length)) {
		queue->counters.eventsLost++;
		return;
	}
	putBytes(queue, (const uint8_t*)event, headerBytes);
	putBytes(queue, bytes, event->length);
}

RS485_RAM int rs485QueueTake(Rs485EventQueue* queue, Rs485Event* event, uint8_t* bytes)
{
	if (!queue->used)
		return 0;
	takeBytes(queue, (uint8_t*)event, headerBytes);
	takeBytes(queue, bytes, event->length);
	return 1;
}
