/* A plain libdbus caller that times whole calls. Every mode prints one line of `key value` pairs; times in nanoseconds.

   ask ADDRESS pair COUNT             Check at the echo service and at licetd in turns: p50 and p99 of both, and the ratio
   ask ADDRESS session COUNT          OpenSession likewise, at the echo service and at licetd in turns; each is closed, untimed
   ask ADDRESS hold COUNT             opens so many, says "held", and holds them until it is killed
   ask ADDRESS polkit COUNT           CheckAuthorization at polkitd
   ask ADDRESS many TIMES REQUESTS CALLS   CheckMany, so many calls at once: decisions a second
   ask ADDRESS flip FILE A B COUNT    renames a copy of A, then of B, over FILE and asks until the answer is another one
   ask ADDRESS await NAME             waits until NAME is taken
   ask ADDRESS storm FILE A B MS SECONDS   p50 and p99 of Check while FILE is exchanged every MS; MS 0: never */
#include <dbus/dbus.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static DBusConnection *bus;
static const char *operator_name = "bench-1", *behavior = "bench.b1";

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static uint64_t percentile(uint64_t *times, int count, double part) {
  qsort(times, (size_t)count, sizeof *times, by_size);
  int at = (int)(part * (count - 1));
  return times[at];
}

/* {"user": <{"role": <"member">}>, "request": <{"count": <int64 9>}>}: two attributes */
static void attribute(DBusMessageIter *dict, const char *root, const char *name, int type, const char *signature, void *value) {
  DBusMessageIter entry, variant, inner, pair, leaf;
  dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
  dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &root);
  dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "a{sv}", &variant);
  dbus_message_iter_open_container(&variant, DBUS_TYPE_ARRAY, "{sv}", &inner);
  dbus_message_iter_open_container(&inner, DBUS_TYPE_DICT_ENTRY, NULL, &pair);
  dbus_message_iter_append_basic(&pair, DBUS_TYPE_STRING, &name);
  dbus_message_iter_open_container(&pair, DBUS_TYPE_VARIANT, signature, &leaf);
  dbus_message_iter_append_basic(&leaf, type, value);
  dbus_message_iter_close_container(&pair, &leaf);
  dbus_message_iter_close_container(&inner, &pair);
  dbus_message_iter_close_container(&variant, &inner);
  dbus_message_iter_close_container(&entry, &variant);
  dbus_message_iter_close_container(dict, &entry);
}

static void request(DBusMessageIter *at) {
  DBusMessageIter names, dict;
  const char *role = "member";
  dbus_int64_t count = 9;
  dbus_message_iter_open_container(at, DBUS_TYPE_ARRAY, "s", &names);
  dbus_message_iter_append_basic(&names, DBUS_TYPE_STRING, &behavior);
  dbus_message_iter_close_container(at, &names);
  dbus_message_iter_open_container(at, DBUS_TYPE_ARRAY, "{sv}", &dict);
  attribute(&dict, "user", "role", DBUS_TYPE_STRING, "s", &role);
  attribute(&dict, "request", "count", DBUS_TYPE_INT64, "x", &count);
  dbus_message_iter_close_container(at, &dict);
}

static DBusMessage *check(const char *service) {
  DBusMessage *call = dbus_message_new_method_call(service, "/org/licet/Licet1", "org.licet.Licet1.Authority", "Check");
  DBusMessageIter at;
  dbus_message_iter_init_append(call, &at);
  dbus_message_iter_append_basic(&at, DBUS_TYPE_STRING, &operator_name);
  request(&at);
  return call;
}

static DBusMessage *ask(DBusMessage *call) {
  DBusError error = DBUS_ERROR_INIT;
  DBusMessage *reply = dbus_connection_send_with_reply_and_block(bus, call, 30000, &error);
  if (!reply) {
    fprintf(stderr, "ask: %s: %s\n", error.name, error.message);
    exit(1);
  }
  dbus_message_unref(call);
  return reply;
}

/* One Check, timed from building the call to having read the effect. */
static uint64_t timed(const char *service, char effect[8]) {
  uint64_t start = now();
  DBusMessage *reply = ask(check(service));
  const char *text = "";
  dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
  uint64_t took = now() - start;
  if (effect) snprintf(effect, 8, "%s", text);
  dbus_message_unref(reply);
  return took;
}

