/* Authorities, and the handles of names that they give. */
#include "binding.h"

PyObject *raise_error(State *state, int code, const char *message, int system) {
  PyObject *text = PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message), "replace");
  PyObject *error = text == NULL ? NULL : PyObject_CallFunction(state->make_error, "iOi", code, text, system);
  Py_XDECREF(text);
  if (error != NULL) {
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_DECREF(error);
  }
  return NULL;
}

/* ---- An open handle, which may be closed while others use it: whoever is last gives it back. */

static void give_back(Authority *self) {
  licet *handle = atomic_exchange(&self->handle, NULL);
  if (handle != NULL) {
    Py_BEGIN_ALLOW_THREADS
    licet_close(handle);
    Py_END_ALLOW_THREADS
  }
}

licet *authority_enter(Authority *self) {
  if (atomic_fetch_add(&self->users, 2) & 1) {
    authority_leave(self);
    raise_error(self->state, LICET_E_INVALID, "authority: it is closed", 0);
    return NULL;
  }
  return atomic_load(&self->handle);
}

void authority_leave(Authority *self) {
  if (atomic_fetch_sub(&self->users, 2) == 3) give_back(self);
}

PyObject *authority_open(PyObject *module, PyObject *arguments) {
  State *state = state_of(module);
  licet_options options = LICET_OPTIONS_INIT;
  licet_error error = LICET_ERROR_INIT;
  licet *handle = NULL;
  const char *path, *operator_name;
  Py_ssize_t length;
  unsigned int mode, timeout, stale_after, loss;
  if (!PyArg_ParseTuple(arguments, "Iys#III", &mode, &path, &operator_name, &length, &timeout, &stale_after, &loss)) return NULL;
  options.mode = mode;
  options.path = *path == 0 ? NULL : path;
  options.operator_name.bytes = operator_name;
  options.operator_name.length = (size_t)length;
  options.timeout_ms = timeout;
  options.stale_after_ms = stale_after;
  options.on_authority_loss = loss;
  Authority *self = PyObject_New(Authority, state->authority);
  if (self == NULL) return NULL;
  self->state = state;
  atomic_init(&self->handle, NULL);
  atomic_init(&self->users, 0);
  int32_t code;
  Py_BEGIN_ALLOW_THREADS
  code = licet_open(&options, &handle, &error);
  Py_END_ALLOW_THREADS
  if (code != 0) {
    Py_DECREF(self);
    return raise_error(state, code, error.message, error.system);
  }
  atomic_store(&self->handle, handle);
  return (PyObject *)self;
}

static void authority_dealloc(Authority *self) {
  PyTypeObject *type = Py_TYPE(self);
  /* Nobody uses it any more: no thread has to be let in. */
  licet_close(atomic_exchange(&self->handle, NULL));
  PyObject_Free(self);
  Py_DECREF(type);
}

static PyObject *authority_close(Authority *self, PyObject *Py_UNUSED(none)) {
  if (atomic_fetch_or(&self->users, 1) == 0) give_back(self);
  Py_RETURN_NONE;
}

static PyObject *authority_exit(Authority *self, PyObject *Py_UNUSED(arguments)) { return authority_close(self, NULL); }

static PyObject *authority_self(PyObject *self, PyObject *Py_UNUSED(none)) { return Py_NewRef(self); }

static PyObject *intern(Authority *self, PyObject *name, int is_behavior) {
  if (!PyUnicode_Check(name)) return PyErr_Format(PyExc_TypeError, "a name is a str, not a `%.80s`", Py_TYPE(name)->tp_name);
  size_t length;
  const char *bytes = utf8_of(name, &length);
  if (bytes == NULL) return NULL;
  licet *handle = authority_enter(self);
  if (handle == NULL) return NULL;
  uint32_t number;
  Py_BEGIN_ALLOW_THREADS
  number = is_behavior ? licet_intern_behavior(handle, bytes, length) : licet_intern_attribute(handle, bytes, length);
  Py_END_ALLOW_THREADS
  authority_leave(self);
  if (number == 0) {
    char text[200];
    PyOS_snprintf(
        text, sizeof text, is_behavior
            ? "`%.80s`: no behaviour's name (segments of a-z, 0-9, _ and -, with dots between), or %d names are taken"
            : "`%.80s`: no attribute's name, or %d names are taken",
        bytes, LICET_MAXIMUM_NAMES);
    return raise_error(self->state, is_behavior ? LICET_E_BAD_NAME : LICET_E_UNKNOWN_ATTRIBUTE, text, 0);
  }
  Handle *made = PyObject_New(Handle, is_behavior ? self->state->behavior : self->state->attribute);
  if (made == NULL) return NULL;
  made->authority = (Authority *)Py_NewRef(self);
  made->number = number;
  /* A str of a class of its own could refer to anything, this handle too. */
  made->name = PyUnicode_FromStringAndSize(bytes, (Py_ssize_t)length);
  if (made->name == NULL) Py_CLEAR(made);
  return (PyObject *)made;
}

