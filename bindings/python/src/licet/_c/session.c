/* Sessions: who is served, what was wished, and how far an agent may go until when. A handle is for any number of threads. */
#include "binding.h"

#include <math.h>

/* What a session is opened with, in liblicet's form; borrows from what `kept` and `held` hold. */
typedef struct {
  licet_terms terms;
  licet_named_value *attributes;
  Held *held;
  size_t held_count;
  licet_behavior_effect *preferences, *caps;
  licet_text *behaviors, *resources;
  PyObject *kept;
} Terms;

static void end_terms(Terms *t) {
  for (size_t i = 0; i < t->held_count; i++) let_go(&t->held[i]);
  PyMem_Free(t->attributes);
  PyMem_Free(t->held);
  PyMem_Free(t->preferences);
  PyMem_Free(t->caps);
  PyMem_Free(t->behaviors);
  PyMem_Free(t->resources);
  Py_XDECREF(t->kept);
}

/* The bytes of a str, which is kept; 0, or -1 with an exception. */
static int keep_text(Terms *t, PyObject *said, const char *what, licet_text *text) {
  if (!PyUnicode_Check(said)) {
    PyErr_Format(PyExc_TypeError, "%s: a str is wanted, not a `%.80s`", what, Py_TYPE(said)->tp_name);
    return -1;
  }
  PyObject *exact = PyUnicode_FromObject(said);
  size_t length = 0;
  const char *bytes = exact == NULL ? NULL : utf8_of(exact, &length);
  int failed = bytes == NULL || PyList_Append(t->kept, exact) != 0;
  Py_XDECREF(exact);
  if (failed) return -1;
  *text = (licet_text){bytes, length};
  return 0;
}

/* A list of a mapping's items or of an iterable's elements, and room for so many of `size` bytes; NULL: an exception. */
static PyObject *list_of(PyObject *given, int is_mapping, size_t size, void **room) {
  PyObject *list = is_mapping ? PyMapping_Items(given) : PySequence_List(given);
  if (list == NULL) return NULL;
  *room = PyMem_Calloc((size_t)PyList_GET_SIZE(list) + 1, size);
  if (*room != NULL) return list;
  Py_DECREF(list);
  return PyErr_NoMemory();
}

static int is_pair(PyObject *pair, const char *what) {
  if (PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) == 2) return 1;
  PyErr_Format(PyExc_TypeError, "%s: a mapping is wanted", what);
  return 0;
}

static int read_attributes(State *state, Terms *t, PyObject *given) {
  void *room = NULL;
  PyObject *items = list_of(given, 1, sizeof *t->attributes, &room);
  if (items == NULL) return -1;
  size_t count = (size_t)PyList_GET_SIZE(items);
  t->attributes = room;
  t->held = PyMem_Calloc(count + 1, sizeof *t->held);
  int failed = t->held == NULL;
  if (failed) PyErr_NoMemory();
  for (size_t i = 0; i < count && !failed; i++) {
    PyObject *pair = PyList_GET_ITEM(items, (Py_ssize_t)i);
    Why why = {""};
    failed = !is_pair(pair, "attributes") || keep_text(t, PyTuple_GET_ITEM(pair, 0), "attributes", &t->attributes[i].name);
    if (failed) break;
    int code = convert(state, PyTuple_GET_ITEM(pair, 1), &t->attributes[i].value, &t->held[i], &why);
    t->held_count = i + 1;
    if (code < 0) {
      char text[300];
      PyOS_snprintf(text, sizeof text, "%.80s: %.200s", t->attributes[i].name.bytes, why.text);
      raise_error(state, code, text, 0);
    }
    failed = code != 0;
  }
  t->terms.attributes = t->attributes;
  t->terms.attribute_count = count;
  Py_DECREF(items);
  return failed ? -1 : 0;
}

