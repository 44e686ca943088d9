#include "event-queue.h"

#include "placement.h"

RS485_RAM_OPTIONS

void rs485QueueStart(Rs485EventQueue* queue)
{
	*queue = (Rs485EventQueue){ 0 };
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

RS485_RAM void rs485QueuePut(Rs485EventQueue* queue, const Rs485Event* event, const uint32_t* words)
{
	count(&queue->counters, event);
	if (rs485QueueHasRoom(queue, event->kind, event->length))
		rs485QueueAppend(queue, *event, words);
	else
		queue->counters.eventsLost++;
}

RS485_RAM int rs485QueueTake(Rs485EventQueue* queue, Rs485Event* event, uint8_t* bytes)
{
	if (!queue->used)
		return 0;
	const Rs485Event* from = (const Rs485Event*)(queue->words + queue->head / 4);
	*event = *from;
	const uint8_t* source = (const uint8_t*)(from + 1);
	for (uint32_t index = 0; index < event->length; index++)
		bytes[index] = source[index];
	uint32_t size = RS485_RECORD_BYTES(event->length);
	queue->head = (queue->head + size) % RS485_QUEUE_BYTES;
	queue->used -= size;
	return 1;
}
