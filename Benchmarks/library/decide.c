/* Decisions on a snapshot of the licetd at SOCKET, beside their floors, in turns: `decide SOCKET COUNT WHAT`
     hot EMPTY.so   one behaviour: by handle, by name, repeated; C's loop for the same question, a call of nothing
     random         all COUNT behaviours, by handle and by name; C's loop, and one load of memory after the other
     threads        two threads on two processors, and one alone
     session        one behaviour in a session without terms, with 5 caps and a scope, with a deadline; and in none
     quiet          a million decisions between two lines on standard error, for strace; prints the allocations of them
     record         decisions that are recorded one by one, in bursts and without end
   Prints "figure least median" lines: nanoseconds, if nothing else is said. */
#define _GNU_SOURCE
#include "batches.h"

#include <dlfcn.h>
#include <floor.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

static licet *authority;
static licet_request *request;
static licet_decision decision = LICET_DECISION_INIT;
static size_t count;
static licet_text *names;
static licet_behavior *handles;
static licet_attribute times, role;
static unsigned seed = 12345;

static size_t next(void) {
  seed = seed * 1664525u + 1013904223u;
  return (seed >> 8) % count;
}

/* ---- licet */

static long by_handle(long rounds) {
  long allowed = 0, i;
  for (i = 0; i < rounds; i++) {
    licet_request_set(request, times, licet_int(1000 + (i & 7)));
    allowed += licet_check(request, handles[0], &decision) == LICET_ALLOW;
  }
  return allowed;
}

static long by_name(long rounds) {
  long allowed = 0, i;
  for (i = 0; i < rounds; i++) {
    licet_request_set(request, times, licet_int(1000 + (i & 7)));
    allowed += licet_check_named(request, names[0].bytes, names[0].length, &decision) == LICET_ALLOW;
  }
  return allowed;
}

/* Two in turn: another question than the one before, without a set. */
static long in_turn(long rounds) {
  long allowed = 0, i;
  for (i = 0; i < rounds; i++) allowed += licet_check(request, handles[i & 1], &decision) == LICET_ALLOW;
  return allowed;
}

static long set_alone(long rounds) {
  long done = 0, i;
  for (i = 0; i < rounds; i++) done += licet_request_set(request, times, licet_int(1000 + (i & 7))) == 0;
  return done;
}

static long repeated(long rounds) {
  long allowed = 0, i;
  for (i = 0; i < rounds; i++) allowed += licet_check(request, handles[0], &decision) == LICET_ALLOW;
  return allowed;
}

static long random_handle(long rounds) {
  long allowed = 0, i;
  for (i = 0; i < rounds; i++) allowed += licet_check(request, handles[next()], &decision) == LICET_ALLOW;
  return allowed;
}

static long random_name(long rounds) {
  long allowed = 0, i;
  for (i = 0; i < rounds; i++) {
    size_t k = next();
    allowed += licet_check_named(request, names[k].bytes, names[k].length, &decision) == LICET_ALLOW;
  }
  return allowed;
}

/* ---- floors */

static struct floor_table *table;
static const uint32_t symbols[1] = {1000};

static void make_table(void) {
  struct floor_rule *rules = calloc(count * 20, sizeof *rules);
  const char **texts = calloc(count, sizeof *texts);
  size_t *lengths = calloc(count, sizeof *lengths), i, rule;
  for (i = 0; i < count; i++) {
    texts[i] = names[i].bytes;
    lengths[i] = names[i].length;
    for (rule = 0; rule < 20; rule++) {
      struct floor_rule *one = &rules[i * 20 + rule];
      one->symbol = rule == 19 ? 1000 : (uint32_t)((i * 7 + rule) % 1000);
      one->effect = rule == 19 ? LICET_ALLOW : LICET_DENY;
      one->more_than = (int64_t)rule;
    }
  }
  table = floor_table_new(texts, lengths, count, rules, 20);
  if (!table) exit(1);
  free(rules);
  free(texts);
  free(lengths);
}

