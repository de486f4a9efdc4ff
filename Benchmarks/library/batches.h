/* Figures in batches that take turns, so that what else runs on the machine meets all of them alike: the least and the
   median of each. */
#ifndef LICET_BENCH_BATCHES_H
#define LICET_BENCH_BATCHES_H

#include <licet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int before(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Prints "name least median"; sorts. */
static inline void print_figure(const char *name, double *samples, int count) {
  qsort(samples, (size_t)count, sizeof *samples, before);
  printf("%s %.3f %.3f\n", name, samples[0], samples[count / 2]);
  fflush(stdout);
}

struct figure {
  const char *name;
  /* So many of it, each of which must be an allow, or whatever it answers: returns how many were right. */
  long (*run)(long rounds);
  long rounds;
};

/* Nanoseconds of one round of each. */
static inline void measure(const struct figure *figures, int count, int batches) {
  double *samples = calloc((size_t)(count * batches), sizeof *samples);
  int batch, i;
  for (batch = -1; batch < batches; batch++)
    for (i = 0; i < count; i++) {
      double start = now();
      long right = figures[i].run(figures[i].rounds);
      double took = now() - start;
      if (right != figures[i].rounds) {
        fprintf(stderr, "%s: %ld of %ld are right\n", figures[i].name, right, figures[i].rounds);
        exit(2);
      }
      /* The first one warms up. */
      if (batch >= 0) samples[i * batches + batch] = took / (double)figures[i].rounds;
    }
  for (i = 0; i < count; i++) print_figure(figures[i].name, samples + i * batches, batches);
  free(samples);
}

/* Opens as the benchmark's operator, or says why not and ends. */
static inline licet *open_at(const char *path, uint32_t mode) {
  licet_options options = LICET_OPTIONS_INIT;
  licet_error error = LICET_ERROR_INIT;
  licet *authority;
  options.path = path;
  options.mode = mode;
  options.operator_name.bytes = "bench";
  options.operator_name.length = 5;
  if (licet_open(&options, &authority, &error) != 0) {
    fprintf(stderr, "%s: %s\n", path, error.message);
    exit(1);
  }
  if (licet_mode(authority) != (int32_t)mode) {
    fprintf(stderr, "%s: asked for mode %u, got %d\n", path, mode, licet_mode(authority));
    exit(1);
  }
  return authority;
}

static inline licet_request *request_of(licet *authority) {
  licet_request *request;
  if (licet_request_new(authority, &request, NULL) != 0) exit(1);
  licet_request_set_named(request, LICET_TEXT("request.count"), licet_int(1000));
  licet_request_set_named(request, LICET_TEXT("user.role"), licet_string(LICET_TEXT("member")));
  return request;
}

/* As policy.py has it. */
static inline licet_text name_of(size_t k) {
  char *text;
  int length = snprintf(NULL, 0, "area-%zu.subject-%zu.behavior-%zu", 100 + k / 100, 100 + k / 10, 10000 + k);
  licet_text name;
  text = malloc((size_t)length + 1);
  snprintf(text, (size_t)length + 1, "area-%zu.subject-%zu.behavior-%zu", 100 + k / 100, 100 + k / 10, 10000 + k);
  name.bytes = text;
  name.length = (size_t)length;
  return name;
}

#endif
