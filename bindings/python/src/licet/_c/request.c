/* Requests: what is asked. Answers are asked for in ask.c. */
#include "binding.h"

/* ---- One call at a time */

int request_enter(Request *self) {
  int unused = 0;
  if (!atomic_compare_exchange_strong_explicit(
          &self->is_used, &unused, 1, memory_order_acquire, memory_order_relaxed)) {
    raise_error(self->state, LICET_E_INVALID, "request: another call is using it; make a request for each thread", 0);
    return -1;
  }
  if (self->request != NULL) return 0;
  request_leave(self);
  raise_error(self->state, LICET_E_INVALID, "request: it is closed", 0);
  return -1;
}

PyObject *request_leave_with(Request *self, int code, const char *why) {
  licet_error error = LICET_ERROR_INIT;
  const licet_error *last = licet_request_error(self->request);
  if (why == NULL && last != NULL && last->code == code) error = *last;
  request_leave(self);
  return raise_error(self->state, code, why != NULL ? why : error.message, error.system);
}

static PyObject *make(Authority *authority) {
  Request *self = PyObject_New(Request, authority->state->request);
  if (self == NULL) return NULL;
  self->state = authority->state;
  self->authority = (Authority *)Py_NewRef(authority);
  self->request = NULL;
  atomic_init(&self->is_used, 0);
  self->held = NULL;
  self->capacity = 0;
  self->resource = self->argument = self->session = NULL;
  self->licet = authority_enter(authority);
  if (self->licet != NULL) {
    licet_error error = LICET_ERROR_INIT;
    int32_t code = licet_request_new(self->licet, &self->request, &error);
    authority_leave(authority);
    if (code == 0) return (PyObject *)self;
    raise_error(self->state, code, error.message, error.system);
  }
  Py_DECREF(self);
  return NULL;
}

/* What is held are strs and bytes of these very types: letting go of them runs no code. */
static void let_all_go(Request *self) {
  for (size_t i = 0; i < self->capacity; i++) let_go(&self->held[i]);
  Py_CLEAR(self->resource);
  Py_CLEAR(self->argument);
  Py_CLEAR(self->session);
}

static void end(Request *self) {
  licet_request_free(self->request);
  self->request = NULL;
  let_all_go(self);
  PyMem_Free(self->held);
  self->held = NULL;
  self->capacity = 0;
}

static PyObject *request_close(Request *self, PyObject *Py_UNUSED(none)) {
  if (self->request == NULL) Py_RETURN_NONE;
  if (request_enter(self) != 0) return NULL;
  end(self);
  request_leave(self);
  Py_RETURN_NONE;
}

static void request_dealloc(Request *self) {
  PyTypeObject *type = Py_TYPE(self);
  end(self);
  Py_DECREF(self->authority);
  PyObject_Free(self);
  Py_DECREF(type);
}

static PyObject *request_exit(Request *self, PyObject *Py_UNUSED(arguments)) { return request_close(self, NULL); }
static PyObject *request_self(PyObject *self, PyObject *Py_UNUSED(none)) { return Py_NewRef(self); }

static PyObject *request_reset(Request *self, PyObject *Py_UNUSED(none)) {
  if (request_enter(self) != 0) return NULL;
  licet_request_reset(self->request);
  let_all_go(self);
  request_leave(self);
  Py_RETURN_NONE;
}

/* ---- Attributes */

/* Room to hold what the attribute with this number is given; 0, or -1. */
static int reserve(Request *self, uint32_t number) {
  if (number < self->capacity) return 0;
  size_t wanted = self->capacity < 16 ? 16 : self->capacity * 2;
  if (wanted <= number) wanted = (size_t)number + 1;
  Held *held = PyMem_Realloc(self->held, wanted * sizeof *held);
  if (held == NULL) return -1;
  memset(held + self->capacity, 0, (wanted - self->capacity) * sizeof *held);
  self->held = held;
  self->capacity = wanted;
  return 0;
}

/* An attribute as it was said. `number` 0: by its name; `name` NULL: by nothing. */
typedef struct {
  uint32_t number;
  const char *name;
  size_t length;
} Target;

/* 0; a code; or 1 with a Python exception. */
static int target_of(Request *self, PyObject *said, Target *target, Why *why) {
  *target = (Target){0, NULL, 1};
  if (PyUnicode_Check(said)) return (target->name = utf8_of(said, &target->length)) == NULL;
  if (!Py_IS_TYPE(said, self->state->attribute)) {
    PyErr_Format(PyExc_TypeError, "an attribute is a str or a licet.Attribute, not a `%.80s`", Py_TYPE(said)->tp_name);
    return 1;
  }
  Handle *handle = (Handle *)said;
  target->name = utf8_of(handle->name, &target->length);
  if (target->name == NULL) return 1;
  if (handle->authority == self->authority) return target->number = handle->number, 0;
  PyOS_snprintf(why->text, sizeof why->text, "%.100s: a handle of another authority", target->name);
  return LICET_E_INVALID;
}