static long floor_hot(long rounds) {
  long allowed = 0, i;
  for (i = 0; i < rounds; i++) {
    int64_t ints[1] = {1000 + (i & 7)};
    allowed += floor_decide(table, names[0].bytes, names[0].length, symbols, ints) == LICET_ALLOW;
  }
  return allowed;
}

static long floor_random(long rounds) {
  long allowed = 0, i;
  static const int64_t ints[1] = {1000};
  for (i = 0; i < rounds; i++) {
    size_t k = next();
    allowed += floor_decide(table, names[k].bytes, names[k].length, symbols, ints) == LICET_ALLOW;
  }
  return allowed;
}

static int32_t (*empty)(licet_request *, licet_behavior, licet_decision *);

static long empty_call(long rounds) {
  long allowed = 0, i;
  for (i = 0; i < rounds; i++) allowed += empty(request, handles[i & 1], &decision) == LICET_ALLOW;
  return allowed;
}

/* As many bytes as the random decisions go through (docs/performance.md), a line of 64 bytes after the other. */
#define LINES (8u << 20 >> 6)
static uint32_t *chain;

static void make_chain(void) {
  uint32_t *order = malloc(LINES * sizeof *order), i;
  chain = aligned_alloc(64, (size_t)LINES * 64);
  for (i = 0; i < LINES; i++) order[i] = i;
  for (i = LINES - 1; i > 0; i--) {
    uint32_t j, kept = order[i];
    seed = seed * 1664525u + 1013904223u;
    j = (seed >> 8) % (i + 1);
    order[i] = order[j];
    order[j] = kept;
  }
  for (i = 0; i < LINES; i++) chain[(size_t)order[i] * 16] = order[(i + 1) % LINES];
  free(order);
}

static long loads(long rounds) {
  static uint32_t at;
  long i;
  for (i = 0; i < rounds; i++) at = chain[(size_t)at * 16];
  return at < LINES ? rounds : 0;
}

/* ---- threads */

struct runner {
  licet_request *request;
  int processor, of;
  long rounds, allowed;
  double start, end;
};
static int waiting;

static void *run_one(void *argument) {
  struct runner *own = argument;
  cpu_set_t set;
  long i;
  CPU_ZERO(&set);
  CPU_SET(own->processor, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
  __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) < own->of) sched_yield();
  own->start = now();
  for (i = 0; i < own->rounds; i++) {
    licet_request_set(own->request, times, licet_int(1000 + (i & 7)));
    own->allowed += licet_check(own->request, handles[0], NULL) == LICET_ALLOW;
  }
  own->end = now();
  return NULL;
}

/* Decisions a nanosecond of so many threads at once. */
static double rate(int threads, const int *processors, licet_request **requests, long rounds) {
  struct runner all[2];
  pthread_t ids[2];
  double start = 0, end = 0;
  int i;
  memset(all, 0, sizeof all);
  waiting = 0;
  for (i = 0; i < threads; i++) {
    all[i].request = requests[i];
    all[i].processor = processors[i];
    all[i].of = threads;
    all[i].rounds = rounds;
    pthread_create(&ids[i], NULL, run_one, &all[i]);
  }
  for (i = 0; i < threads; i++) {
    pthread_join(ids[i], NULL);
    if (all[i].allowed != rounds) exit(2);
    if (i == 0 || all[i].start < start) start = all[i].start;
    if (all[i].end > end) end = all[i].end;
  }
  return (double)(threads * rounds) / (end - start);
}

/* Prints the best rates, in decisions a second, and how many times the one is the other; on two processors that others use
   as well a median says who else ran. */
static int threads(void) {
  licet_request *requests[2];
  cpu_set_t allowed;
  int processors[2], found = 0, i;
  double one = 0, two = 0;
  sched_getaffinity(0, sizeof allowed, &allowed);
  for (i = 0; i < CPU_SETSIZE && found < 2; i++)
    if (CPU_ISSET(i, &allowed)) processors[found++] = i;
  if (found < 2) return fprintf(stderr, "one processor alone\n"), 3;
  for (i = 0; i < 2; i++) requests[i] = request_of(authority);
  for (i = 0; i < 300; i++) {
    int swapped[2] = {processors[i & 1], processors[!(i & 1)]};
    double single = rate(1, swapped, requests, 20000), both = rate(2, swapped, requests, 20000);
    if (i < 4) continue;
    if (single > one) one = single;
    if (both > two) two = both;
  }
  printf("one-thread %.0f %.0f\ntwo-threads %.0f %.0f\n", one * 1e9, one * 1e9, two * 1e9, two * 1e9);
  return 0;
}

