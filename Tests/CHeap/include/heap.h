// Counts what a thread asks of the heap: this target's malloc and its kin stand before libc's in the test program.
#pragma once
#include <stdint.h>

/// How often the calling thread has asked for memory so far, by whatever function of malloc(3) or aligned_alloc(3).
uint64_t heap_requests(void);