/* Its number, under a lock of liblicet's that a thread may have while it speaks with licetd. */
static void intern(Request *self, Target *target) {
  if (target->number != 0 || target->name == NULL) return;
  Py_BEGIN_ALLOW_THREADS
  target->number = licet_intern_attribute(self->licet, target->name, target->length);
  Py_END_ALLOW_THREADS
}

/* Gives the attribute its value, holds what that points to, and returns liblicet's code. */
static int give(Request *self, Target *target, licet_value value, Held *held) {
  static const licet_value nothing; /* of no kind: liblicet refuses it, and every check after it */
  intern(self, target);
  if (target->number == 0) {
    int code = licet_request_set_named(self->request, target->name, target->length, nothing);
    let_go(held);
    return code;
  }
  if (reserve(self, target->number) != 0) {
    licet_request_set(self->request, target->number, nothing);
    let_go(held);
    return LICET_E_NO_MEMORY;
  }
  int code = licet_request_set(self->request, target->number, value);
  Held old = self->held[target->number];
  self->held[target->number] = *held;
  let_go(&old);
  return code;
}

/* 0, or -1 with an exception. Whatever is wrong, the request is refused until the attribute is set again. */
static int set(Request *self, PyObject *attribute, PyObject *object) {
  licet_value value = {{0}, 0, 0, {0}};
  Held held = {NULL, NULL};
  Target target;
  Why why = {""};
  PyObject *kind = NULL, *error = NULL, *trace = NULL;
  int code = target_of(self, attribute, &target, &why);
  if (code == 0 && (code = convert(self->state, object, &value, &held, &why)) != 0) {
    value = (licet_value){{0}, 0, 0, {0}};
    if (code < 0) {
      Why reason = why;
      PyOS_snprintf(why.text, sizeof why.text, "%.60s: %.130s", target.name, reason.text);
    }
  } else if (code != 0) {
    target.number = 0;
  }
  if (code == 1) PyErr_Fetch(&kind, &error, &trace);
  if (request_enter(self) != 0) {
    let_go(&held);
    Py_XDECREF(kind);
    Py_XDECREF(error);
    Py_XDECREF(trace);
    return -1;
  }
  int refusal = give(self, &target, value, &held);
  if (code == 1) {
    request_leave(self);
    PyErr_Restore(kind, error, trace);
  } else if (code != 0 || refusal != 0) {
    request_leave_with(self, code != 0 ? code : refusal, code != 0 ? why.text : NULL);
  } else {
    request_leave(self);
    return 0;
  }
  return -1;
}

static PyObject *request_set(Request *self, PyObject *const *arguments, Py_ssize_t count) {
  if (count != 2) return PyErr_Format(PyExc_TypeError, "set() takes an attribute and a value, not %zd arguments", count);
  if (set(self, arguments[0], arguments[1]) != 0) return NULL;
  Py_RETURN_NONE;
}

static PyObject *request_update(Request *self, PyObject *mapping) {
  PyObject *items = PyMapping_Items(mapping);
  if (items == NULL) return NULL;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
    PyObject *pair = PyList_GET_ITEM(items, i);
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
      PyErr_SetString(PyExc_TypeError, "update() takes a mapping of attributes to values");
    } else if (set(self, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1)) == 0) {
      continue;
    }
    Py_DECREF(items);
    return NULL;
  }
  Py_DECREF(items);
  Py_RETURN_NONE;
}

static PyObject *request_unset(Request *self, PyObject *attribute) {
  Target target;
  Why why = {""};
  int code = target_of(self, attribute, &target, &why);
  if (code == 1) return NULL;
  if (code != 0) return raise_error(self->state, code, why.text, 0);
  if (request_enter(self) != 0) return NULL;
  intern(self, &target);
  if (target.number == 0) return request_leave_with(self, LICET_E_UNKNOWN_ATTRIBUTE, "no attribute's name");
  code = licet_request_unset(self->request, target.number);
  if (code != 0) return request_leave_with(self, code, NULL);
  if (target.number < self->capacity) let_go(&self->held[target.number]);
  request_leave(self);
  Py_RETURN_NONE;
}

/* ---- What every request has */