/* ---- sessions */

enum { NO_SESSION, WITHOUT_TERMS, WITH_TERMS, WITH_DEADLINE, REQUESTS };
static licet_request *asked[REQUESTS];

static long ask_each(licet_request *one, long rounds) {
  long allowed = 0, i;
  for (i = 0; i < rounds; i++) {
    licet_request_set(one, times, licet_int(1000 + (i & 7)));
    allowed += licet_check(one, handles[0], &decision) == LICET_ALLOW;
  }
  return allowed;
}
static long ask_again(licet_request *one, long rounds) {
  long allowed = 0, i;
  for (i = 0; i < rounds; i++) allowed += licet_check(one, handles[0], &decision) == LICET_ALLOW;
  return allowed;
}
static long no_session(long rounds) { return ask_each(asked[NO_SESSION], rounds); }
static long without_terms(long rounds) { return ask_each(asked[WITHOUT_TERMS], rounds); }
static long with_terms(long rounds) { return ask_each(asked[WITH_TERMS], rounds); }
static long with_deadline(long rounds) { return ask_each(asked[WITH_DEADLINE], rounds); }
static long again_in_none(long rounds) { return ask_again(asked[NO_SESSION], rounds); }
static long again_in_one(long rounds) { return ask_again(asked[WITH_TERMS], rounds); }

/* A request that says who asks, in a session with these terms. */
static licet_request *asked_in(const licet_terms *terms) {
  licet_error error = LICET_ERROR_INIT;
  licet_session *session = NULL;
  licet_request *made = request_of(authority);
  if (terms != NULL) {
    if (licet_session_open(authority, terms, &session, &error) != 0) fprintf(stderr, "%s\n", error.message), exit(1);
    licet_request_set_session(made, session);
    licet_session_free(session);
  }
  return made;
}

static void sessions(void) {
  static const struct figure all[] = {
      {"none", no_session, 20000}, {"without-terms", without_terms, 20000}, {"with-terms", with_terms, 20000},
      {"with-deadline", with_deadline, 20000}, {"again-in-none", again_in_none, 20000}, {"again-in-one", again_in_one, 20000},
  };
  licet_behavior_effect caps[5] = {
      {{LICET_TEXT("mail.send")}, LICET_ASK, 0}, {{LICET_TEXT("tool.shell")}, LICET_DENY, 0},
      {{LICET_TEXT("tool.files.write")}, LICET_ASK, 0}, {{LICET_TEXT("money")}, LICET_DENY, 0}, {{NULL, 0}, LICET_ALLOW, 0}};
  licet_text scope[3] = {{LICET_TEXT("tool")}, {LICET_TEXT("mail")}, {LICET_TEXT("area-100")}};
  licet_terms terms = LICET_TERMS_INIT;
  asked[NO_SESSION] = asked_in(NULL);
  asked[WITHOUT_TERMS] = asked_in(&terms);
  caps[4].behavior = names[0];
  terms.caps = caps;
  terms.cap_count = 5;
  terms.behaviors = scope;
  terms.behavior_count = 3;
  terms.is_scoped = 1;
  asked[WITH_TERMS] = asked_in(&terms);
  memset(&terms, 0, sizeof terms);
  terms.size = sizeof terms;
  terms.lifetime_ms = 3600000;
  asked[WITH_DEADLINE] = asked_in(&terms);
  measure(all, sizeof all / sizeof *all, 201);
}

/* ---- what isn't done */

