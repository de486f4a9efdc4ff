/* Decisions from C, timed: `check IMAGE|- COUNT [SOCKET]`: behaviours 0 to COUNT-1 of the benchmark's policy; with "-" by a
   snapshot of the daemon at SOCKET. Prints "name nanoseconds" lines, the least of BATCHES. What a binding is held to: bindings/rust has the
   same program in Rust, and bindings/rust/bench runs both in turns. The figures of C itself are decide.c's. */
#define _GNU_SOURCE
#include "batches.h"

#include <pthread.h>

#define BATCHES 100
#define ROUNDS 20000

static licet *authority;
static licet_request *request;
static licet_decision decision = LICET_DECISION_INIT;
static licet_attribute times, role;
static size_t count;
static licet_text *names;
static licet_behavior *handles;
static unsigned state = 12345;

static size_t next(void) {
  state = state * 1664525u + 1013904223u;
  return (state >> 8) % count;
}

static int hot_handle(long i) { return (void)i, licet_check(request, handles[0], &decision); }
static int hot_name(long i) { return (void)i, licet_check_named(request, names[0].bytes, names[0].length, &decision); }
static int set_and_handle(long i) {
  licet_request_set(request, times, licet_int(1000 + (i & 7)));
  licet_request_set(request, role, licet_string(LICET_TEXT("member")));
  return licet_check(request, handles[0], &decision);
}
static int set_and_name(long i) {
  licet_request_set_named(request, LICET_TEXT("request.count"), licet_int(1000 + (i & 7)));
  licet_request_set_named(request, LICET_TEXT("user.role"), licet_string(LICET_TEXT("member")));
  return licet_check_named(request, names[0].bytes, names[0].length, &decision);
}
static int random_name(long i) {
  size_t k = next();
  return (void)i, licet_check_named(request, names[k].bytes, names[k].length, &decision);
}
static int random_handle(long i) { return (void)i, licet_check(request, handles[next()], &decision); }

/* In line, so that what is timed is the loop and not a call through a pointer. */
static inline __attribute__((always_inline)) void timed(const char *name, int (*check)(long)) {
  double least = 0;
  int batch;
  for (batch = 0; batch < BATCHES; batch++) {
    double start = now(), took;
    long allowed = 0, i;
    for (i = 0; i < ROUNDS; i++) allowed += check(i) == LICET_ALLOW;
    took = (now() - start) / ROUNDS;
    if (allowed != ROUNDS) fprintf(stderr, "%s: %ld of %d allowed\n", name, allowed, ROUNDS), exit(2);
    if (batch == 0 || took < least) least = took;
  }
  printf("%s %.2f\n", name, least);
}

static void *many(void *argument) {
  licet_request *own = request_of(authority);
  long left = *(long *)argument, allowed = 0, i;
  for (i = 0; i < left; i++) allowed += licet_check(own, handles[0], NULL) == LICET_ALLOW;
  if (allowed != left) exit(2);
  licet_request_free(own);
  return NULL;
}

static double threads(int threads, long each) {
  pthread_t all[8];
  double start = now();
  int i;
  for (i = 0; i < threads; i++) pthread_create(&all[i], NULL, many, &each);
  for (i = 0; i < threads; i++) pthread_join(all[i], NULL);
  return (now() - start) / (double)each / threads;
}

int main(int argc, char **argv) {
  double start;
  size_t k;
  if (argc < 3) return 64;
  count = strtoul(argv[2], NULL, 10);
  start = now();
  authority = strcmp(argv[1], "-") == 0 ? open_at(argc > 3 ? argv[3] : NULL, LICET_SNAPSHOT) : open_at(argv[1], LICET_EMBEDDED);
  printf("open %.0f\n", now() - start);
  names = calloc(count, sizeof *names);
  handles = calloc(count, sizeof *handles);
  times = licet_intern_attribute(authority, LICET_TEXT("request.count"));
  role = licet_intern_attribute(authority, LICET_TEXT("user.role"));
  request = request_of(authority);
  for (k = 0; k < count; k++) {
    names[k] = name_of(k);
    handles[k] = licet_intern_behavior(authority, names[k].bytes, names[k].length);
    if (licet_check(request, handles[k], NULL) != LICET_ALLOW)
      return fprintf(stderr, "%s\n", licet_request_error(request)->message), 2;
  }
  timed("hot-handle", hot_handle);
  timed("hot-name", hot_name);
  timed("set-and-handle", set_and_handle);
  timed("set-and-name", set_and_name);
  timed("random-name", random_name);
  timed("random-handle", random_handle);
  licet_request_free(request);
  printf("one-thread %.2f\n", threads(1, 5000000));
  printf("two-threads %.2f\n", threads(2, 5000000));
  licet_close(authority);
  return 0;
}
