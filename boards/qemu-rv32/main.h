/* What the loop of main.c and the line's half of it (line-byte.c or line-frame.c) give each other. */
#ifndef UCM_MAIN_H
#define UCM_MAIN_H

#include "../../tools/xs-host/machine.h"

#define NO_TIME UINT64_MAX
/* Longest beginning of a batch: {"nowMs":…,"utcMs":…,"in": */
#define HEADER_BYTES 96

enum stepKind { stepRx, stepWake, stepHost, stepKinds };

/* Writes the beginning of a batch; its length. */
extern int header(char* target, size_t size);
/* UTC at a time of the machine, NAN while unknown. */
extern double utcOf(double nowMs);
/* Calls the application with a batch, and counts what it took. beginStep and endStep are for calls of another kind. */
extern void step(txMachine* the, enum stepKind kind, char* text);
extern uint64_t beginStep(enum stepKind kind, const char* what);
extern void endStep(uint64_t began);

/* An output of the application, as JSON: 1 = it was for the line, and the host need not see it. */
extern int lineOutput(const char* item);
/* Calls the application with what the line has; 0 = it has nothing. */
extern int lineStep(txMachine* the);
/* When lineStep will have something without an interrupt, NO_TIME if never. */
extern uint64_t lineWakeMs(void);

/* Value of a hex digit, −1 for anything else. */
static inline int hexDigit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

#endif
