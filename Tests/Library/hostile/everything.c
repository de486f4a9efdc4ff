/* everything BUNDLE [COUNT]: every function of licet.h, with an image file, a snapshot and remotely, with NULLs and absurd
   arguments, freed in every order; then threads that decide while a daemon publishes COUNT (200) generations. Made to be run
   under valgrind and the sanitizers, to which it leaves nothing: no error, no leak, no descriptor. */
#include "daemon.h"
#include "exercise.h"
#include <math.h>
#include <sys/wait.h>

static int failures;
#define EXPECT(condition) do { \
    if (!(condition)) { fprintf(stderr, "everything: line %d: not so: %s\n", __LINE__, #condition); failures++; } \
  } while (0)

static licet *opened(int mode, const char *path) {
  licet_options options = LICET_OPTIONS_INIT;
  licet_error error = LICET_ERROR_INIT;
  licet *authority = NULL;
  options.mode = (uint32_t)mode;
  options.path = path;
  options.timeout_ms = 30000; /* Valgrind is slow, and so is a busy machine. */
  if (licet_open(&options, &authority, &error) != 0) {
    fprintf(stderr, "everything: %s\n", error.message);
    exit(1);
  }
  return authority;
}

static void absurd(licet *authority, licet_request *request) {
  static char long_text[70000];
  licet_value deep[40];
  licet_value odd = licet_null(), pair[2];
  licet_decision decision = LICET_DECISION_INIT;
  licet_statement statement = LICET_STATEMENT_INIT;
  licet_explanation *why = NULL;
  licet_text names[300];
  int i;
  memset(long_text, 'a', sizeof long_text);
  for (i = 0; i < 300; i++) names[i] = (licet_text){LICET_TEXT("tool.mail")};
  deep[0] = licet_null();
  for (i = 1; i < 40; i++) deep[i] = licet_list(&deep[i - 1], 1);
  for (i = 0; i < 256; i++) {
    odd.kind = (uint8_t)i;
    odd.length = 0;
    licet_request_set_named(request, LICET_TEXT("request.args"), odd);
  }
  pair[0] = licet_string("\xff\xfe", 2);
  pair[1] = licet_bytes(NULL, 7);
  licet_request_set_named(request, LICET_TEXT("request.args"), licet_map(pair, 1));
  licet_request_set_named(request, LICET_TEXT("request.args"), licet_list(NULL, 3));
  licet_request_set_named(request, LICET_TEXT("request.tags"), licet_string(long_text, sizeof long_text));
  licet_request_set_named(request, LICET_TEXT("request.wait"), licet_duration(INT64_MIN, INT32_MIN));
  licet_request_set_named(request, LICET_TEXT("request.wait"), licet_timestamp(INT64_MAX, INT32_MAX));
  licet_request_set_named(request, LICET_TEXT("nobody.knows"), licet_int(1));
  licet_request_set_named(request, NULL, 5, licet_int(1));
  licet_request_set_named(request, "", 0, licet_int(1));
  for (i = 0; i < 40; i++) licet_request_set_named(request, LICET_TEXT("request.args"), deep[i]);
  EXPECT(licet_check_named(request, LICET_TEXT("tool.mail"), &decision) < 0 && decision.effect == LICET_DENY);
  EXPECT(licet_request_set(request, 0, licet_int(1)) == LICET_E_INVALID);
  EXPECT(licet_request_set(request, UINT32_MAX, licet_int(1)) == LICET_E_INVALID);
  licet_request_unset(request, UINT32_MAX);
  licet_request_set_resource(request, NULL, 4);
  licet_request_set_resource(request, long_text, sizeof long_text);
  licet_request_set_argument(request, "\xc3", 1);
  licet_request_set_source(request, 77);
  licet_request_set_source(request, -1);
  licet_request_set_preference(request, 77);
  licet_request_set_now(request, INT64_MAX, -1);
  EXPECT(ask_otherwise(authority, request) < LICET_ALLOW);
  licet_request_reset(request);
  EXPECT(licet_check_action(request, names, 0, NULL) == LICET_E_NO_BEHAVIOR);
  EXPECT(licet_check_action(request, NULL, 3, NULL) == LICET_E_NO_BEHAVIOR);
  EXPECT(licet_check_action(request, names, 300, NULL) == LICET_E_TOO_MANY);
  EXPECT(licet_check_named(request, long_text, sizeof long_text, NULL) < 0);
  EXPECT(licet_check_named(request, NULL, 9, NULL) == LICET_E_BAD_NAME);
  EXPECT(licet_check(request, UINT32_MAX, NULL) == LICET_E_INVALID);
  decision.size = 7;
  EXPECT(licet_check_named(request, LICET_TEXT("tool.mail"), &decision) == LICET_E_INVALID);
  statement.size = 0;
  EXPECT(licet_request_statement(request, &statement) == LICET_E_INVALID);
  EXPECT(licet_explain(request, names, 300, &why) == LICET_E_TOO_MANY && why == NULL);
  EXPECT(licet_explain(request, names, 1, NULL) == LICET_E_INVALID);
  EXPECT(licet_intern_behavior(authority, "Not.A.Name", 10) == 0);
  EXPECT(licet_intern_behavior(authority, long_text, sizeof long_text) == 0);
  EXPECT(licet_intern_attribute(authority, long_text, sizeof long_text) == 0);
  licet_request_reset(request);
}

static void nulls(void) {
  licet *authority;
  licet_request *request;
  licet_error error = LICET_ERROR_INIT;
  licet_options options = LICET_OPTIONS_INIT;
  licet_decision decision = LICET_DECISION_INIT;
  licet_step step = {.size = sizeof step};
  licet_change change = {.size = sizeof change};
  EXPECT(licet_open(NULL, NULL, NULL) == LICET_E_INVALID);
  options.size = 3;
  EXPECT(licet_open(&options, &authority, &error) == LICET_E_INVALID && authority == NULL);
  options.size = sizeof options;
  options.mode = 99;
  EXPECT(licet_open(&options, &authority, &error) == LICET_E_INVALID);
  options.mode = LICET_EMBEDDED;
  EXPECT(licet_open(&options, &authority, &error) == LICET_E_INVALID);
  error.size = 20;
  EXPECT(licet_open(&options, &authority, &error) == LICET_E_INVALID && error.message[0] != 0);
  error.size = 0;
  EXPECT(licet_open(&options, &authority, &error) == LICET_E_INVALID);
  licet_close(NULL);
  licet_request_free(NULL);
  licet_request_reset(NULL);
  licet_explanation_free(NULL);
  EXPECT(licet_mode(NULL) == LICET_E_INVALID && licet_generation(NULL) == 0 && licet_flush(NULL, 1, NULL) == LICET_E_INVALID);
  EXPECT(licet_request_new(NULL, &request, NULL) < 0 && licet_request_error(NULL) == NULL);
  EXPECT(licet_intern_behavior(NULL, "a", 1) == 0 && licet_intern_attribute(NULL, "a", 1) == 0);
  EXPECT(licet_check(NULL, 1, &decision) < 0 && licet_check_named(NULL, "a", 1, &decision) < 0);
  EXPECT(licet_check_action(NULL, NULL, 0, NULL) < 0 && licet_explain(NULL, NULL, 0, NULL) < 0);
  EXPECT(licet_request_set(NULL, 1, licet_null()) < 0 && licet_request_set_named(NULL, "a", 1, licet_null()) < 0);
  EXPECT(licet_request_unset(NULL, 1) < 0 && licet_request_set_resource(NULL, "a", 1) < 0);
  EXPECT(licet_request_set_argument(NULL, "a", 1) < 0 && licet_request_set_source(NULL, 1) < 0);
  EXPECT(licet_request_set_preference(NULL, 1) < 0 && licet_request_set_now(NULL, 1, 1) < 0);
  EXPECT(licet_request_obligations(NULL, NULL, 9) == 0 && licet_request_statement(NULL, NULL) < 0);
  EXPECT(licet_explanation_decision(NULL, &decision) < 0 && licet_explanation_statement(NULL, NULL) < 0);
  EXPECT(licet_explanation_obligations(NULL, NULL, 9) == 0 && licet_explanation_steps(NULL) == 0);
  EXPECT(licet_explanation_step(NULL, 0, &step) < 0 && licet_explanation_way(NULL) < 0);
  EXPECT(licet_explanation_changes(NULL) == 0 && licet_explanation_change(NULL, 0, &change) < 0);
  EXPECT(licet_session_open(NULL, NULL, NULL, NULL) < 0 && licet_session_delegate(NULL, NULL, NULL, NULL) < 0);
  EXPECT(licet_session_join(NULL, NULL, 0, NULL, NULL) < 0 && licet_session_id(NULL) == NULL);
  EXPECT(licet_session_set_preference(NULL, "a", 1, 0, NULL) < 0 && licet_session_set_dial(NULL, 0.5, NULL) < 0);
  EXPECT(licet_session_spend(NULL, 1, NULL, NULL) < 0 && licet_session_close(NULL, NULL) < 0);
  EXPECT(licet_request_set_session(NULL, NULL) < 0);
  licet_session_free(NULL);
  EXPECT(strlen(licet_version()) > 0);
}

static licet_terms some_terms(void) {
  static licet_named_value attributes[2] = {{{LICET_TEXT("user.name")}, {{0}, 0, 0, {0}}}, {{LICET_TEXT("session.list")}, {{0}, 0, 0, {0}}}};
  static licet_value list[2];
  static licet_behavior_effect effects[1] = {{{LICET_TEXT("tool.mail")}, LICET_ALLOW, 0}};
  static licet_text names[1] = {{LICET_TEXT("tool")}}, patterns[1] = {{LICET_TEXT("**")}};
  licet_terms terms = LICET_TERMS_INIT;
  list[0] = licet_int(1);
  list[1] = licet_string(LICET_TEXT("x"));
  attributes[0].value = licet_string(LICET_TEXT("somebody"));
  attributes[1].value = licet_list(list, 2);
  terms.attributes = attributes;
  terms.attribute_count = 2;
  terms.preferences = terms.caps = effects;
  terms.preference_count = terms.cap_count = 1;
  terms.behaviors = names;
  terms.behavior_count = terms.is_scoped = 1;
  terms.resources = patterns;
  terms.resource_count = 1;
  terms.dial = 0.25;
  terms.cost = 3;
  terms.lifetime_ms = 3600000;
  return terms;
}

static void absurd_sessions(licet *authority, licet_session *session, licet *other, licet_request *of_other) {
  static char long_text[70000];
  licet_error error = LICET_ERROR_INIT;
  licet_terms terms = some_terms();
  licet_session *none = NULL;
  double left;
  int i;
  memset(long_text, 'a', sizeof long_text);
  terms.size = 8;
  EXPECT(licet_session_open(authority, &terms, &none, &error) == LICET_E_INVALID && none == NULL && error.message[0] != 0);
  for (i = 0; i < 12; i++) {
    licet_behavior_effect bad = {{LICET_TEXT("tool.mail")}, 7, 0};
    licet_text text = {long_text, sizeof long_text};
    terms = some_terms();
    if (i == 0) terms.dial = 1;
    if (i == 1) terms.dial = -0.5;
    if (i == 2) terms.cost = -1;
    if (i == 3) terms.cost = (double)INFINITY;
    if (i == 4) terms.caps = &bad;
    if (i == 5) bad.effect = 1, bad.behavior.length = 4, bad.behavior.bytes = "A.B!", terms.preferences = &bad;
    if (i == 6) terms.behaviors = &text;
    if (i == 7) terms.resources = &text;
    if (i == 8) terms.attributes = NULL;
    if (i == 9) terms.caps = NULL;
    if (i == 10) terms.is_scoped = 0;
    if (i == 11) terms.cap_count = (size_t)-1;
    EXPECT(licet_session_open(authority, &terms, &none, &error) < 0 && none == NULL);
  }
  terms = some_terms();
  EXPECT(licet_session_delegate(session, &terms, &none, &error) < 0 && none == NULL);
  EXPECT(licet_session_join(authority, "no", 2, &none, &error) == LICET_E_UNKNOWN_SESSION);
  EXPECT(licet_session_join(authority, long_text, sizeof long_text, &none, NULL) == LICET_E_UNKNOWN_SESSION);
  EXPECT(licet_session_join(authority, NULL, 3, &none, NULL) == LICET_E_INVALID);
  EXPECT(licet_session_set_preference(session, "No", 2, LICET_ASK, &error) == LICET_E_BAD_NAME);
  EXPECT(licet_session_set_preference(session, LICET_TEXT("tool"), 9, &error) == LICET_E_BAD_REQUEST);
  EXPECT(licet_session_set_dial(session, 0, &error) == LICET_E_BAD_DIAL && licet_session_set_dial(session, 1, NULL) == LICET_E_BAD_DIAL);
  EXPECT(licet_session_spend(session, -1, &left, &error) == LICET_E_BAD_COST);
  EXPECT(licet_request_set_session(of_other, session) == LICET_E_INVALID);
  (void)other;
}

static void use_sessions(int mode, licet *authority, licet *other) {
  licet_error error = LICET_ERROR_INIT;
  licet_request *request = NULL, *of_other = NULL;
  licet_session *session = NULL, *child = NULL, *joined = NULL;
  licet_terms terms = some_terms();
  double left = -1;
  int forked, status;
  if (mode == LICET_EMBEDDED) {
    EXPECT(licet_session_open(authority, NULL, &session, &error) == LICET_E_NO_AUTHORITY && session == NULL);
    return;
  }
  EXPECT(licet_session_open(authority, &terms, &session, &error) == 0 && session != NULL);
  EXPECT(licet_session_delegate(session, NULL, &child, NULL) == 0);
  EXPECT(licet_session_join(authority, licet_session_id(session), 32, &joined, NULL) == 0);
  EXPECT(licet_request_new(authority, &request, NULL) == 0 && licet_request_new(other, &of_other, NULL) == 0);
  absurd_sessions(authority, session, other, of_other);
  set_member(request);
  licet_request_set_resource(request, LICET_TEXT("mailto:a@b.c"));
  EXPECT(licet_request_set_session(request, session) == 0);
  EXPECT(ask_mail(request) == LICET_ALLOW && ask_mail(request) == LICET_ALLOW);
  EXPECT(licet_request_set_session(request, joined) == 0);
  EXPECT(ask_otherwise(authority, request) == LICET_ALLOW);
  licet_session_free(joined);
  EXPECT(ask_mail(request) == LICET_ALLOW);
  if (world.region != NULL) __atomic_fetch_add((uint64_t *)&world.region[SESSION_WORD], 1, __ATOMIC_RELEASE);
  EXPECT(ask_mail(request) == LICET_ALLOW);
  forked = fork();
  if (forked == 0) {
    int effect = ask_mail(request);
    _exit(effect == LICET_ALLOW ? 0 : 1);
  }
  EXPECT(forked > 0 && waitpid(forked, &status, 0) == forked && status == 0);
  EXPECT(licet_session_set_preference(session, LICET_TEXT("tool"), LICET_ASK, NULL) == 0);
  EXPECT(licet_session_set_dial(session, 0.125, NULL) == 0);
  EXPECT(licet_session_spend(session, 1, &left, NULL) == 0 && left == 2.5 && licet_session_spend(session, 0, NULL, NULL) == 0);
  licet_request_reset(request);
  set_member(request);
  EXPECT(ask_mail(request) == LICET_ALLOW);
  EXPECT(licet_request_set_session(request, child) == 0 && licet_request_set_session(request, NULL) == 0);
  EXPECT(licet_request_set_session(request, session) == 0);
  EXPECT(licet_session_close(session, NULL) == 0 && licet_session_close(session, NULL) == LICET_E_UNKNOWN_SESSION);
  licet_session_free(session);
  licet_request_free(request);
  licet_request_free(of_other);
  licet_session_free(child);
}

static void use_all(int mode, const char *path) {
  licet *authority = opened(mode, path), *other = opened(mode, path);
  licet_request *first = NULL, *second = NULL;
  licet_explanation *why = NULL;
  licet_text name = {LICET_TEXT("tool.mail")};
  licet_attribute adult = licet_intern_attribute(authority, LICET_TEXT("user.adult"));
  char interned[32];
  int i, child, status;
  EXPECT(licet_mode(authority) == mode);
  EXPECT(licet_request_new(authority, &first, NULL) == 0 && licet_request_new(authority, &second, NULL) == 0);
  set_member(first);
  EXPECT(ask_mail(first) == LICET_ALLOW);
  EXPECT(ask_otherwise(authority, first) == LICET_ALLOW);
  EXPECT(licet_request_set(first, adult, licet_bool(0)) == 0);
  if (mode != LICET_REMOTE) EXPECT(ask_mail(first) == LICET_DENY);
  EXPECT(licet_request_unset(first, adult) == 0);
  licet_request_set_resource(first, LICET_TEXT("file:/x"));
  licet_request_set_argument(first, LICET_TEXT("because"));
  licet_request_set_source(first, LICET_SOURCE_USER);
  licet_request_set_preference(first, LICET_ASK);
  EXPECT(licet_request_set_now(first, 1767225600, 5) == (mode == LICET_EMBEDDED ? 0 : LICET_E_INVALID));
  licet_request_reset(first);
  absurd(authority, second);
  use_sessions(mode, authority, other);
  for (i = 0; i < 3000; i++) {
    int length = snprintf(interned, sizeof interned, "tool.n%d", i % 2500);
    EXPECT(licet_intern_behavior(authority, interned, (size_t)length) != 0);
  }
  set_member(second);
  EXPECT(licet_generation(authority) != 0 && licet_flush(authority, 1000, NULL) == 0);
  child = fork();
  if (child == 0) {
    /* It must not be decided otherwise here; what is shared with the parent stays the parent's. */
    int effect = ask_mail(second);
    _exit(effect == LICET_ALLOW ? 0 : 1);
  }
  EXPECT(child > 0 && waitpid(child, &status, 0) == child && status == 0);
  EXPECT(ask_mail(second) == LICET_ALLOW);
  EXPECT(licet_explain(second, &name, 1, &why) == LICET_ALLOW);
  /* The handle first, then what was made of it, which goes on. */
  licet_close(authority);
  EXPECT(ask_mail(second) == LICET_ALLOW);
  licet_request_free(first);
  licet_request_free(second);
  walk_explanation(why);
  licet_explanation_free(why);
  licet_close(other);
}

/* ---- threads */

static int stops;
static licet *shared;
static licet_session *shared_session;

static void *decide(void *number) {
  licet_request *request;
  long round;
  unsigned denied = 0;
  if (licet_request_new(shared, &request, NULL) != 0) return (void *)1;
  if ((intptr_t)number % 2 == 1 && licet_request_set_session(request, shared_session) != 0) return (void *)1;
  set_member(request);
  licet_request_set_resource(request, LICET_TEXT("mailto:a@b.c"));
  for (round = 0; !__atomic_load_n(&stops, __ATOMIC_RELAXED); round++) {
    char name[32];
    int length = snprintf(name, sizeof name, "tool.t%ld", (round + (long)(intptr_t)number) % 500);
    licet_behavior behavior = licet_intern_behavior(shared, name, (size_t)length);
    if (behavior == 0 || licet_check(request, behavior, NULL) < 0) denied++;
    if (ask_mail(request) != LICET_ALLOW) denied++;
    if (round % 16 == 0 && ask_otherwise(shared, request) != LICET_ALLOW) denied++;
    if (round % 64 == 0) {
      licet_request_reset(request);
      set_member(request);
      licet_request_set_resource(request, LICET_TEXT("mailto:a@b.c"));
      if (round % 128 == 0 && licet_request_set_session(request, shared_session) != 0) denied++;
    }
  }
  licet_request_free(request);
  return (void *)(uintptr_t)denied;
}

static void *come_and_go(void *unused) {
  (void)unused;
  while (!__atomic_load_n(&stops, __ATOMIC_RELAXED)) {
    licet *own = opened(LICET_SNAPSHOT, server.path);
    licet_request *request;
    if (licet_request_new(own, &request, NULL) != 0) return (void *)1;
    licet_close(own);
    set_member(request);
    if (ask_mail(request) != LICET_ALLOW) return (void *)1;
    licet_request_free(request);
  }
  return NULL;
}

/* The words are shared with the library: stored as licetd does. */
static void publish(void) {
  uint64_t next = __atomic_add_fetch(&world.generation, 1, __ATOMIC_RELEASE);
  __atomic_store_n((uint64_t *)&world.page[HEARTBEAT], monotonic_now(), __ATOMIC_RELAXED);
  __atomic_store_n((uint64_t *)&world.page[GENERATION], next, __ATOMIC_RELEASE);
  __atomic_fetch_add((uint64_t *)&world.region[SESSION_WORD], 1, __ATOMIC_RELEASE);
}

static void threads(int count) {
  pthread_t all[5];
  void *result;
  int i;
  shared = opened(LICET_SNAPSHOT, server.path);
  if (licet_session_open(shared, NULL, &shared_session, NULL) != 0) die("licet_session_open");
  stops = 0;
  for (i = 0; i < 5; i++)
    if (pthread_create(&all[i], NULL, i < 4 ? decide : come_and_go, (void *)(intptr_t)i) != 0) die("pthread_create");
  for (i = 0; i < count; i++) {
    publish();
    pause_ms(2);
  }
  __atomic_store_n(&stops, 1, __ATOMIC_RELAXED);
  for (i = 0; i < 5; i++) {
    pthread_join(all[i], &result);
    EXPECT(result == NULL);
  }
  licet_session_free(shared_session);
  licet_close(shared);
}

int main(int argc, char **argv) {
  char folder[] = "/tmp/licet-everything-XXXXXX";
  size_t size;
  unsigned char *bundle;
  if (argc < 2 || mkdtemp(folder) == NULL) {
    fprintf(stderr, "usage: everything BUNDLE [COUNT]\n");
    return 64;
  }
  alarm(300);
  bundle = read_whole(argv[1], &size);
  take_images(bundle, &world.platform, &world.platform_size, &world.overlay, &world.overlay_size);
  world.generation = 10;
  make_page(4096, PAGE_SEALS);
  make_region(REGION_WORDS * 8, PAGE_SEALS);
  start_server(folder);
  server.until = UINT64_MAX;
  nulls();
  use_all(LICET_EMBEDDED, argv[1]);
  use_all(LICET_SNAPSHOT, server.path);
  use_all(LICET_REMOTE, server.path);
  threads(argc > 2 ? atoi(argv[2]) : 200);
  EXPECT(is_quiet());
  stop_server();
  unlink(server.path);
  rmdir(folder);
  munmap((void *)world.page, 65536);
  close(world.page_memory);
  munmap((void *)world.region, REGION_WORDS * 8);
  close(world.region_memory);
  free(bundle);
  free(world.platform);
  free(world.overlay);
  if (failures == 0) printf("everything: as it should be\n");
  return failures == 0 ? 0 : 1;
}
