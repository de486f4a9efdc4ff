// What a decision is compared with: the same question answered by hand-written C over its own compact tables, and the
// cost of a call that does nothing. Also counts this process' allocations.
#ifndef LICET_BENCH_FLOOR_H
#define LICET_BENCH_FLOOR_H

#include <stddef.h>
#include <stdint.h>

// One rule: holds if ints[0] > more_than and symbols[0] == symbol.
struct floor_rule {
  uint32_t symbol;
  uint16_t effect;
  uint16_t reserved;
  int64_t more_than;
};

struct floor_table;

// Names are borrowed for the time of the call; `rules` are `rules_each` for each name. NULL when out of memory.
struct floor_table *floor_table_new(const char *const *names, const size_t *lengths, size_t count,
                                    const struct floor_rule *rules, size_t rules_each);
void floor_table_free(struct floor_table *);

// The effect of the first rule of this name that holds, or 0.
uint32_t floor_decide(const struct floor_table *, const char *name, size_t length, const uint32_t *symbols,
                      const int64_t *ints);

// Takes as many arguments and does nothing.
uint32_t floor_empty(const struct floor_table *, const char *name, size_t length, const uint32_t *symbols,
                     const int64_t *ints);

// malloc, calloc, realloc and the aligned ones, so far and in all threads.
uint64_t floor_allocations(void);

// Nanoseconds of the monotonic clock; of this process' processor time.
uint64_t floor_now(void);
uint64_t floor_cpu(void);

#endif