/* A text that liblicet borrows: an exact str, which is held in `place`. */
static PyObject *set_text(
    Request *self, PyObject *said, PyObject **place, const char *what,
    int32_t (*give_text)(licet_request *, const char *, size_t)) {
  size_t length = 1;
  const char *bytes = NULL;
  Why why = {""};
  PyObject *text = PyUnicode_Check(said) ? PyUnicode_FromObject(said) : NULL;
  if (text != NULL) bytes = utf8_of(text, &length);
  if (bytes == NULL) {
    PyErr_Clear();
    length = 1;
    PyOS_snprintf(why.text, sizeof why.text, "%s: a str that is UTF-8 is wanted, not this `%.80s`", what, Py_TYPE(said)->tp_name);
  }
  if (request_enter(self) != 0) {
    Py_XDECREF(text);
    return NULL;
  }
  int32_t code = give_text(self->request, bytes, length);
  PyObject *old = *place;
  *place = text;
  Py_XDECREF(old);
  if (bytes == NULL) return request_leave_with(self, LICET_E_BAD_REQUEST, why.text);
  if (code != 0) return request_leave_with(self, code, NULL);
  request_leave(self);
  Py_RETURN_NONE;
}

static PyObject *request_set_resource(Request *self, PyObject *text) {
  return set_text(self, text, &self->resource, "resource", licet_request_set_resource);
}

static PyObject *request_set_argument(Request *self, PyObject *text) {
  return set_text(self, text, &self->argument, "argument", licet_request_set_argument);
}

/* A member of an enumeration by its number; -2: none that there could be. */
static int number_of(PyObject *object) {
  int overflow = 0;
  if (!PyLong_Check(object) || PyBool_Check(object)) return -2;
  long number = PyLong_AsLongAndOverflow(object, &overflow);
  return overflow || number < 0 || number > 127 ? -2 : (int)number;
}

int effect_number(PyObject *object, const char *what, int32_t *number) {
  int found = number_of(object);
  if (found < LICET_DENY || found > LICET_ALLOW) {
    PyErr_Format(PyExc_TypeError, "%s: a licet.Effect is wanted", what);
    return -1;
  }
  *number = found;
  return 0;
}

static PyObject *set_number(
    Request *self, int number, int32_t (*give_number)(licet_request *, int32_t), const char *wanted) {
  if (request_enter(self) != 0) return NULL;
  int32_t code = give_number(self->request, number);
  if (code != 0) return request_leave_with(self, code, wanted);
  request_leave(self);
  Py_RETURN_NONE;
}

static PyObject *request_set_source(Request *self, PyObject *source) {
  return set_number(self, number_of(source), licet_request_set_source, "source: a licet.Source is wanted");
}

static PyObject *request_set_preference(Request *self, PyObject *effect) {
  int number = effect == Py_None ? LICET_NO_PREFERENCE : number_of(effect);
  return set_number(self, number, licet_request_set_preference, "preference: a licet.Effect or None is wanted");
}

static PyObject *request_set_now(Request *self, PyObject *time) {
  int64_t seconds = 0;
  int32_t nanoseconds = -1; /* which no time has */
  Why why = {""};
  PyObject *kind = NULL, *error = NULL, *trace = NULL;
  int code = convert_time(self->state, time, &seconds, &nanoseconds, &why);
  if (code != 0) nanoseconds = -1;
  if (code == 1) PyErr_Fetch(&kind, &error, &trace);
  int is_ours = request_enter(self) == 0;
  int refusal = is_ours ? licet_request_set_now(self->request, seconds, nanoseconds) : 0;
  if (is_ours && code < 0) return request_leave_with(self, code, why.text);
  if (is_ours && code == 0 && refusal != 0) return request_leave_with(self, refusal, NULL);
  if (is_ours) request_leave(self);
  if (is_ours && code == 1) return PyErr_Restore(kind, error, trace), NULL;
  Py_XDECREF(kind);
  Py_XDECREF(error);
  Py_XDECREF(trace);
  if (!is_ours) return NULL;
  Py_RETURN_NONE;
}

static PyObject *request_set_session(Request *self, PyObject *said) {
  int is_none = said == Py_None;
  if (!is_none && !Py_IS_TYPE(said, self->state->session))
    return PyErr_Format(PyExc_TypeError, "a session is a licet.Session or None, not a `%.80s`", Py_TYPE(said)->tp_name);
  if (request_enter(self) != 0) return NULL;
  int32_t code;
  licet_session *session = is_none ? NULL : ((Session *)said)->session;
  Py_BEGIN_ALLOW_THREADS /* it may wait for who speaks with licetd */
  code = licet_request_set_session(self->request, session);
  Py_END_ALLOW_THREADS
  if (code != 0) return request_leave_with(self, code, NULL);
  PyObject *old = self->session;
  self->session = is_none ? NULL : Py_NewRef(said);
  request_leave(self);
  Py_XDECREF(old);
  Py_RETURN_NONE;
}

