/*
 * An appliance inside the machine, for the proof that link answers leave in time (test/xs/link-deadline.full.test.ts):
 * plays frames of all manners into the UART byte by byte at 19,200 bit/s of the machine's own clock, stops JavaScript at
 * random moments, and measures when the answers leave. It is the world outside: it runs while JavaScript stands still.
 * It acknowledges what the module sends. Idle until peerStart.
 */
#ifndef UCM_PEER_H
#define UCM_PEER_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
	uint32_t frames, onTime, early, late, missing, stops, heard; /* heard: frames of the module */
	uint32_t shortestUs, longestUs, wrong;                       /* wrong: not the answer that the frame earns */
} PeerFigures;

extern void peerStart(uint32_t frames, uint32_t seed);
extern int peerDone(void);
extern PeerFigures peerFigures(void);

/* From the UART, in RAM. */
extern void peerHears(const uint8_t* bytes, size_t size, uint64_t nowTicks);
extern void peerTimer(uint64_t nowTicks);
extern uint64_t peerDueTicks(void);
extern void uartLoopBack(uint8_t byte);

#endif