static int read_effects(
    Terms *t, PyObject *given, const char *what, licet_behavior_effect **place, const licet_behavior_effect **said, size_t *number) {
  void *room = NULL;
  PyObject *items = list_of(given, 1, sizeof **place, &room);
  if (items == NULL) return -1;
  int failed = 0;
  *place = room;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items) && !failed; i++) {
    PyObject *pair = PyList_GET_ITEM(items, i);
    failed = !is_pair(pair, what) || keep_text(t, PyTuple_GET_ITEM(pair, 0), what, &(*place)[i].behavior) ||
             effect_number(PyTuple_GET_ITEM(pair, 1), what, &(*place)[i].effect);
  }
  *said = *place;
  *number = (size_t)PyList_GET_SIZE(items);
  Py_DECREF(items);
  return failed ? -1 : 0;
}

static int read_texts(Terms *t, PyObject *given, const char *what, licet_text **place, const licet_text **said, size_t *number) {
  if (PyUnicode_Check(given)) {
    PyErr_Format(PyExc_TypeError, "%s: a list of str is wanted, not one str", what);
    return -1;
  }
  void *room = NULL;
  PyObject *list = list_of(given, 0, sizeof **place, &room);
  if (list == NULL) return -1;
  int failed = 0;
  *place = room;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list) && !failed; i++)
    failed = keep_text(t, PyList_GET_ITEM(list, i), what, &(*place)[i]);
  *said = *place;
  *number = (size_t)PyList_GET_SIZE(list);
  Py_DECREF(list);
  return failed ? -1 : 0;
}

/* None: 0, which is liblicet's for none; 0 itself is nothing that there could be. */
static int read_number(PyObject *given, double *number) {
  double said = PyFloat_AsDouble(given);
  if (said == -1 && PyErr_Occurred()) return -1;
  *number = said == 0 ? -1 : said;
  return 0;
}

#define SAID(object) ((object) != NULL && (object) != Py_None)

/* 0, or -1 with an exception; either way the terms are to be ended. */
static int read_terms(State *state, Terms *t, PyObject *arguments, PyObject *keywords, int is_delegate) {
  static char *all[] = {"attributes", "preferences", "caps", "behaviors", "resources", "dial", "cost", "lifetime", NULL};
  PyObject *attributes = NULL, *preferences = NULL, *caps = NULL, *behaviors = NULL, *resources = NULL;
  PyObject *dial = NULL, *cost = NULL, *lifetime = NULL;
  licet_terms empty = LICET_TERMS_INIT;
  memset(t, 0, sizeof *t);
  t->terms = empty;
  t->kept = PyList_New(0);
  if (t->kept == NULL) return -1;
  int is_read = is_delegate ? PyArg_ParseTupleAndKeywords(
                                  arguments, keywords, "|$OOOOOOO", all + 1, &preferences, &caps, &behaviors, &resources, &dial,
                                  &cost, &lifetime)
                            : PyArg_ParseTupleAndKeywords(
                                  arguments, keywords, "|O$OOOOOOO", all, &attributes, &preferences, &caps, &behaviors,
                                  &resources, &dial, &cost, &lifetime);
  if (!is_read) return -1;
  licet_terms *s = &t->terms;
  if (SAID(attributes) && read_attributes(state, t, attributes)) return -1;
  if (SAID(preferences) && read_effects(t, preferences, "preferences", &t->preferences, &s->preferences, &s->preference_count))
    return -1;
  if (SAID(caps) && read_effects(t, caps, "caps", &t->caps, &s->caps, &s->cap_count)) return -1;
  if (SAID(behaviors)) {
    if (read_texts(t, behaviors, "behaviors", &t->behaviors, &s->behaviors, &s->behavior_count)) return -1;
    s->is_scoped = 1;
  }
  if (SAID(resources) && read_texts(t, resources, "resources", &t->resources, &s->resources, &s->resource_count)) return -1;
  if ((SAID(dial) && read_number(dial, &s->dial)) || (SAID(cost) && read_number(cost, &s->cost))) return -1;
  if (SAID(lifetime)) {
    double seconds = PyFloat_AsDouble(lifetime);
    if (seconds == -1 && PyErr_Occurred()) return -1;
    if (!(seconds > 0 && seconds <= 1e12)) {
      PyErr_SetString(PyExc_ValueError, "lifetime: seconds, more than 0");
      return -1;
    }
    /* What is shorter than a millisecond must not become 0, which stands for none. */
    s->lifetime_ms = seconds < 0.001 ? 1 : (uint64_t)(seconds * 1000);
  }
  return 0;
}