static PyObject *authority_behavior(Authority *self, PyObject *name) { return intern(self, name, 1); }
static PyObject *authority_attribute(Authority *self, PyObject *name) { return intern(self, name, 0); }
static PyObject *authority_flush(Authority *self, PyObject *arguments, PyObject *keywords) {
  static char *names[] = {"timeout", NULL};
  double timeout = 1;
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|d", names, &timeout)) return NULL;
  if (!(timeout >= 0 && timeout <= 4294967)) {
    PyErr_SetString(PyExc_ValueError, "timeout: seconds, from 0 to 4294967");
    return NULL;
  }
  licet *handle = authority_enter(self);
  if (handle == NULL) return NULL;
  licet_error error = LICET_ERROR_INIT;
  int32_t code;
  Py_BEGIN_ALLOW_THREADS
  code = licet_flush(handle, (uint32_t)(timeout * 1000), &error);
  Py_END_ALLOW_THREADS
  authority_leave(self);
  if (code != 0) return raise_error(self->state, code, error.message, error.system);
  Py_RETURN_NONE;
}

static PyObject *authority_mode(Authority *self, void *Py_UNUSED(closure)) {
  licet *handle = authority_enter(self);
  if (handle == NULL) return NULL;
  int mode = licet_mode(handle);
  authority_leave(self);
  return member_of(&self->state->modes, mode);
}

static PyObject *authority_generation(Authority *self, void *Py_UNUSED(closure)) {
  licet *handle = authority_enter(self);
  if (handle == NULL) return NULL;
  uint64_t generation = licet_generation(handle);
  authority_leave(self);
  return PyLong_FromUnsignedLongLong(generation);
}

static PyObject *authority_closed(Authority *self, void *Py_UNUSED(closure)) {
  return PyBool_FromLong(atomic_load(&self->users) & 1);
}

static PyMethodDef authority_methods[] = {
    {"behavior", (PyCFunction)authority_behavior, METH_O, "A behaviour by its name, which is looked up once."},
    {"attribute", (PyCFunction)authority_attribute, METH_O, "An attribute by its name, which is looked up once."},
    {"request", (PyCFunction)(void (*)(void))request_make, METH_VARARGS | METH_KEYWORDS,
     "A new request, for one thread at a time, with what it is given."},
    {"session", (PyCFunction)(void (*)(void))session_open, METH_VARARGS | METH_KEYWORDS,
     "Opens a session: who is served, and how far an agent may go until when."},
    {"join_session", (PyCFunction)session_join, METH_O,
     "A session that another process of the same user opened for the same operator, by its id."},
    {"flush", (PyCFunction)(void (*)(void))authority_flush, METH_VARARGS | METH_KEYWORDS,
     "Waits until licetd has taken all that was counted and recorded here."},
    {"close", (PyCFunction)authority_close, METH_NOARGS, "Gives the authority back; requests made of it may still be used."},
    {"__enter__", (PyCFunction)authority_self, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)authority_exit, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef authority_members[] = {
    {"mode", (getter)authority_mode, NULL, "How decisions are made now.", NULL},
    {"generation", (getter)authority_generation, NULL, "The generation that was seen last; 0: none yet.", NULL},
    {"closed", (getter)authority_closed, NULL, "Whether close() was called.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot authority_slots[] = {
    {Py_tp_doc, "An authority that decisions are asked of; licet.open() makes one. Any number of threads may use it."},
    {Py_tp_dealloc, authority_dealloc},
    {Py_tp_methods, authority_methods},
    {Py_tp_getset, authority_members},
    {0, NULL},
};

PyType_Spec authority_spec = {"licet.Authority", sizeof(Authority), 0, OURS, authority_slots};

/* ---- Handles */

static void handle_dealloc(Handle *self) {
  PyTypeObject *type = Py_TYPE(self);
  Py_XDECREF(self->name);
  Py_DECREF(self->authority);
  PyObject_Free(self);
  Py_DECREF(type);
}

static PyObject *handle_name(Handle *self, void *Py_UNUSED(closure)) { return Py_NewRef(self->name); }

static PyObject *handle_repr(Handle *self) {
  const char *name = Py_TYPE(self)->tp_name;
  return PyUnicode_FromFormat("<%s %U>", name, self->name);
}

static PyObject *handle_compare(PyObject *left, PyObject *right, int operation) {
  if (Py_TYPE(left) != Py_TYPE(right) || (operation != Py_EQ && operation != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  Handle *a = (Handle *)left, *b = (Handle *)right;
  int is_same = a->authority == b->authority && a->number == b->number;
  return PyBool_FromLong(is_same == (operation == Py_EQ));
}

static Py_hash_t handle_hash(Handle *self) { return (Py_hash_t)self->number * 1000003 + 1; }

static PyGetSetDef handle_members[] = {
    {"name", (getter)handle_name, NULL, "The name that it stands for.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define HANDLE_SLOTS(doc) \
  {{Py_tp_doc, doc}, {Py_tp_dealloc, handle_dealloc}, {Py_tp_getset, handle_members}, {Py_tp_repr, handle_repr}, \
   {Py_tp_richcompare, handle_compare}, {Py_tp_hash, handle_hash}, {0, NULL}}

static PyType_Slot behavior_slots[] = HANDLE_SLOTS("A behaviour of one authority; Authority.behavior() gives it.");
static PyType_Slot attribute_slots[] = HANDLE_SLOTS("An attribute of one authority; Authority.attribute() gives it.");
PyType_Spec behavior_spec = {"licet.Behavior", sizeof(Handle), 0, OURS, behavior_slots};
PyType_Spec attribute_spec = {"licet.Attribute", sizeof(Handle), 0, OURS, attribute_slots};
