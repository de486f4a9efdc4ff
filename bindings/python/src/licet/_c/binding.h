/* The extension licet._licet: liblicet's functions as Python objects. This file: what its parts share.
 *
 * Rules that every file keeps
 * - The GIL is given back around every call of liblicet that decides, opens, interns or waits.
 * - A request belongs to one call at a time (`request_enter`): a second one, of whatever thread, is an error, no wait.
 *   No Python code runs while a call has it, but for what the garbage collector may run: that is refused likewise.
 * - liblicet borrows what a request is given: a request holds it (`Held`) until it is set again or reset.
 * - An error is raised, always; where a part of a request could not be set, the request is spoilt for liblicet too, so
 *   that no check decides without it.
 */
#ifndef LICET_BINDING_H
#define LICET_BINDING_H 1

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <licet.h>
#include <stdatomic.h>

/* Members of an enumeration of licet._types, by value from 0. */
#define MEMBERS 16
typedef struct {
  PyObject *member[MEMBERS];
  int count;
} Members;

/* A frozen dataclass of licet._types and the names of its slots. */
typedef struct {
  PyTypeObject *type;
  PyObject *slots;
} Record;

/* What one interpreter's module holds. Objects point to it: their types keep the module. */
typedef struct {
  PyTypeObject *authority, *request, *session, *behavior, *attribute;
  Members effects, sources, modes, deciders, oversights, forms, steps, truths, tiers, ways, changes, holds;
  Record statement, decision, dial, period, hold, step, change, explanation;
  PyObject *make_error; /* licet._types.make_error(code, message, system) */
  PyTypeObject *datetime, *timedelta;
  PyObject *epoch;
} State;

typedef struct {
  PyObject_HEAD
  State *state;
  _Atomic(licet *) handle;
  atomic_uint users; /* twice the calls under way; odd: closed */
} Authority;

/* A behaviour's or attribute's number and name. */
typedef struct {
  PyObject_HEAD
  Authority *authority;
  PyObject *name;
  uint32_t number;
} Handle;

typedef struct {
  PyObject_HEAD
  State *state;
  Authority *authority;
  licet_session *session; /* valid as long as this is */
} Session;

/* Memory that a list or map is copied into. */
typedef struct Block Block;

/* What a value that was set points to. */
typedef struct {
  PyObject *object; /* a str or bytes itself */
  Block *blocks;
} Held;

typedef struct {
  PyObject_HEAD
  State *state;
  Authority *authority;
  licet *licet;           /* valid as long as `request` is, closed authority or not */
  licet_request *request; /* NULL: closed */
  atomic_int is_used;
  Held *held; /* by attribute's number */
  size_t capacity;
  PyObject *resource, *argument, *session; /* NULL: none */
} Request;

/* values.c: converts a Python object. 0; a code, with why in `why`; or 1: a Python exception is set. */
typedef struct {
  char text[200];
} Why;
int convert(State *state, PyObject *object, licet_value *value, Held *held, Why *why);
int convert_time(State *state, PyObject *object, int64_t *seconds, int32_t *nanoseconds, Why *why);
void let_go(Held *held);
/* The UTF-8 of a str, valid as long as it is; NULL: an exception is set. */
const char *utf8_of(PyObject *text, size_t *length);

/* records.c: what comes back. */
PyObject *text_from(licet_text text);
PyObject *member_of(const Members *members, int value);
PyObject *decision_from(State *state, licet_request *request, const licet_decision *decision);
PyObject *explanation_from(State *state, const licet_explanation *explanation);

/* authority.c */
PyObject *raise_error(State *state, int code, const char *message, int system);
licet *authority_enter(Authority *authority); /* NULL: closed, raised */
void authority_leave(Authority *authority);
#define OURS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE)
extern PyType_Spec authority_spec, behavior_spec, attribute_spec, request_spec, session_spec;
PyObject *authority_open(PyObject *module, PyObject *arguments);

/* request.c: 0, or -1: in use or closed, raised. */
int request_enter(Request *self);
static inline void request_leave(Request *self) { atomic_store_explicit(&self->is_used, 0, memory_order_release); }
/* Leaves and raises: with `why`, or the request's own sentence. */
PyObject *request_leave_with(Request *self, int code, const char *why);
/* An effect's number, from 0; 0, or -1 with an exception. */
int effect_number(PyObject *object, const char *what, int32_t *number);
PyObject *request_make(Authority *authority, PyObject *arguments, PyObject *keywords);

/* session.c */
PyObject *session_open(Authority *authority, PyObject *arguments, PyObject *keywords);
PyObject *session_join(Authority *authority, PyObject *id);

/* ask.c */
PyObject *request_check(Request *self, PyObject *const *arguments, Py_ssize_t count);
PyObject *request_decide(Request *self, PyObject *const *arguments, Py_ssize_t count);
PyObject *request_explain(Request *self, PyObject *const *arguments, Py_ssize_t count);
PyObject *request_check_each(Request *self, PyObject *behaviors);

/* The module of the interpreter that these are called in. */
State *state_of(PyObject *module);

#endif
