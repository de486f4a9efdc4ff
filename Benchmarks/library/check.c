/* Decisions from C, timed: `check IMAGE|- COUNT [SOCKET]`: behaviours 0 to COUNT-1 of the benchmark's policy; with "-" by a
   snapshot of the daemon at SOCKET. Prints "name nanoseconds" lines. What a binding is held to: bindings/rust has the same program in Rust,
   and bindings/rust/bench runs both in turns. The figures of C itself are decide.c's. */
#define _GNU_SOURCE
#include <licet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static licet *authority;
static size_t count;
static licet_text *names;
static licet_behavior *handles;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static licet_request *fill(void) {
  licet_request *request;
  if (licet_request_new(authority, &request, NULL) != 0) exit(1);
  licet_request_set_named(request, LICET_TEXT("request.count"), licet_int(1000));
  licet_request_set_named(request, LICET_TEXT("user.role"), licet_string(LICET_TEXT("member")));
  return request;
}

static unsigned seed = 12345;
static unsigned next(unsigned *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

static void *many(void *argument) {
  licet_request *request = fill();
  long *left = argument;
  long allowed = 0, i;
  for (i = 0; i < *left; i++) allowed += licet_check(request, handles[0], NULL) == LICET_ALLOW;
  if (allowed != *left) exit(2);
  licet_request_free(request);
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
  licet_options options = LICET_OPTIONS_INIT;
  licet_error error = LICET_ERROR_INIT;
  licet_decision decision = LICET_DECISION_INIT;
  licet_request *request;
  unsigned state;
  long i, rounds = 2000000, allowed = 0;
  double start;
  char *text;
  size_t k;
  if (argc < 3) return 64;
  count = strtoul(argv[2], NULL, 10);
  if (strcmp(argv[1], "-") == 0) options.path = argc > 3 ? argv[3] : NULL;
  else options.mode = LICET_EMBEDDED, options.path = argv[1];
  options.operator_name.bytes = "bench";
  options.operator_name.length = 5;
  start = now();
  if (licet_open(&options, &authority, &error) != 0) return fprintf(stderr, "%s\n", error.message), 1;
  printf("open %.0f\n", now() - start);
  names = calloc(count, sizeof *names);
  handles = calloc(count, sizeof *handles);
  for (k = 0; k < count; k++) {
    names[k].length = (size_t)asprintf(&text, "area-%zu.subject-%zu.behavior-%zu", 100 + k / 100, 100 + k / 10, 10000 + k);
    names[k].bytes = text;
    handles[k] = licet_intern_behavior(authority, names[k].bytes, names[k].length);
  }
  request = fill();
  for (k = 0; k < count; k++)
    if (licet_check(request, handles[k], NULL) != LICET_ALLOW) return fprintf(stderr, "%s\n", licet_request_error(request)->message), 2;

  start = now();
  for (i = 0; i < rounds; i++) allowed += licet_check(request, handles[0], &decision) == LICET_ALLOW;
  printf("hot-handle %.2f\n", (now() - start) / (double)rounds);
  start = now();
  for (i = 0; i < rounds; i++) allowed += licet_check_named(request, names[0].bytes, names[0].length, &decision) == LICET_ALLOW;
  printf("hot-name %.2f\n", (now() - start) / (double)rounds);
  {
    licet_attribute times = licet_intern_attribute(authority, LICET_TEXT("request.count"));
    licet_attribute role = licet_intern_attribute(authority, LICET_TEXT("user.role"));
    start = now();
    for (i = 0; i < rounds; i++) {
      licet_request_set(request, times, licet_int(1000 + (i & 7)));
      licet_request_set(request, role, licet_string(LICET_TEXT("member")));
      allowed += licet_check(request, handles[0], &decision) == LICET_ALLOW;
    }
    printf("set-and-handle %.2f\n", (now() - start) / (double)rounds);
    start = now();
    for (i = 0; i < rounds; i++) {
      licet_request_set_named(request, LICET_TEXT("request.count"), licet_int(1000 + (i & 7)));
      licet_request_set_named(request, LICET_TEXT("user.role"), licet_string(LICET_TEXT("member")));
      allowed += licet_check_named(request, names[0].bytes, names[0].length, &decision) == LICET_ALLOW;
    }
    printf("set-and-name %.2f\n", (now() - start) / (double)rounds);
  }
  state = seed;
  start = now();
  for (i = 0; i < rounds; i++) {
    k = next(&state) % count;
    allowed += licet_check_named(request, names[k].bytes, names[k].length, &decision) == LICET_ALLOW;
  }
  printf("random-name %.2f\n", (now() - start) / (double)rounds);
  state = seed;
  start = now();
  for (i = 0; i < rounds; i++) allowed += licet_check(request, handles[next(&state) % count], &decision) == LICET_ALLOW;
  printf("random-handle %.2f\n", (now() - start) / (double)rounds);
  if (allowed != 6 * rounds) return fprintf(stderr, "%ld of %ld allowed\n", allowed, 6 * rounds), 2;
  licet_request_free(request);
  printf("one-thread %.2f\n", threads(1, 5000000));
  printf("two-threads %.2f\n", threads(2, 5000000));
  licet_close(authority);
  return 0;
}
