/* The module, one an interpreter: its types, and what it takes from licet._types. */
#include "binding.h"

static int state_traverse(PyObject *module, visitproc visit, void *arg);
static int state_clear(PyObject *module);
static void state_free(void *module) { state_clear(module); }

/* Every object that the state holds, for what treats them all alike. */
static int each(State *s, int (*visit)(PyObject **, void *), void *argument) {
  Members *members[] = {&s->effects, &s->sources, &s->modes, &s->deciders, &s->oversights, &s->forms,
                        &s->steps,   &s->truths,  &s->tiers, &s->ways,     &s->changes,    &s->holds};
  Record *records[] = {&s->statement, &s->decision, &s->dial,   &s->period,
                       &s->hold,      &s->step,     &s->change, &s->explanation};
  PyObject **others[] = {(PyObject **)&s->authority, (PyObject **)&s->request,  (PyObject **)&s->behavior,
                         (PyObject **)&s->attribute, &s->make_error,            (PyObject **)&s->datetime,
                         (PyObject **)&s->timedelta, &s->epoch,                 (PyObject **)&s->session};
  for (size_t i = 0; i < sizeof members / sizeof *members; i++)
    for (int k = 0; k < members[i]->count; k++)
      if (visit(&members[i]->member[k], argument)) return 1;
  for (size_t i = 0; i < sizeof records / sizeof *records; i++)
    if (visit((PyObject **)&records[i]->type, argument) || visit(&records[i]->slots, argument)) return 1;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (visit(others[i], argument)) return 1;
  return 0;
}

State *state_of(PyObject *module) { return PyModule_GetState(module); }

typedef struct {
  visitproc visit;
  void *argument;
} Visit;

static int visit_one(PyObject **object, void *argument) {
  Visit *v = argument;
  return *object == NULL ? 0 : v->visit(*object, v->argument);
}

static int state_traverse(PyObject *module, visitproc visit, void *argument) {
  Visit v = {visit, argument};
  State *state = state_of(module);
  return state == NULL ? 0 : each(state, visit_one, &v);
}

static int clear_one(PyObject **object, void *Py_UNUSED(argument)) {
  Py_CLEAR(*object);
  return 0;
}

static int state_clear(PyObject *module) {
  State *state = state_of(module);
  return state == NULL ? 0 : each(state, clear_one, NULL);
}

/* ---- What licet._types defines */

static int take_members(PyObject *types, const char *name, Members *members) {
  PyObject *enumeration = PyObject_GetAttrString(types, name);
  PyObject *list = enumeration == NULL ? NULL : PySequence_List(enumeration);
  Py_XDECREF(enumeration);
  if (list == NULL) return -1;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
    PyObject *member = PyList_GET_ITEM(list, i);
    long value = PyLong_AsLong(member);
    if (value < members->count || value >= MEMBERS) {
      Py_DECREF(list);
      PyErr_Format(PyExc_SystemError, "licet._types.%s: its values don't go up, or beyond %d", name, MEMBERS);
      return -1;
    }
    members->member[value] = Py_NewRef(member);
    members->count = (int)value + 1;
  }
  Py_DECREF(list);
  return 0;
}

static int take_record(PyObject *types, const char *name, Record *record) {
  record->type = (PyTypeObject *)PyObject_GetAttrString(types, name);
  if (record->type == NULL) return -1;
  record->slots = PyObject_GetAttrString((PyObject *)record->type, "__slots__");
  if (record->slots != NULL && PyTuple_Check(record->slots) && PyType_Check(record->type)) return 0;
  PyErr_Format(PyExc_SystemError, "licet._types.%s has no tuple of slots", name);
  return -1;
}

static int take_types(State *s, PyObject *types) {
  s->make_error = PyObject_GetAttrString(types, "make_error");
  return s->make_error == NULL || take_members(types, "Effect", &s->effects) || take_members(types, "Source", &s->sources) ||
         take_members(types, "Mode", &s->modes) || take_members(types, "DecidedBy", &s->deciders) ||
         take_members(types, "Oversight", &s->oversights) || take_members(types, "HoldKind", &s->holds) ||
         take_members(types, "Form", &s->forms) || take_members(types, "StepKind", &s->steps) ||
         take_members(types, "Truth", &s->truths) || take_members(types, "Tier", &s->tiers) ||
         take_members(types, "Way", &s->ways) || take_members(types, "ChangeKind", &s->changes) ||
         take_record(types, "Statement", &s->statement) || take_record(types, "Decision", &s->decision) ||
         take_record(types, "Dial", &s->dial) || take_record(types, "Period", &s->period) ||
         take_record(types, "Hold", &s->hold) || take_record(types, "Step", &s->step) ||
         take_record(types, "Change", &s->change) || take_record(types, "Explanation", &s->explanation);
}

/* By attribute, not by datetime's C API: that is one for all interpreters, and this is slow only for times. */
static int take_times(State *s, PyObject *datetime) {
  s->datetime = (PyTypeObject *)PyObject_GetAttrString(datetime, "datetime");
  s->timedelta = (PyTypeObject *)PyObject_GetAttrString(datetime, "timedelta");
  PyObject *zone = PyObject_GetAttrString(datetime, "timezone");
  PyObject *utc = zone == NULL ? NULL : PyObject_GetAttrString(zone, "utc");
  if (utc != NULL && s->datetime != NULL)
    s->epoch = PyObject_CallFunction((PyObject *)s->datetime, "iiiiiiiO", 1970, 1, 1, 0, 0, 0, 0, utc);
  Py_XDECREF(zone);
  Py_XDECREF(utc);
  return s->epoch == NULL || s->timedelta == NULL;
}

/* A type, in the module and in the state. */
static int add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **place) {
  *place = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
  return *place == NULL || PyModule_AddType(module, *place) != 0;
}

static int execute(PyObject *module) {
  State *s = state_of(module);
  PyObject *types = PyImport_ImportModule("licet._types");
  int failed = types == NULL || take_types(s, types);
  Py_XDECREF(types);
  if (failed) return -1;
  PyObject *datetime = PyImport_ImportModule("datetime");
  failed = datetime == NULL || take_times(s, datetime);
  Py_XDECREF(datetime);
  if (failed || add_type(module, &authority_spec, &s->authority) || add_type(module, &request_spec, &s->request) ||
      add_type(module, &session_spec, &s->session) ||
      add_type(module, &behavior_spec, &s->behavior) || add_type(module, &attribute_spec, &s->attribute))
    return -1;
  return PyModule_AddStringConstant(module, "library_version", licet_version());
}

/* For the benchmark: what a call of a C function costs by itself. */
static PyObject *nothing(PyObject *Py_UNUSED(module), PyObject *const *Py_UNUSED(arguments), Py_ssize_t Py_UNUSED(count)) {
  Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"open", authority_open, METH_VARARGS, NULL},
    {"nothing", (PyCFunction)(void (*)(void))nothing, METH_FASTCALL, "Does nothing, for comparison."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    /* What is shared is atomic, so it should do without; until it is tested on a build that has none, it asks for it. */
    {Py_mod_gil, Py_MOD_GIL_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "licet._licet", "liblicet's functions; `licet` is what to import.", sizeof(State),
    functions, slots, state_traverse, state_clear, state_free,
};

PyMODINIT_FUNC PyInit__licet(void) { return PyModuleDef_Init(&definition); }
