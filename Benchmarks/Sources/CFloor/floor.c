#define _GNU_SOURCE
#include "floor.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct entry {
  uint64_t hash;
  uint32_t name;    // offset of the name
  uint16_t length;  // 0: empty
  uint16_t rules;
  uint32_t block;   // first rule
};

struct floor_table {
  size_t mask;
  struct entry *entries;
  char *names;
  struct floor_rule *rules;
};

static uint64_t word(const char *p, size_t count) {
  uint64_t w = 0;
  memcpy(&w, p, count);
  return w;
}

static uint64_t hash(const char *p, size_t count) {
  uint64_t state = count;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    state = (state ^ word(p + i, 8)) * 0x9E3779B97F4A7C15u;
    state ^= state >> 32;
  }
  uint64_t tail = 0;
  for (size_t j = count; j > i; j--) tail = tail << 8 | (unsigned char)p[j - 1];
  state = (state ^ tail) * 0x9E3779B97F4A7C15u;
  return state ^ state >> 29;
}

struct floor_table *floor_table_new(const char *const *names, const size_t *lengths, size_t count,
                                    const struct floor_rule *rules, size_t rules_each) {
  struct floor_table *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  size_t size = 2, total = 0;
  while (size < count * 2) size *= 2;
  for (size_t i = 0; i < count; i++) total += lengths[i];
  t->mask = size - 1;
  t->entries = calloc(size, sizeof *t->entries);
  t->names = malloc(total + 1);
  t->rules = malloc((count * rules_each + 1) * sizeof *rules);
  if (!t->entries || !t->names || !t->rules) {
    floor_table_free(t);
    return NULL;
  }
  memcpy(t->rules, rules, count * rules_each * sizeof *rules);
  size_t used = 0;
  for (size_t i = 0; i < count; i++) {
    uint64_t h = hash(names[i], lengths[i]);
    size_t bucket = h & t->mask;
    while (t->entries[bucket].length) bucket = (bucket + 1) & t->mask;
    memcpy(t->names + used, names[i], lengths[i]);
    t->entries[bucket] = (struct entry){h, (uint32_t)used, (uint16_t)lengths[i], (uint16_t)rules_each,
                                        (uint32_t)(i * rules_each)};
    used += lengths[i];
  }
  return t;
}

void floor_table_free(struct floor_table *t) {
  if (!t) return;
  free(t->entries);
  free(t->names);
  free(t->rules);
  free(t);
}

__attribute__((noinline)) uint32_t floor_decide(const struct floor_table *t, const char *name, size_t length,
                                                const uint32_t *symbols, const int64_t *ints) {
  uint64_t h = hash(name, length);
  for (size_t bucket = h & t->mask; t->entries[bucket].length; bucket = (bucket + 1) & t->mask) {
    const struct entry *e = &t->entries[bucket];
    if (e->hash != h || e->length != length || memcmp(t->names + e->name, name, length)) continue;
    const struct floor_rule *rule = t->rules + e->block;
    for (unsigned i = 0; i < e->rules; i++)
      if (ints[0] > rule[i].more_than && symbols[0] == rule[i].symbol) return rule[i].effect;
    return 0;
  }
  return 0;
}

__attribute__((noinline)) uint32_t floor_empty(const struct floor_table *t, const char *name, size_t length,
                                               const uint32_t *symbols, const int64_t *ints) {
  __asm__ volatile("" : : "r"(t), "r"(name), "r"(length), "r"(symbols), "r"(ints) : "memory");
  return 2;
}

static uint64_t nanoseconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t floor_now(void) { return nanoseconds(CLOCK_MONOTONIC); }
uint64_t floor_cpu(void) { return nanoseconds(CLOCK_PROCESS_CPUTIME_ID); }

// glibc's own names for its allocator: these definitions stand before it in every look-up of this process.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
static uint64_t allocations;
static void count_one(void) { __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED); }
void *malloc(size_t size) { count_one(); return __libc_malloc(size); }
void *calloc(size_t count, size_t size) { count_one(); return __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { count_one(); return __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { count_one(); return __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { count_one(); return __libc_memalign(alignment, size); }
int posix_memalign(void **out, size_t alignment, size_t size) {
  count_one();
  *out = __libc_memalign(alignment, size);
  return *out ? 0 : 12;
}
uint64_t floor_allocations(void) { return __atomic_load_n(&allocations, __ATOMIC_RELAXED); }
