/* Asking: check, check_each, decide, explain. The GIL is given back while liblicet decides. */
#include "binding.h"

/* A behaviour as it was said: its number, or 0; and its name. */
typedef struct {
  uint32_t number;
  licet_text name;
} Asked;

/* 0, or -1 with an exception. The name lives as long as `said`. */
static int asked_of(Request *self, PyObject *said, Asked *asked) {
  PyObject *name = said;
  asked->number = 0;
  if (Py_IS_TYPE(said, self->state->behavior)) {
    Handle *handle = (Handle *)said;
    if (handle->authority != self->authority) {
      raise_error(self->state, LICET_E_INVALID, "behavior: a handle of another authority", 0);
      return -1;
    }
    asked->number = handle->number;
    name = handle->name;
  } else if (!PyUnicode_Check(said)) {
    PyErr_Format(PyExc_TypeError, "a behaviour is a str or a licet.Behavior, not a `%.80s`", Py_TYPE(said)->tp_name);
    return -1;
  }
  asked->name.bytes = utf8_of(name, &asked->name.length);
  return asked->name.bytes == NULL ? -1 : 0;
}

static inline int32_t check_one(licet_request *request, const Asked *asked, licet_decision *decision) {
  if (asked->number != 0) return licet_check(request, asked->number, decision);
  return licet_check_named(request, asked->name.bytes, asked->name.length, decision);
}

/* Names of an action, in `few` or in memory of their own; NULL: an exception is set. More than liblicet takes are not
   read: it refuses them by their count. */
static const licet_text *names_of(
    Request *self, PyObject *const *arguments, Py_ssize_t count, licet_text names[LICET_MAXIMUM_BEHAVIORS]) {
  for (Py_ssize_t i = 0; i < count && i < LICET_MAXIMUM_BEHAVIORS; i++) {
    Asked asked;
    if (asked_of(self, arguments[i], &asked) != 0) return NULL;
    names[i] = asked.name;
  }
  return names;
}

/* Decides and stays in the request, which the caller leaves; INT32_MIN: an exception is set, and nothing was entered. */
static int32_t decide(Request *self, PyObject *const *arguments, Py_ssize_t count, licet_decision *decision) {
  int32_t effect;
  if (count == 1) {
    Asked asked;
    if (asked_of(self, arguments[0], &asked) != 0 || request_enter(self) != 0) return INT32_MIN;
    Py_BEGIN_ALLOW_THREADS
    effect = check_one(self->request, &asked, decision);
    Py_END_ALLOW_THREADS
    return effect;
  }
  licet_text space[LICET_MAXIMUM_BEHAVIORS];
  const licet_text *names = names_of(self, arguments, count, space);
  if (names == NULL || request_enter(self) != 0) return INT32_MIN;
  Py_BEGIN_ALLOW_THREADS
  effect = licet_check_action(self->request, names, (size_t)count, decision);
  Py_END_ALLOW_THREADS
  return effect;
}

PyObject *request_check(Request *self, PyObject *const *arguments, Py_ssize_t count) {
  int32_t effect = decide(self, arguments, count, NULL);
  if (effect == INT32_MIN) return NULL;
  if (effect < 0) return request_leave_with(self, effect, NULL);
  request_leave(self);
  return member_of(&self->state->effects, effect);
}

PyObject *request_decide(Request *self, PyObject *const *arguments, Py_ssize_t count) {
  licet_decision decision = LICET_DECISION_INIT;
  int32_t effect = decide(self, arguments, count, &decision);
  if (effect == INT32_MIN) return NULL;
  if (effect < 0) return request_leave_with(self, effect, NULL);
  PyObject *made = decision_from(self->state, self->request, &decision);
  request_leave(self);
  return made;
}

/* All of them while the GIL is given back once: threads decide side by side. */
PyObject *request_check_each(Request *self, PyObject *behaviors) {
  PyObject *said = PySequence_Tuple(behaviors); /* of one's own: nobody takes a name away meanwhile */
  if (said == NULL) return NULL;
  Py_ssize_t count = PyTuple_GET_SIZE(said), done = 0;
  Asked *asked = PyMem_New(Asked, count == 0 ? 1 : count);
  int32_t *effects = PyMem_New(int32_t, count == 0 ? 1 : count);
  PyObject *list = NULL;
  if (asked == NULL || effects == NULL) {
    PyErr_NoMemory();
    goto end;
  }
  for (Py_ssize_t i = 0; i < count; i++)
    if (asked_of(self, PyTuple_GET_ITEM(said, i), &asked[i]) != 0) goto end;
  if (request_enter(self) != 0) goto end;
  int32_t code = 0;
  Py_BEGIN_ALLOW_THREADS
  while (done < count && code >= 0) {
    code = check_one(self->request, &asked[done], NULL);
    effects[done++] = code;
  }
  Py_END_ALLOW_THREADS
  if (code < 0) {
    request_leave_with(self, code, NULL);
    goto end;
  }
  request_leave(self);
  list = PyList_New(count);
  for (Py_ssize_t i = 0; i < count && list != NULL; i++) {
    PyObject *effect = member_of(&self->state->effects, effects[i]);
    if (effect == NULL) Py_CLEAR(list);
    else PyList_SET_ITEM(list, i, effect);
  }
end:
  PyMem_Free(asked);
  PyMem_Free(effects);
  Py_DECREF(said);
  return list;
}

PyObject *request_explain(Request *self, PyObject *const *arguments, Py_ssize_t count) {
  licet_text space[LICET_MAXIMUM_BEHAVIORS];
  const licet_text *names = names_of(self, arguments, count, space);
  if (names == NULL || request_enter(self) != 0) return NULL;
  licet_explanation *explanation = NULL;
  int32_t effect;
  Py_BEGIN_ALLOW_THREADS
  effect = licet_explain(self->request, names, (size_t)count, &explanation);
  Py_END_ALLOW_THREADS
  if (effect < 0) return request_leave_with(self, effect, NULL);
  request_leave(self);
  PyObject *made = explanation_from(self->state, explanation);
  licet_explanation_free(explanation);
  return made;
}
