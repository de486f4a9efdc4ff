/* Python's values as liblicet's. Everything that can be wrong with one is found before a request hears of it. */
#include "binding.h"

struct Block {
  Block *next;
  size_t used, size;
  _Alignas(16) char bytes[];
};

/* Memory that lives as long as the block; NULL: none. */
static void *take(Block **blocks, size_t size) {
  Block *block = *blocks;
  size = (size + 15) & ~(size_t)15;
  if (block == NULL || block->size - block->used < size) {
    size_t wanted = size > 1008 ? size : 1008;
    block = PyMem_RawMalloc(sizeof(Block) + wanted);
    if (block == NULL) return NULL;
    block->next = *blocks;
    block->used = 0;
    block->size = wanted;
    *blocks = block;
  }
  block->used += size;
  return block->bytes + block->used - size;
}

void let_go(Held *held) {
  Block *block = held->blocks;
  PyObject *object = held->object;
  held->blocks = NULL;
  held->object = NULL;
  while (block != NULL) {
    Block *next = block->next;
    PyMem_RawFree(block);
    block = next;
  }
  Py_XDECREF(object);
}

const char *utf8_of(PyObject *text, size_t *length) {
  Py_ssize_t count = 0;
  const char *bytes = PyUnicode_AsUTF8AndSize(text, &count);
  *length = (size_t)count;
  return bytes;
}

/* What a conversion hands down. */
typedef struct {
  State *state;
  Held *held;
  Why *why;
} Conversion;

#define BECAUSE(why, ...) PyOS_snprintf((why)->text, sizeof (why)->text, __VA_ARGS__)

static int no_memory(Why *why) {
  BECAUSE(why, "no memory");
  return LICET_E_NO_MEMORY;
}

/* A text or bytes: held itself where it stands alone and can't refer to anything, else copied. */
static int borrow(Conversion *c, PyObject *object, const void **bytes, size_t length, int is_alone) {
  if (length > LICET_MAXIMUM_TEXT) {
    BECAUSE(c->why, "a text of %zu bytes: at most %d", length, LICET_MAXIMUM_TEXT);
    return LICET_E_TOO_MANY;
  }
  if (is_alone && (PyUnicode_CheckExact(object) || PyBytes_CheckExact(object))) {
    c->held->object = Py_NewRef(object);
    return 0;
  }
  void *copy = take(&c->held->blocks, length == 0 ? 1 : length);
  if (copy == NULL) return no_memory(c->why);
  memcpy(copy, *bytes, length);
  *bytes = copy;
  return 0;
}

static int convert_text(Conversion *c, PyObject *object, licet_value *value, int is_alone) {
  size_t length;
  const void *bytes = utf8_of(object, &length);
  if (bytes == NULL) {
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return 1;
    PyErr_Clear();
    BECAUSE(c->why, "a str with surrogates, which is no UTF-8");
    return LICET_E_BAD_REQUEST;
  }
  int code = borrow(c, object, &bytes, length, is_alone);
  if (code == 0) *value = licet_string(bytes, length);
  return code;
}

static int convert_bytes(Conversion *c, PyObject *object, licet_value *value, int is_alone) {
  const void *bytes = PyBytes_AS_STRING(object);
  size_t length = (size_t)PyBytes_GET_SIZE(object);
  int code = borrow(c, object, &bytes, length, is_alone);
  if (code == 0) *value = licet_bytes(bytes, length);
  return code;
}

static int convert_int(Conversion *c, PyObject *object, licet_value *value) {
  int overflow;
  long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (overflow == 0) {
    if (number == -1 && PyErr_Occurred()) return 1;
    *value = licet_int(number);
    return 0;
  }
  if (overflow > 0) {
    unsigned long long larger = PyLong_AsUnsignedLongLong(object);
    if (!(larger == (unsigned long long)-1 && PyErr_Occurred())) {
      *value = licet_uint(larger);
      return 0;
    }
    if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return 1;
    PyErr_Clear();
  }
  BECAUSE(c->why, "an int beyond 64 bits: -2**63 to 2**64 - 1");
  return LICET_E_BAD_REQUEST;
}

/* An attribute of a timedelta; -1 with an exception. */
static int part(PyObject *delta, const char *name, long long *number) {
  PyObject *object = PyObject_GetAttrString(delta, name);
  if (object == NULL) return -1;
  *number = PyLong_AsLongLong(object);
  Py_DECREF(object);
  return *number == -1 && PyErr_Occurred() ? -1 : 0;
}

/* Seconds, rounded down, and what is left over them in nanoseconds. 0, or -1 with an exception. */
static int parts(PyObject *delta, int64_t *seconds, int32_t *nanoseconds) {
  long long days, rest, micro;
  if (part(delta, "days", &days) || part(delta, "seconds", &rest) || part(delta, "microseconds", &micro)) return -1;
  *seconds = days * 86400 + rest;
  *nanoseconds = (int32_t)(micro * 1000);
  return 0;
}