/* ---- Made */

/* Takes the handle over, or raises what the code says. */
static PyObject *session_from(Authority *authority, licet_session *made, int code, const licet_error *error) {
  if (code != 0) return raise_error(authority->state, code, error->message, error->system);
  Session *self = PyObject_New(Session, authority->state->session);
  if (self == NULL) {
    licet_session_free(made);
    return NULL;
  }
  self->state = authority->state;
  self->authority = (Authority *)Py_NewRef(authority);
  self->session = made;
  return (PyObject *)self;
}

PyObject *session_open(Authority *authority, PyObject *arguments, PyObject *keywords) {
  Terms terms;
  licet_error error = LICET_ERROR_INIT;
  licet_session *made = NULL;
  PyObject *session = NULL;
  if (read_terms(authority->state, &terms, arguments, keywords, 0) == 0) {
    licet *handle = authority_enter(authority);
    if (handle != NULL) {
      int32_t code;
      Py_BEGIN_ALLOW_THREADS
      code = licet_session_open(handle, &terms.terms, &made, &error);
      Py_END_ALLOW_THREADS
      authority_leave(authority);
      session = session_from(authority, made, code, &error);
    }
  }
  end_terms(&terms);
  return session;
}

PyObject *session_join(Authority *authority, PyObject *id) {
  licet_error error = LICET_ERROR_INIT;
  licet_session *made = NULL;
  size_t length;
  if (!PyUnicode_Check(id)) return PyErr_Format(PyExc_TypeError, "a session's id is a str, not a `%.80s`", Py_TYPE(id)->tp_name);
  const char *bytes = utf8_of(id, &length);
  if (bytes == NULL) return NULL;
  licet *handle = authority_enter(authority);
  if (handle == NULL) return NULL;
  int32_t code;
  Py_BEGIN_ALLOW_THREADS
  code = licet_session_join(handle, bytes, length, &made, &error);
  Py_END_ALLOW_THREADS
  authority_leave(authority);
  return session_from(authority, made, code, &error);
}

static PyObject *session_delegate(Session *self, PyObject *arguments, PyObject *keywords) {
  Terms terms;
  licet_error error = LICET_ERROR_INIT;
  licet_session *made = NULL;
  PyObject *session = NULL;
  if (read_terms(self->state, &terms, arguments, keywords, 1) == 0) {
    int32_t code;
    Py_BEGIN_ALLOW_THREADS
    code = licet_session_delegate(self->session, &terms.terms, &made, &error);
    Py_END_ALLOW_THREADS
    session = session_from(self->authority, made, code, &error);
  }
  end_terms(&terms);
  return session;
}

static void session_dealloc(Session *self) {
  PyTypeObject *type = Py_TYPE(self);
  licet_session_free(self->session);
  Py_DECREF(self->authority);
  PyObject_Free(self);
  Py_DECREF(type);
}

/* ---- Changed */

static PyObject *done(Session *self, int32_t code, const licet_error *error) {
  if (code != 0) return raise_error(self->state, code, error->message, error->system);
  Py_RETURN_NONE;
}

static PyObject *session_set_preference(Session *self, PyObject *const *arguments, Py_ssize_t count) {
  licet_error error = LICET_ERROR_INIT;
  int32_t code, effect = LICET_NO_PREFERENCE;
  size_t length;
  if (count != 2) return PyErr_Format(PyExc_TypeError, "set_preference() takes a behavior and an effect, not %zd arguments", count);
  if (!PyUnicode_Check(arguments[0])) return PyErr_Format(PyExc_TypeError, "a behavior's name is a str");
  if (arguments[1] != Py_None && effect_number(arguments[1], "preference", &effect)) return NULL;
  const char *bytes = utf8_of(arguments[0], &length);
  if (bytes == NULL) return NULL;
  Py_BEGIN_ALLOW_THREADS
  code = licet_session_set_preference(self->session, bytes, length, effect, &error);
  Py_END_ALLOW_THREADS
  return done(self, code, &error);
}

