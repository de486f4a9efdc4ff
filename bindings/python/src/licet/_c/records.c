/* liblicet's answers as Python's: frozen dataclasses of licet._types, filled slot by slot without their __init__. */
#include "binding.h"

PyObject *text_from(licet_text text) {
  return PyUnicode_DecodeUTF8(text.bytes == NULL ? "" : text.bytes, (Py_ssize_t)text.length, "replace");
}

/* A number that this package does not know, of a later library, stays a number. */
PyObject *member_of(const Members *members, int value) {
  if (value >= 0 && value < members->count && members->member[value] != NULL) return Py_NewRef(members->member[value]);
  return PyLong_FromLong(value);
}

/* Takes over the values; one that is NULL means that an exception is set. */
static PyObject *record(const Record *record, PyObject **values, int count) {
  PyObject *made = NULL;
  int is_whole = PyTuple_GET_SIZE(record->slots) == count;
  for (int i = 0; i < count; i++) is_whole = is_whole && values[i] != NULL;
  if (is_whole) made = record->type->tp_alloc(record->type, 0);
  else if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "licet: _licet and _types are of different versions");
  for (int i = 0; i < count && made != NULL; i++)
    if (PyObject_GenericSetAttr(made, PyTuple_GET_ITEM(record->slots, i), values[i]) != 0) Py_CLEAR(made);
  for (int i = 0; i < count; i++) Py_XDECREF(values[i]);
  return made;
}

#define RECORD(kind, ...) record(kind, (PyObject *[]){__VA_ARGS__}, sizeof((PyObject *[]){__VA_ARGS__}) / sizeof(PyObject *))

/* None: there is none. */
static PyObject *statement_from(State *state, const licet_statement *s) {
  if (s->form == LICET_FORM_NONE) return Py_NewRef(Py_None);
  return RECORD(
      &state->statement, text_from(s->file), PyLong_FromUnsignedLong(s->line), PyLong_FromUnsignedLong(s->column),
      member_of(&state->forms, s->form), text_from(s->behavior), text_from(s->clause), text_from(s->condition));
}

/* Sorted names, of a request's last decision or of an explanation: one of the two is NULL. */
static PyObject *obligations_of(const licet_request *request, const licet_explanation *explanation) {
  licet_text few[16], *names = few;
  size_t count = explanation ? licet_explanation_obligations(explanation, few, 16) : licet_request_obligations(request, few, 16);
  if (count > 16) {
    names = PyMem_New(licet_text, count);
    if (names == NULL) return PyErr_NoMemory();
    if (explanation) licet_explanation_obligations(explanation, names, count);
    else licet_request_obligations(request, names, count);
  }
  PyObject *tuple = PyTuple_New((Py_ssize_t)count);
  for (size_t i = 0; i < count && tuple != NULL; i++) {
    PyObject *name = text_from(names[i]);
    if (name == NULL) Py_CLEAR(tuple);
    else PyTuple_SET_ITEM(tuple, i, name);
  }
  if (names != few) PyMem_Free(names);
  return tuple;
}

static PyObject *decision_with(
    State *state, const licet_decision *d, PyObject *obligations, const licet_statement *statement) {
  return RECORD(
      &state->decision, member_of(&state->effects, d->effect), text_from(d->behavior),
      PyLong_FromUnsignedLongLong(d->generation), member_of(&state->deciders, d->decided_by),
      d->oversight == LICET_OVERSIGHT_NONE ? Py_NewRef(Py_None) : member_of(&state->oversights, d->oversight), PyBool_FromLong(d->lost),
      obligations, statement_from(state, statement));
}

PyObject *decision_from(State *state, licet_request *request, const licet_decision *decision) {
  licet_statement statement = LICET_STATEMENT_INIT;
  statement.form = LICET_FORM_NONE;
  licet_request_statement(request, &statement);
  return decision_with(state, decision, obligations_of(request, NULL), &statement);
}

static PyObject *tier_from(State *state, int tier) {
  return tier < 0 ? Py_NewRef(Py_None) : member_of(&state->tiers, tier);
}

/* None: the step is another. */
static PyObject *dial_from(State *state, const licet_explanation *explanation, size_t index) {
  licet_dial d = LICET_DIAL_INIT;
  if (licet_explanation_dial(explanation, index, &d) != 0) return Py_NewRef(Py_None);
  return RECORD(
      &state->dial, PyFloat_FromDouble(d.stakes), PyFloat_FromDouble(d.dial), statement_from(state, &d.statement),
      PyBool_FromLong(d.is_untrusted));
}

