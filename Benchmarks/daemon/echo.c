/* The floor of a bus call: a service on plain libdbus that answers each call with the body that it got, re-marshalled
   value by value as any service has to. Usage: echo ADDRESS NAME; ends when the bus does. */
#include <dbus/dbus.h>
#include <stdio.h>
#include <stdlib.h>

static void copy(DBusMessageIter *from, DBusMessageIter *to) {
  for (int type; (type = dbus_message_iter_get_arg_type(from)) != DBUS_TYPE_INVALID; dbus_message_iter_next(from)) {
    if (dbus_type_is_basic(type)) {
      DBusBasicValue value;
      dbus_message_iter_get_basic(from, &value);
      dbus_message_iter_append_basic(to, type, &value);
      continue;
    }
    DBusMessageIter inner, made;
    dbus_message_iter_recurse(from, &inner);
    char *signature = NULL;
    if (type == DBUS_TYPE_VARIANT) {
      signature = dbus_message_iter_get_signature(&inner);
    } else if (type == DBUS_TYPE_ARRAY) {
      char *whole = dbus_message_iter_get_signature(from);
      dbus_message_iter_open_container(to, type, whole + 1, &made);
      dbus_free(whole);
      copy(&inner, &made);
      dbus_message_iter_close_container(to, &made);
      continue;
    }
    dbus_message_iter_open_container(to, type, signature, &made);
    dbus_free(signature);
    copy(&inner, &made);
    dbus_message_iter_close_container(to, &made);
  }
}

int main(int argc, char **argv) {
  if (argc != 3) return 64;
  DBusConnection *bus = dbus_connection_open_private(argv[1], NULL);
  if (!bus || !dbus_bus_register(bus, NULL)) return 69;
  if (dbus_bus_request_name(bus, argv[2], 0, NULL) != DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER) return 69;
  puts("ready");
  fflush(stdout);
  while (dbus_connection_read_write(bus, -1)) {
    for (DBusMessage *call; (call = dbus_connection_pop_message(bus));) {
      if (dbus_message_get_type(call) == DBUS_MESSAGE_TYPE_METHOD_CALL) {
        DBusMessage *reply = dbus_message_new_method_return(call);
        DBusMessageIter from, to;
        dbus_message_iter_init_append(reply, &to);
        if (dbus_message_iter_init(call, &from)) copy(&from, &to);
        dbus_connection_send(bus, reply, NULL);
        dbus_message_unref(reply);
      }
      dbus_message_unref(call);
    }
    dbus_connection_flush(bus);
  }
  return 0;
}
