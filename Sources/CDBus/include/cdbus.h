// libdbus-1 for Swift, with shims for what Swift can't import (macros, variadics) and for what is needed once a message
// and is one call here instead of several there. No state, no allocation.
#pragma once
#include <dbus/dbus.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

// The current value, whose type must be s, o or g. The text is zero-terminated and lives as long as the message.
static inline const char *cdbus_get_text(DBusMessageIter *iterator) {
  const char *text = "";
  dbus_message_iter_get_basic(iterator, &text);
  return text;
}

static inline bool cdbus_equal(const char *left, const char *right) {
  return left && right && strcmp(left, right) == 0;
}

// secure_getenv(3), which the C library declares for GNU programs only.
char *secure_getenv(const char *name);
static inline const char *cdbus_environment(const char *name) { return secure_getenv(name); }

// Whether a read of the descriptor would not wait.
static inline bool cdbus_has_input(int descriptor) {
  struct pollfd poll_descriptor = {.fd = descriptor, .events = POLLIN};
  return poll(&poll_descriptor, 1, 0) > 0;
}

static inline bool cdbus_append_text(DBusMessageIter *iterator, int type, const char *text) {
  return dbus_message_iter_append_basic(iterator, type, &text);
}

static inline bool cdbus_append_bytes(DBusMessageIter *array, const void *bytes, int count) {
  return dbus_message_iter_append_fixed_array(array, DBUS_TYPE_BYTE, &bytes, count);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
// Bytes on the wire of the current value, padding between values aside. An array's length stands in front of it, so
// this takes time by the number of arguments, not by their size (texts aside). Depth: libdbus refuses what is nested
// deeper than 64.
static inline size_t cdbus_value_length(DBusMessageIter *iterator) {
  DBusMessageIter inner;
  size_t length = 0;
  switch (dbus_message_iter_get_arg_type(iterator)) {
  case DBUS_TYPE_STRING:
  case DBUS_TYPE_OBJECT_PATH:
  case DBUS_TYPE_SIGNATURE:
    return 5 + strlen(cdbus_get_text(iterator));
  case DBUS_TYPE_ARRAY:
    dbus_message_iter_recurse(iterator, &inner);
    return 4 + (size_t)dbus_message_iter_get_array_len(&inner);
  case DBUS_TYPE_STRUCT:
  case DBUS_TYPE_DICT_ENTRY:
  case DBUS_TYPE_VARIANT:
    dbus_message_iter_recurse(iterator, &inner);
    do length += cdbus_value_length(&inner);
    while (dbus_message_iter_next(&inner));
    return length + 3;
  default:
    return 8;
  }
}
#pragma GCC diagnostic pop

// Bytes of the message's arguments, as above.
static inline size_t cdbus_body_length(DBusMessage *message) {
  DBusMessageIter iterator;
  size_t length = 0;
  if (!dbus_message_iter_init(message, &iterator)) return 0;
  do length += cdbus_value_length(&iterator);
  while (dbus_message_iter_next(&iterator));
  return length;
}
