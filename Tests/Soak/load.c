/* Callers for the soak test, on plain libdbus.

   load ADDRESS steady THREADS SECONDS   asks without a pause and checks each answer; prints a JSON summary; exit 1: wrong or lost
   load ADDRESS flood COUNT              calls without waiting for anything, then reads what came
   load ADDRESS mute SECONDS             calls and never reads a reply

   The policy has two variants, told apart by an obligation, "variant-a" (allow) and "variant-b" (deny). One message asks
   about two behaviours in three requests: an answer that mixes variants or generations was made by two policies (P6). */
#include <dbus/dbus.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SERVICE "org.licet.Licet1"
#define AUTHORITY "org.licet.Licet1.Authority"

static const char *address;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static DBusConnection *connect_bus(void) {
  DBusConnection *bus = dbus_connection_open_private(address, NULL);
  if (!bus) return NULL;
  dbus_connection_set_exit_on_disconnect(bus, FALSE);
  if (!dbus_bus_register(bus, NULL)) return NULL;
  return bus;
}

static void request(DBusMessageIter *list, const char *const *names) {
  DBusMessageIter item, behaviors, dict;
  dbus_message_iter_open_container(list, DBUS_TYPE_STRUCT, NULL, &item);
  dbus_message_iter_open_container(&item, DBUS_TYPE_ARRAY, "s", &behaviors);
  for (; *names; names++) dbus_message_iter_append_basic(&behaviors, DBUS_TYPE_STRING, names);
  dbus_message_iter_close_container(&item, &behaviors);
  dbus_message_iter_open_container(&item, DBUS_TYPE_ARRAY, "{sv}", &dict);
  dbus_message_iter_close_container(&item, &dict);
  dbus_message_iter_close_container(list, &item);
}

static DBusMessage *question(void) {
  static const char *const x[] = {"soak.x", NULL}, *const y[] = {"soak.y", NULL}, *const both[] = {"soak.x", "soak.y", NULL};
  DBusMessage *call = dbus_message_new_method_call(SERVICE, "/org/licet/Licet1", AUTHORITY, "CheckMany");
  DBusMessageIter at, list;
  const char *operator_name = "soak";
  dbus_message_iter_init_append(call, &at);
  dbus_message_iter_append_basic(&at, DBUS_TYPE_STRING, &operator_name);
  dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "(asa{sv})", &list);
  request(&list, x);
  request(&list, y);
  request(&list, both);
  dbus_message_iter_close_container(&at, &list);
  return call;
}

struct answer { char variant; uint64_t generation; char said[64]; };

/* 'a', 'b', or '?' for what neither variant says. */
static struct answer one(DBusMessageIter *item) {
  struct answer answer = {.variant = '?'};
  const char *effect = "", *obligation = "";
  DBusMessageIter list, entry, variant;
  dbus_message_iter_get_basic(item, &effect);
  dbus_message_iter_next(item);
  dbus_message_iter_recurse(item, &list);
  if (dbus_message_iter_get_arg_type(&list) == DBUS_TYPE_STRING) dbus_message_iter_get_basic(&list, &obligation);
  dbus_message_iter_next(item);
  for (dbus_message_iter_recurse(item, &list); dbus_message_iter_get_arg_type(&list) == DBUS_TYPE_DICT_ENTRY; dbus_message_iter_next(&list)) {
    const char *key;
    dbus_message_iter_recurse(&list, &entry);
    dbus_message_iter_get_basic(&entry, &key);
    dbus_message_iter_next(&entry);
    dbus_message_iter_recurse(&entry, &variant);
    if (!strcmp(key, "generation")) dbus_message_iter_get_basic(&variant, &answer.generation);
  }
  snprintf(answer.said, sizeof answer.said, "%s with %s", effect, *obligation ? obligation : "nothing");
  if (!strcmp(effect, "allow") && !strcmp(obligation, "variant-a")) answer.variant = 'a';
  if (!strcmp(effect, "deny") && !strcmp(obligation, "variant-b")) answer.variant = 'b';
  return answer;
}

struct tally { long answers, wrong, lost, unavailable, refused; double longest; int seconds; };

