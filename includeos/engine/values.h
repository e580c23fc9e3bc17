// The engine's values, and how functions of the engine are called with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "module.h"
#include "snapshot.inc"

namespace shoal::engine {

/// The engine itself.
extern Z_engine_instance_t instance;

/// A value of the engine: the address of a box in its memory. It belongs to whoever has it.
using Value = uint32_t;

/// Leaves the `undefined` of the snapshot alone.
void free_value(Value value);

/// A value that is freed at the end of its scope, whatever way that is left.
class Owned {
 public:
  explicit Owned(Value value) : value_(value) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { free_value(value_); }

  Value get() const { return value_; }

  /// Has another one from now on.
  void reset(Value value) {
    free_value(value_);
    value_ = value;
  }

  /// It is the caller's now.
  Value release() {
    const Value value = value_;
    value_ = kSnapshotUndefined;
    return value;
  }

 private:
  Value value_;
};

/// Or an exception, for want of memory.
Value new_string(std::string_view text);
Value new_bytes(std::string_view bytes);

bool is_string(Value value);
bool is_exception(Value value);
double number_of(Value value);

/// The text of a string, well-formed; at 0 if there was no memory for it, or if the value throws instead of becoming one. Its memory is not
/// given back: the caller does that, or has the whole state put back.
struct Text {
  uint32_t address;
  std::string_view text;
};
Text text_of(Value value);
void free_text(const Text& text);

/// Where the bytes of a Uint8Array lie. False: an exception came.
bool find_bytes(Value array, std::string_view& bytes);

/// Whether both are the same object.
bool is_same(Value left, Value right);

/// One of those that the engine's code has listed for a host function.
Value listed_value(uint32_t list, uint32_t index);

/// The arguments are the caller's. What the function returns, or an exception.
Value call_listed(Value function, Value self, std::initializer_list<Value> values);

template <typename... Values>
Value call_function(Value function, Value self, Values... values) {
  return call_listed(function, self, {values...});
}

/// Calls a function of the prelude.
template <typename... Values>
Value call_step(Value step, Values... values) {
  return call_listed(step, kSnapshotUndefined, {values...});
}

/// The exception that has come.
Value take_exception();

/// Of a call whose result says that there is one.
Value take_exception_of(Value result);

/// Evaluates a script: its value, or an exception.
Value evaluate(std::string_view source);

/// Runs what waits, such as the reactions to promises, until an exception comes out of it: that, or 0 if nothing is left.
Value run_jobs();

}  // namespace shoal::engine