/* None: the step depends on none. */
static PyObject *period_from(State *state, const licet_explanation *explanation, size_t index) {
  licet_period p = LICET_PERIOD_INIT;
  if (licet_explanation_period(explanation, index, &p) != 0) return Py_NewRef(Py_None);
  return RECORD(&state->period, PyBool_FromLong(p.has_ended != 0), statement_from(state, &p.statement));
}

/* None: the step is another. */
static PyObject *hold_from(State *state, const licet_explanation *explanation, size_t index) {
  licet_text term = {NULL, 0};
  int kind = licet_explanation_hold(explanation, index, &term);
  if (kind < 0) return Py_NewRef(Py_None);
  return RECORD(&state->hold, member_of(&state->holds, kind), text_from(term));
}

static PyObject *suspicion_from(const licet_explanation *explanation, size_t index) {
  double level = 0;
  return licet_explanation_suspicion(explanation, index, &level) == 0 ? PyFloat_FromDouble(level) : Py_NewRef(Py_None);
}

static PyObject *step_from(State *state, const licet_explanation *explanation, size_t index) {
  licet_step s;
  memset(&s, 0, sizeof s);
  s.size = sizeof s;
  s.statement.size = sizeof s.statement;
  s.statement.form = LICET_FORM_NONE;
  licet_explanation_step(explanation, index, &s);
  return RECORD(
      &state->step, member_of(&state->steps, s.step), member_of(&state->truths, s.truth),
      member_of(&state->effects, s.says), member_of(&state->effects, s.effect), tier_from(state, s.tier),
      PyBool_FromLong(s.is_shadow), PyBool_FromLong(s.is_clamped), text_from(s.behavior), text_from(s.failure),
      text_from(s.attribute), statement_from(state, &s.statement), dial_from(state, explanation, index),
      period_from(state, explanation, index), hold_from(state, explanation, index), suspicion_from(explanation, index));
}

static PyObject *change_from(State *state, const licet_explanation *explanation, size_t index) {
  licet_change c;
  memset(&c, 0, sizeof c);
  c.size = sizeof c;
  c.statement.size = sizeof c.statement;
  c.statement.form = LICET_FORM_NONE;
  licet_explanation_change(explanation, index, &c);
  double needed = 0, highest = 0;
  int is_dial = licet_explanation_change_dial(explanation, index, &needed, &highest) == 0;
  uint64_t wait = 0;
  int is_wait = licet_explanation_change_wait(explanation, index, &wait) == 0;
  licet_text session = {NULL, 0};
  licet_explanation_change_session(explanation, index, &session);
  return RECORD(
      &state->change, member_of(&state->changes, c.change), member_of(&state->deciders, c.decided_by),
      c.user == UINT32_MAX ? Py_NewRef(Py_None) : PyLong_FromUnsignedLong(c.user),
      c.since < 0 ? Py_NewRef(Py_None) : PyLong_FromLongLong(c.since), text_from(c.halt), text_from(c.operator_name), text_from(session),
      text_from(c.behavior), statement_from(state, &c.statement),
      is_dial ? PyFloat_FromDouble(needed) : Py_NewRef(Py_None),
      is_dial ? PyFloat_FromDouble(highest) : Py_NewRef(Py_None),
      is_wait ? PyLong_FromUnsignedLongLong(wait) : Py_NewRef(Py_None));
}

static PyObject *tuple_of(
    State *state, const licet_explanation *explanation, size_t count,
    PyObject *(*one)(State *, const licet_explanation *, size_t)) {
  PyObject *tuple = PyTuple_New((Py_ssize_t)count);
  for (size_t i = 0; i < count && tuple != NULL; i++) {
    PyObject *item = one(state, explanation, i);
    if (item == NULL) Py_CLEAR(tuple);
    else PyTuple_SET_ITEM(tuple, i, item);
  }
  return tuple;
}

PyObject *explanation_from(State *state, const licet_explanation *explanation) {
  licet_decision decision = LICET_DECISION_INIT;
  licet_statement statement = LICET_STATEMENT_INIT;
  statement.form = LICET_FORM_NONE;
  licet_explanation_decision(explanation, &decision);
  licet_explanation_statement(explanation, &statement);
  return RECORD(
      &state->explanation,
      decision_with(state, &decision, obligations_of(NULL, explanation), &statement),
      tuple_of(state, explanation, licet_explanation_steps(explanation), step_from),
      member_of(&state->ways, licet_explanation_way(explanation)),
      tuple_of(state, explanation, licet_explanation_changes(explanation), change_from));
}