#define LICET "org.licet.Licet1"
#define ECHO "org.licet.Bench.Echo"

static void pair(int count) {
  uint64_t *echo = calloc((size_t)count, 8), *licet = calloc((size_t)count, 8);
  for (int i = 0; i < 200; i++) timed(ECHO, NULL), timed(LICET, NULL);
  for (int i = 0; i < count; i++) {
    echo[i] = timed(ECHO, NULL);
    licet[i] = timed(LICET, NULL);
  }
  uint64_t a = percentile(echo, count, 0.5), b = percentile(licet, count, 0.5);
  printf("echo-p50 %lu licet-p50 %lu ratio %.3f echo-p99 %lu licet-p99 %lu\n", a, b, (double)b / (double)a,
         percentile(echo, count, 0.99), percentile(licet, count, 0.99));
}

/* A session of a user with a role, a cap and an end. */
static DBusMessage *open_session(const char *service) {
  DBusMessage *call = dbus_message_new_method_call(service, "/org/licet/Licet1", "org.licet.Licet1.Authority", "OpenSession");
  DBusMessageIter at, dict, entry, variant, caps, pair;
  const char *role = "member", *key = "caps", *effect = "ask", *lifetime = "lifetime-ms";
  dbus_uint64_t hour = 3600000;
  dbus_message_iter_init_append(call, &at);
  dbus_message_iter_append_basic(&at, DBUS_TYPE_STRING, &operator_name);
  dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "{sv}", &dict);
  attribute(&dict, "user", "role", DBUS_TYPE_STRING, "s", &role);
  dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
  dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
  dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "a{ss}", &variant);
  dbus_message_iter_open_container(&variant, DBUS_TYPE_ARRAY, "{ss}", &caps);
  dbus_message_iter_open_container(&caps, DBUS_TYPE_DICT_ENTRY, NULL, &pair);
  dbus_message_iter_append_basic(&pair, DBUS_TYPE_STRING, &behavior);
  dbus_message_iter_append_basic(&pair, DBUS_TYPE_STRING, &effect);
  dbus_message_iter_close_container(&caps, &pair);
  dbus_message_iter_close_container(&variant, &caps);
  dbus_message_iter_close_container(&entry, &variant);
  dbus_message_iter_close_container(&dict, &entry);
  dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
  dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &lifetime);
  dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "t", &variant);
  dbus_message_iter_append_basic(&variant, DBUS_TYPE_UINT64, &hour);
  dbus_message_iter_close_container(&entry, &variant);
  dbus_message_iter_close_container(&dict, &entry);
  dbus_message_iter_close_container(&at, &dict);
  return call;
}

static uint64_t timed_session(const char *service) {
  uint64_t start = now();
  DBusMessage *reply = ask(open_session(service));
  uint64_t took = now() - start;
  const char *path = NULL;
  if (dbus_message_get_args(reply, NULL, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID))
    dbus_message_unref(ask(dbus_message_new_method_call(service, path, "org.licet.Licet1.Session", "Close")));
  dbus_message_unref(reply);
  return took;
}

static void session(int count) {
  uint64_t *echo = calloc((size_t)count, 8), *licet = calloc((size_t)count, 8);
  for (int i = 0; i < 200; i++) timed_session(ECHO), timed_session(LICET);
  for (int i = 0; i < count; i++) {
    echo[i] = timed_session(ECHO);
    licet[i] = timed_session(LICET);
  }
  uint64_t a = percentile(echo, count, 0.5), b = percentile(licet, count, 0.5);
  printf("echo-p50 %lu licet-p50 %lu ratio %.3f licet-p99 %lu\n", a, b, (double)b / (double)a, percentile(licet, count, 0.99));
}

static void hold(int count) {
  for (int i = 0; i < count; i++) dbus_message_unref(ask(open_session(LICET)));
  puts("held");
  fflush(stdout);
  pause();
}