static PyObject *request_session(Request *self, void *Py_UNUSED(closure)) {
  return Py_NewRef(self->session == NULL ? Py_None : self->session);
}

static int request_put_session(Request *self, PyObject *said, void *Py_UNUSED(closure)) {
  PyObject *none = request_set_session(self, said == NULL ? Py_None : said);
  Py_XDECREF(none);
  return none == NULL ? -1 : 0;
}

/* Calls a setter with what was said, if anything was; 0, or -1 with an exception. */
static int say(Request *self, PyObject *said, PyObject *(*setter)(Request *, PyObject *)) {
  PyObject *none = said == NULL || said == Py_None ? Py_NewRef(Py_None) : setter(self, said);
  Py_XDECREF(none);
  return none == NULL ? -1 : 0;
}

PyObject *request_make(Authority *authority, PyObject *arguments, PyObject *keywords) {
  static char *names[] = {"attributes", "source", "resource", "argument", "preference", "now", "session", NULL};
  PyObject *attributes = NULL, *source = NULL, *resource = NULL, *argument = NULL, *preference = NULL, *now = NULL;
  PyObject *session = NULL;
  if (!PyArg_ParseTupleAndKeywords(
          arguments, keywords, "|O$OOOOOO", names, &attributes, &source, &resource, &argument, &preference, &now, &session))
    return NULL;
  Request *self = (Request *)make(authority);
  if (self == NULL) return NULL;
  if (say(self, source, request_set_source) || say(self, resource, request_set_resource) ||
      say(self, argument, request_set_argument) || say(self, preference, request_set_preference) ||
      say(self, now, request_set_now) || say(self, session, request_set_session) || say(self, attributes, request_update))
    Py_CLEAR(self);
  return (PyObject *)self;
}

static PyObject *request_authority(Request *self, void *Py_UNUSED(closure)) { return Py_NewRef(self->authority); }
static PyObject *request_closed(Request *self, void *Py_UNUSED(closure)) { return PyBool_FromLong(self->request == NULL); }

#define FAST(function) (PyCFunction)(void (*)(void))(function), METH_FASTCALL

static PyMethodDef request_methods[] = {
    {"check", FAST(request_check),
     "Decides one behaviour, or one action that is several at once: the effect. Only Effect.ALLOW is true."},
    {"check_each", (PyCFunction)request_check_each, METH_O, "Decides each behaviour by itself: the effects, in order."},
    {"decide", FAST(request_decide), "As check(): the decision, with what decided and what it obliges to."},
    {"explain", FAST(request_explain), "Decides and explains, for people. Slow; counts and records nothing."},
    {"set", FAST(request_set), "Gives an attribute a value, in place of what it had."},
    {"update", (PyCFunction)request_update, METH_O, "Gives each attribute of a mapping its value."},
    {"unset", (PyCFunction)request_unset, METH_O, "Takes an attribute back."},
    {"set_resource", (PyCFunction)request_set_resource, METH_O, "What it is done to: a path, an address."},
    {"set_argument", (PyCFunction)request_set_argument, METH_O, "Text that tries to justify it; it never loosens anything."},
    {"set_source", (PyCFunction)request_set_source, METH_O, "On whose instruction."},
    {"set_preference", (PyCFunction)request_set_preference, METH_O, "The user's own wish, or None."},
    {"set_now", (PyCFunction)request_set_now, METH_O, "The time that `now` is, an aware datetime; with an image alone."},
    {"reset", (PyCFunction)request_reset, METH_NOARGS, "As it was when it was made."},
    {"close", (PyCFunction)request_close, METH_NOARGS, "Ends it; otherwise the garbage collector does."},
    {"__enter__", (PyCFunction)request_self, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)request_exit, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef request_members[] = {
    {"authority", (getter)request_authority, NULL, "Who made it.", NULL},
    {"closed", (getter)request_closed, NULL, "Whether close() was called.", NULL},
    {"session", (getter)request_session, (setter)request_put_session,
     "What it asks in; None: in none. What the session says of its user and of itself can't be set.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot request_slots[] = {
    {Py_tp_doc, "What is asked; Authority.request() makes one. For one thread at a time, again and again."},
    {Py_tp_dealloc, request_dealloc},
    {Py_tp_methods, request_methods},
    {Py_tp_getset, request_members},
    {0, NULL},
};

PyType_Spec request_spec = {"licet.Request", sizeof(Request), 0, OURS, request_slots};