static int quiet(void) {
  static const struct { long (*run)(long); } all[] = {{by_handle}, {by_name}, {in_turn}, {random_handle}, {random_name}};
  uint64_t made;
  size_t i;
  for (i = 0; i < sizeof all / sizeof *all; i++) all[i].run(1000);
  if (write(2, "begin\n", 6) != 6) return 1;
  made = floor_allocations();
  for (i = 0; i < sizeof all / sizeof *all; i++)
    if (all[i].run(200000) != 200000) return 2;
  made = floor_allocations() - made;
  if (write(2, "end\n", 4) != 4) return 1;
  printf("allocations %llu %llu\n", (unsigned long long)made, (unsigned long long)made);
  return 0;
}

/* ---- what is recorded */

static long denied(long rounds) {
  long denied = 0, i;
  for (i = 0; i < rounds; i++) denied += licet_check(request, handles[0], &decision) == LICET_DENY;
  return denied;
}

static int record(void) {
  enum { bursts = 101, burst = 500, rounds = 200000 };
  double samples[bursts], start;
  int i;
  /* One of the rules that deny. */
  licet_request_set(request, role, licet_string(LICET_TEXT("role-0")));
  for (i = 0; i < bursts; i++) {
    licet_error error = LICET_ERROR_INIT;
    if (licet_flush(authority, 10000, &error) != 0) return fprintf(stderr, "flush: %s\n", error.message), 1;
    start = now();
    if (denied(burst) != burst) return 2;
    samples[i] = (now() - start) / burst;
  }
  print_figure("record-burst", samples, bursts);
  for (i = 0; i < 5; i++) {
    start = now();
    if (denied(rounds) != rounds) return 2;
    if (licet_flush(authority, 10000, NULL) != 0) return 2;
    samples[i] = (now() - start) / rounds;
  }
  print_figure("record-sustained", samples, 5);
  return 0;
}

int main(int argc, char **argv) {
  size_t k;
  if (argc < 4) return 64;
  count = strtoul(argv[2], NULL, 10);
  authority = open_at(argv[1], LICET_SNAPSHOT);
  names = calloc(count, sizeof *names);
  handles = calloc(count, sizeof *handles);
  times = licet_intern_attribute(authority, LICET_TEXT("request.count"));
  role = licet_intern_attribute(authority, LICET_TEXT("user.role"));
  request = request_of(authority);
  for (k = 0; k < count; k++) {
    names[k] = name_of(k);
    handles[k] = licet_intern_behavior(authority, names[k].bytes, names[k].length);
    if (licet_check(request, handles[k], NULL) != LICET_ALLOW)
      return fprintf(stderr, "%s: not allowed: %s\n", names[k].bytes, licet_request_error(request)->message), 2;
  }
  if (strcmp(argv[3], "hot") == 0 && argc > 4) {
    static const struct figure all[] = {
        {"handle", by_handle, 20000}, {"floor", floor_hot, 20000}, {"name", by_name, 20000},
        {"in-turn", in_turn, 20000}, {"set", set_alone, 20000}, {"repeated", repeated, 20000}, {"empty", empty_call, 20000},
    };
    void *library = dlopen(argv[4], RTLD_NOW);
    if (!library || !(*(void **)&empty = dlsym(library, "empty"))) return fprintf(stderr, "%s\n", dlerror()), 1;
    make_table();
    measure(all, sizeof all / sizeof *all, 201);
  } else if (strcmp(argv[3], "random") == 0) {
    static const struct figure all[] = {
        {"random-handle", random_handle, 100000}, {"random-name", random_name, 100000},
        {"floor-random", floor_random, 100000}, {"load", loads, 100000},
    };
    make_table();
    make_chain();
    measure(all, sizeof all / sizeof *all, 61);
  } else if (strcmp(argv[3], "threads") == 0) {
    return threads();
  } else if (strcmp(argv[3], "session") == 0) {
    sessions();
  } else if (strcmp(argv[3], "quiet") == 0) {
    return quiet();
  } else if (strcmp(argv[3], "record") == 0) {
    return record();
  } else {
    return 64;
  }
  licet_request_free(request);
  licet_close(authority);
  return 0;
}