static void polkit(int count) {
  uint64_t *times = calloc((size_t)count, 8);
  for (int i = 0; i < count; i++) {
    uint64_t start = now();
    DBusMessage *call = dbus_message_new_method_call("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                                                     "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
    DBusMessageIter at, subject, dict, entry, variant, details;
    const char *kind = "system-bus-name", *key = "name", *name = dbus_bus_get_unique_name(bus);
    const char *action = "org.freedesktop.policykit.exec", *cancel = "";
    dbus_uint32_t flags = 0;
    dbus_message_iter_init_append(call, &at);
    dbus_message_iter_open_container(&at, DBUS_TYPE_STRUCT, NULL, &subject);
    dbus_message_iter_append_basic(&subject, DBUS_TYPE_STRING, &kind);
    dbus_message_iter_open_container(&subject, DBUS_TYPE_ARRAY, "{sv}", &dict);
    dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
    dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
    dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "s", &variant);
    dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &name);
    dbus_message_iter_close_container(&entry, &variant);
    dbus_message_iter_close_container(&dict, &entry);
    dbus_message_iter_close_container(&subject, &dict);
    dbus_message_iter_close_container(&at, &subject);
    dbus_message_iter_append_basic(&at, DBUS_TYPE_STRING, &action);
    dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "{ss}", &details);
    dbus_message_iter_close_container(&at, &details);
    dbus_message_iter_append_basic(&at, DBUS_TYPE_UINT32, &flags);
    dbus_message_iter_append_basic(&at, DBUS_TYPE_STRING, &cancel);
    dbus_message_unref(ask(call));
    times[i] = now() - start;
  }
  printf("polkit-p50 %lu polkit-p99 %lu\n", percentile(times, count, 0.5), percentile(times, count, 0.99));
}

static DBusMessage *check_many(int requests) {
  DBusMessage *call = dbus_message_new_method_call(LICET, "/org/licet/Licet1", "org.licet.Licet1.Authority", "CheckMany");
  DBusMessageIter at, list, item;
  dbus_message_iter_init_append(call, &at);
  dbus_message_iter_append_basic(&at, DBUS_TYPE_STRING, &operator_name);
  dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "(asa{sv})", &list);
  for (int k = 0; k < requests; k++) {
    dbus_message_iter_open_container(&list, DBUS_TYPE_STRUCT, NULL, &item);
    request(&item);
    dbus_message_iter_close_container(&list, &item);
  }
  dbus_message_iter_close_container(&at, &list);
  return call;
}

/* The caller's own marshalling is its own: a call is built beforehand. */
static void many(int calls, int requests, int at_once) {
  uint64_t *times = calloc((size_t)calls, 8);
  DBusMessage *call[16];
  DBusPendingCall *waiting[16];
  if (at_once < 1 || at_once > 16) exit(64);
  for (int i = 0; i < calls; i++) {
    for (int k = 0; k < at_once; k++) call[k] = check_many(requests);
    uint64_t start = now();
    for (int k = 0; k < at_once; k++) {
      dbus_connection_send_with_reply(bus, call[k], &waiting[k], 30000);
      dbus_message_unref(call[k]);
    }
    for (int k = 0; k < at_once; k++) {
      dbus_pending_call_block(waiting[k]);
      DBusMessage *reply = dbus_pending_call_steal_reply(waiting[k]);
      if (!reply || dbus_message_get_type(reply) != DBUS_MESSAGE_TYPE_METHOD_RETURN) exit(1);
      dbus_message_unref(reply);
      dbus_pending_call_unref(waiting[k]);
    }
    times[i] = now() - start;
  }
  uint64_t middle = percentile(times, calls, 0.5);
  printf("many-p50 %lu decisions-per-second %.0f\n", middle, (double)at_once * requests * 1e9 / (double)middle);
}

static void put(const char *file, const char *source) {
  char temporary[4096];
  snprintf(temporary, sizeof temporary, "%s.new", file);
  FILE *from = fopen(source, "rb"), *to = fopen(temporary, "wb");
  if (!from || !to) exit(66);
  char block[65536];
  for (size_t got; (got = fread(block, 1, sizeof block, from)) > 0;) fwrite(block, 1, got, to);
  fclose(from);
  fclose(to);
  if (rename(temporary, file)) exit(73);
}