static void judge(DBusMessage *reply, struct tally *tally, uint64_t *latest) {
  DBusMessageIter at, list, item;
  struct answer first = {.variant = '?'};
  int count = 0;
  tally->answers++;
  if (!dbus_message_iter_init(reply, &at)) { tally->wrong++; return; }
  for (dbus_message_iter_recurse(&at, &list); dbus_message_iter_get_arg_type(&list) == DBUS_TYPE_STRUCT; dbus_message_iter_next(&list)) {
    dbus_message_iter_recurse(&list, &item);
    struct answer answer = one(&item);
    if (count++ == 0) first = answer;
    if (answer.variant == '?' || answer.variant != first.variant || answer.generation != first.generation) {
      if (tally->wrong++ < 3)
        fprintf(stderr, "load: wrong: %s by %lu beside %s by %lu\n", answer.said, answer.generation, first.said, first.generation);
      return;
    }
  }
  /* Generations never go back, not even over a restart. */
  if (count != 3 || first.generation < *latest) {
    if (tally->wrong++ < 3) fprintf(stderr, "load: wrong: %d answers, generation %lu after %lu\n", count, first.generation, *latest);
    return;
  }
  *latest = first.generation;
}

static void *steady(void *context) {
  struct tally *tally = context;
  double end = now() + tally->seconds;
  uint64_t latest = 0;
  DBusConnection *bus = NULL;
  while (now() < end) {
    if (!bus && !(bus = connect_bus())) {
      usleep(20000);
      continue;
    }
    DBusError error = DBUS_ERROR_INIT;
    double start = now();
    DBusMessage *call = question(), *reply = dbus_connection_send_with_reply_and_block(bus, call, 10000, &error);
    double took = now() - start;
    dbus_message_unref(call);
    if (took > tally->longest) tally->longest = took;
    if (reply) {
      judge(reply, tally, &latest);
      dbus_message_unref(reply);
      continue;
    }
    if (took > 9) tally->lost++;
    else if (strstr(error.name, "LimitsExceeded")) tally->refused++;
    else if (strstr(error.name, "org.licet")) tally->wrong++, fprintf(stderr, "load: %s: %s\n", error.name, error.message);
    else tally->unavailable++;
    dbus_error_free(&error);
    if (!dbus_connection_get_is_connected(bus)) {
      dbus_connection_close(bus);
      dbus_connection_unref(bus);
      bus = NULL;
    }
    usleep(2000);
  }
  return NULL;
}

static int run_steady(int threads, int seconds) {
  struct tally *all = calloc((size_t)threads, sizeof *all), sum = {0};
  pthread_t *ids = calloc((size_t)threads, sizeof *ids);
  for (int i = 0; i < threads; i++) {
    all[i].seconds = seconds;
    pthread_create(&ids[i], NULL, steady, &all[i]);
  }
  for (int i = 0; i < threads; i++) {
    pthread_join(ids[i], NULL);
    sum.answers += all[i].answers, sum.wrong += all[i].wrong, sum.lost += all[i].lost;
    sum.unavailable += all[i].unavailable, sum.refused += all[i].refused;
    if (all[i].longest > sum.longest) sum.longest = all[i].longest;
  }
  printf("{\"answers\": %ld, \"wrong\": %ld, \"lost\": %ld, \"unavailable\": %ld, \"refused\": %ld, \"longest\": %.3f}\n", sum.answers, sum.wrong,
         sum.lost, sum.unavailable, sum.refused, sum.longest);
  return sum.wrong || sum.lost || !sum.answers;
}

int main(int argc, char **argv) {
  if (argc < 4) return 64;
  address = argv[1];
  dbus_threads_init_default();
  if (!strcmp(argv[2], "steady") && argc == 5) return run_steady(atoi(argv[3]), atoi(argv[4]));
  DBusConnection *bus = connect_bus();
  if (!bus) return 69;
  int isFlood = !strcmp(argv[2], "flood");
  double end = now() + (isFlood ? 60 : atoi(argv[3]));
  long left = isFlood ? atol(argv[3]) : 2000000;
  while (left-- > 0 && now() < end) {
    DBusMessage *call = question();
    if (!dbus_connection_send(bus, call, NULL)) break;
    dbus_message_unref(call);
    if (isFlood) {
      dbus_connection_read_write(bus, 0);
      for (DBusMessage *m; (m = dbus_connection_pop_message(bus));) dbus_message_unref(m);
      if (!dbus_connection_get_is_connected(bus)) return 0;
    } else if (left % 64 == 0) {
      dbus_connection_flush(bus);
      if (!dbus_connection_get_is_connected(bus)) return 0;
      usleep(1000);
    }
  }
  return 0;
}