static PyObject *session_set_dial(Session *self, PyObject *number) {
  licet_error error = LICET_ERROR_INIT;
  int32_t code;
  double dial = PyFloat_AsDouble(number);
  if (dial == -1 && PyErr_Occurred()) return NULL;
  Py_BEGIN_ALLOW_THREADS
  code = licet_session_set_dial(self->session, dial, &error);
  Py_END_ALLOW_THREADS
  return done(self, code, &error);
}

static PyObject *session_spend(Session *self, PyObject *number) {
  licet_error error = LICET_ERROR_INIT;
  int32_t code;
  double cost = PyFloat_AsDouble(number), left = 0;
  if (cost == -1 && PyErr_Occurred()) return NULL;
  Py_BEGIN_ALLOW_THREADS
  code = licet_session_spend(self->session, cost, &left, &error);
  Py_END_ALLOW_THREADS
  return code != 0 ? done(self, code, &error) : PyFloat_FromDouble(left);
}

static int32_t end_session(Session *self, licet_error *error) {
  int32_t code;
  Py_BEGIN_ALLOW_THREADS
  code = licet_session_close(self->session, error);
  Py_END_ALLOW_THREADS
  return code;
}

static PyObject *session_close(Session *self, PyObject *Py_UNUSED(none)) {
  licet_error error = LICET_ERROR_INIT;
  int32_t code = end_session(self, &error);
  return done(self, code, &error);
}

/* What has ended by itself needs no end. */
static PyObject *session_exit(Session *self, PyObject *Py_UNUSED(arguments)) {
  licet_error error = LICET_ERROR_INIT;
  int32_t code = end_session(self, &error);
  return done(self, code == LICET_E_UNKNOWN_SESSION ? 0 : code, &error);
}

static PyObject *session_self(PyObject *self, PyObject *Py_UNUSED(none)) { return Py_NewRef(self); }
static PyObject *session_authority(Session *self, void *Py_UNUSED(closure)) { return Py_NewRef(self->authority); }
static PyObject *session_id(Session *self, void *Py_UNUSED(closure)) {
  return PyUnicode_FromString(licet_session_id(self->session));
}
static PyObject *session_repr(Session *self) {
  return PyUnicode_FromFormat("<licet.Session %s>", licet_session_id(self->session));
}

static PyMethodDef session_methods[] = {
    {"delegate", (PyCFunction)(void (*)(void))session_delegate, METH_VARARGS | METH_KEYWORDS,
     "Opens one that can only have less than this one, and ends with it."},
    {"set_preference", (PyCFunction)(void (*)(void))session_set_preference, METH_FASTCALL,
     "The user's wish for a behavior, or None. When it returns, licetd has it."},
    {"set_dial", (PyCFunction)session_set_dial, METH_O, "How far the agent may go on its own, as far as users may raise it."},
    {"spend", (PyCFunction)session_spend, METH_O, "Says what was spent; returns what may still be, inf without a bound."},
    {"close", (PyCFunction)session_close, METH_NOARGS, "Ends it, and all that was delegated from it, in every process."},
    {"__enter__", (PyCFunction)session_self, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)session_exit, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef session_members[] = {
    {"id", (getter)session_id, NULL, "32 hexadecimal digits, by which another process of the same user may join it.", NULL},
    {"authority", (getter)session_authority, NULL, "Who opened it.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot session_slots[] = {
    {Py_tp_doc, "A session that licetd holds; Authority.session() opens one. Any number of threads may use it."},
    {Py_tp_dealloc, session_dealloc},
    {Py_tp_methods, session_methods},
    {Py_tp_getset, session_members},
    {Py_tp_repr, session_repr},
    {0, NULL},
};

PyType_Spec session_spec = {"licet.Session", sizeof(Session), 0, OURS, session_slots};