int convert_time(State *state, PyObject *object, int64_t *seconds, int32_t *nanoseconds, Why *why) {
  if (!PyObject_TypeCheck(object, state->datetime)) {
    BECAUSE(why, "a `%.80s`: an aware datetime is wanted", Py_TYPE(object)->tp_name);
    return LICET_E_BAD_REQUEST;
  }
  PyObject *zone = PyObject_CallMethod(object, "utcoffset", NULL);
  if (zone == NULL) return 1;
  int is_naive = zone == Py_None;
  Py_DECREF(zone);
  if (is_naive) {
    BECAUSE(why, "a datetime without a time zone could mean any: give it one, such as datetime.now(timezone.utc)");
    return LICET_E_BAD_REQUEST;
  }
  PyObject *since = PyNumber_Subtract(object, state->epoch);
  if (since == NULL) return 1;
  int failed = parts(since, seconds, nanoseconds);
  Py_DECREF(since);
  return failed ? 1 : 0;
}

static int convert_duration(PyObject *object, licet_value *value) {
  int64_t seconds;
  int32_t nanoseconds;
  if (parts(object, &seconds, &nanoseconds)) return 1;
  /* liblicet's nanoseconds have the sign of the whole. */
  if (seconds < 0 && nanoseconds > 0) seconds += 1, nanoseconds -= 1000000000;
  *value = licet_duration(seconds, nanoseconds);
  return 0;
}

static int convert_within(Conversion *c, PyObject *object, licet_value *value, int depth);

static int too_deep(Conversion *c) {
  BECAUSE(c->why, "lists and dicts more than %d deep", LICET_MAXIMUM_DEPTH);
  return LICET_E_TOO_MANY;
}

/* Works on a tuple of one's own: converting may run a tzinfo's code, which may change the list. */
static int convert_list(Conversion *c, PyObject *object, licet_value *value, int depth) {
  if (depth >= LICET_MAXIMUM_DEPTH) return too_deep(c);
  PyObject *items = PySequence_Tuple(object);
  if (items == NULL) return 1;
  size_t count = (size_t)PyTuple_GET_SIZE(items);
  licet_value *elements = take(&c->held->blocks, (count == 0 ? 1 : count) * sizeof *elements);
  int code = elements == NULL ? no_memory(c->why) : 0;
  for (size_t i = 0; i < count && code == 0; i++)
    code = convert_within(c, PyTuple_GET_ITEM(items, i), &elements[i], depth + 1);
  Py_DECREF(items);
  if (code == 0) *value = licet_list(elements, count);
  return code;
}

static int convert_map(Conversion *c, PyObject *object, licet_value *value, int depth) {
  if (depth >= LICET_MAXIMUM_DEPTH) return too_deep(c);
  PyObject *items = PyDict_Items(object);
  if (items == NULL) return 1;
  size_t count = (size_t)PyList_GET_SIZE(items);
  licet_value *pairs = take(&c->held->blocks, (count == 0 ? 1 : count) * 2 * sizeof *pairs);
  int code = pairs == NULL ? no_memory(c->why) : 0;
  for (size_t i = 0; i < count && code == 0; i++) {
    PyObject *pair = PyList_GET_ITEM(items, i);
    PyObject *key = PyTuple_GET_ITEM(pair, 0);
    if (!PyUnicode_Check(key) && !PyLong_Check(key)) {
      BECAUSE(c->why, "a dict's key of type `%.80s`: str, int or bool are wanted", Py_TYPE(key)->tp_name);
      code = LICET_E_BAD_REQUEST;
      break;
    }
    code = convert_within(c, key, &pairs[2 * i], depth + 1);
    if (code == 0) code = convert_within(c, PyTuple_GET_ITEM(pair, 1), &pairs[2 * i + 1], depth + 1);
  }
  Py_DECREF(items);
  if (code == 0) *value = licet_map(pairs, count);
  return code;
}

static int convert_within(Conversion *c, PyObject *object, licet_value *value, int depth) {
  if (PyUnicode_Check(object)) return convert_text(c, object, value, depth == 0);
  if (PyBool_Check(object)) return *value = licet_bool(object == Py_True), 0;
  if (PyLong_Check(object)) return convert_int(c, object, value);
  if (PyFloat_Check(object)) return *value = licet_double(PyFloat_AS_DOUBLE(object)), 0;
  if (object == Py_None) return *value = licet_null(), 0;
  if (PyBytes_Check(object)) return convert_bytes(c, object, value, depth == 0);
  if (PyList_Check(object) || PyTuple_Check(object)) return convert_list(c, object, value, depth);
  if (PyDict_Check(object)) return convert_map(c, object, value, depth);
  if (PyObject_TypeCheck(object, c->state->timedelta)) return convert_duration(object, value);
  if (PyObject_TypeCheck(object, c->state->datetime)) {
    int64_t seconds;
    int32_t nanoseconds;
    int code = convert_time(c->state, object, &seconds, &nanoseconds, c->why);
    if (code == 0) *value = licet_timestamp(seconds, nanoseconds);
    return code;
  }
  BECAUSE(
      c->why, "a `%.80s`: None, bool, int, float, str, bytes, list, tuple, dict, aware datetime or timedelta are wanted",
      Py_TYPE(object)->tp_name);
  return LICET_E_BAD_REQUEST;
}

int convert(State *state, PyObject *object, licet_value *value, Held *held, Why *why) {
  Conversion conversion = {state, held, why};
  int code = convert_within(&conversion, object, value, 0);
  if (code != 0) let_go(held);
  return code;
}