static void flip(const char *file, const char *a, const char *b, int count) {
  uint64_t *times = calloc((size_t)count, 8);
  char before[8], after[8];
  timed(LICET, before);
  for (int i = 0; i < count; i++) {
    char temporary[4096];
    snprintf(temporary, sizeof temporary, "%s.next", file);
    put(temporary, i % 2 ? b : a);
    uint64_t start = now();
    if (rename(temporary, file)) exit(73);
    do {
      timed(LICET, after);
      if (now() - start > 10000000000u) fprintf(stderr, "ask: no new answer within 10 s\n"), exit(1);
    } while (!strcmp(before, after));
    times[i] = now() - start;
    strcpy(before, after);
    usleep(50000);
  }
  printf("flip-p50 %lu flip-p90 %lu flip-max %lu\n", percentile(times, count, 0.5), percentile(times, count, 0.9), times[count - 1]);
}

struct storm { const char *file, *a, *b; int ms; atomic_int stop, flips; };

static void *exchange(void *context) {
  struct storm *s = context;
  while (!s->stop && s->ms) {
    put(s->file, s->flips++ % 2 ? s->a : s->b);
    usleep((useconds_t)s->ms * 1000);
  }
  return NULL;
}

static void storm(struct storm *s, int seconds) {
  enum { most = 4000000 };
  uint64_t *times = calloc(most, 8), end = now() + (uint64_t)seconds * 1000000000u;
  int count = 0;
  pthread_t thread;
  pthread_create(&thread, NULL, exchange, s);
  while (now() < end && count < most) times[count++] = timed(LICET, NULL);
  s->stop = 1;
  pthread_join(thread, NULL);
  printf("storm-ms %d flips %d calls %d p50 %lu p99 %lu max %lu\n", s->ms, s->flips, count, percentile(times, count, 0.5),
         percentile(times, count, 0.99), times[count - 1]);
}

/* says "watching", then "owned" once somebody has the name */
static void await(const char *name) {
  char rule[512];
  snprintf(rule, sizeof rule, "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'", name);
  dbus_bus_add_match(bus, rule, NULL);
  dbus_connection_flush(bus);
  puts("watching");
  fflush(stdout);
  for (;;) {
    DBusMessage *heard;
    while (!(heard = dbus_connection_pop_message(bus)))
      if (!dbus_connection_read_write(bus, -1)) exit(69);
    const char *whose = "", *before = "", *after = "";
    int is_change = dbus_message_is_signal(heard, "org.freedesktop.DBus", "NameOwnerChanged") &&
                    dbus_message_get_args(heard, NULL, DBUS_TYPE_STRING, &whose, DBUS_TYPE_STRING, &before, DBUS_TYPE_STRING, &after,
                                          DBUS_TYPE_INVALID) &&
                    !strcmp(whose, name) && *after;
    dbus_message_unref(heard);
    if (is_change) break;
  }
  puts("owned");
}

int main(int argc, char **argv) {
  if (argc < 4) return 64;
  bus = dbus_connection_open_private(argv[1], NULL);
  if (!bus || !dbus_bus_register(bus, NULL)) return 69;
  if (getenv("ASK_OPERATOR")) operator_name = getenv("ASK_OPERATOR");
  if (getenv("ASK_BEHAVIOR")) behavior = getenv("ASK_BEHAVIOR");
  const char *mode = argv[2];
  if (!strcmp(mode, "pair")) pair(atoi(argv[3]));
  else if (!strcmp(mode, "session")) session(atoi(argv[3]));
  else if (!strcmp(mode, "hold")) hold(atoi(argv[3]));
  else if (!strcmp(mode, "await")) await(argv[3]);
  else if (!strcmp(mode, "polkit")) polkit(atoi(argv[3]));
  else if (!strcmp(mode, "many") && argc == 6) many(atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
  else if (!strcmp(mode, "flip") && argc == 7) flip(argv[3], argv[4], argv[5], atoi(argv[6]));
  else if (!strcmp(mode, "storm") && argc == 8) storm(&(struct storm){.file = argv[3], .a = argv[4], .b = argv[5], .ms = atoi(argv[6])}, atoi(argv[7]));
  else return 64;
  return 0;
}
