#include "engine.h"

#include "content_type.h"
#include "runtime.h"
#include "shoal/service.h"
#include "shoal/text_writer.h"
#include "shoal/utf8.h"
#include "values.h"
#include "wasi.h"

extern "C" const char engine_snapshot[];

namespace shoal::engine {
namespace {

// How long a script of a service that keeps its state has to end by itself once its request is cancelled.
constexpr uint32_t kGraceMs = 20;

constexpr size_t kLogTextMax = 4096;  // of one console.log()

constexpr std::string_view kOutOfMemory = "InternalError: out of memory";
constexpr std::string_view kTooMuchMemory = "the operation takes more memory than this service has";

constinit bool takes_bytes = false;
constinit bool keeps_state = false;
constinit bool is_used = false;    // since the snapshot
constinit bool is_broken = false;  // what was thrown away may have left anything half done

/// As load() has found it in the script.
struct Operation {
  std::string_view name;
  Value text;  // the name
  Value function;
  Value context;  // of a request without a content type, where each finds it as it was; else 0
};
constinit Operation operations[kOperationsMax] = {};
constinit size_t operation_count = 0;
constinit Value owner = kSnapshotUndefined;  // of the functions
constinit const Operation* running = nullptr;

// What the last outcome points into, for a service that keeps its state: freed by the next call.
struct Held {
  Value value;
  uint32_t text;
};
constinit Held held = {};

// Promises that were rejected while nobody had asked for their outcome. The log is told of those of which that holds once all jobs are done.
struct Rejected {
  Value promise;
  Value reason;
};
constexpr size_t kRejectedMax = 8;
constinit Rejected rejected[kRejectedMax] = {};
constinit size_t rejected_count = 0;

void free_rejected(const Rejected& one) {
  free_value(one.promise);
  free_value(one.reason);
}

void note_rejection(Value promise, Value reason, bool is_handled) {
  if (!is_handled && rejected_count < kRejectedMax) {
    rejected[rejected_count++] = {promise, reason};
    return;
  }
  for (size_t i = 0; is_handled && i < rejected_count; i++) {
    if (!is_same(rejected[i].promise, promise)) continue;
    free_rejected(rejected[i]);
    rejected[i] = rejected[--rejected_count];
    break;
  }
  free_rejected({promise, reason});
}

void tell_rejections() {
  // What is told may reject others: a script's values have getters.
  Rejected told[kRejectedMax];
  __builtin_memcpy(told, rejected, sizeof told);
  const size_t count = rejected_count;
  rejected_count = 0;
  for (size_t i = 0; i < count; i++) {
    free_value(call_step(kSnapshotRejected, running != nullptr ? running->text : kSnapshotUndefined, told[i].reason));
    free_rejected(told[i]);
  }
}

// --- Loading.

struct Loading {
  const ServiceFile& file;
  const char* why;
};

bool starts_with(Value value, std::string_view text) {
  const Text shown = text_of(value);
  const bool starts = shown.text.starts_with(text);
  free_text(shown);
  return starts;
}

const char* explain_lack() {
  log_line("service: there is too little memory to evaluate it");
  return "out-of-memory";
}

/// An exception out of the script, or out of its promises.
const char* explain_exception(Value exception) {
  if (shoal_wasm_lacked_memory() || starts_with(exception, kOutOfMemory)) return explain_lack();
  const bool is_syntax = starts_with(exception, "SyntaxError");
  const Value described = call_step(kSnapshotDescribe, exception);
  TextWriter<1200> line;
  log_line(line.add("service: ").add(text_of(described).text).text());
  return is_syntax ? "syntax-error" : "threw";
}

/// What stands for an operation in each request. False: there was no memory for it.
bool take_operations(const ServiceFile& file) {
  owner = call_step(kSnapshotOwner);
  if (is_exception(owner)) return false;
  for (std::string_view names = file.operations; !names.empty();) {
    Operation& operation = operations[operation_count++];
    operation.name = take_operation(names);
    operation.text = new_string(operation.name);
    if (is_exception(operation.text)) return false;
    operation.function = call_step(kSnapshotOperation, operation.text);
    if (is_exception(operation.function)) return false;
    if (file.keeps_state) continue;
    operation.context = call_step(kSnapshotContextOf, operation.text, kSnapshotUndefined);
    if (is_exception(operation.context)) return false;
  }
  return true;
}

/// Finds the operations in what the script exports. Null, or why they cannot be used.
const char* take_exports(const ServiceFile& file) {
  const Owned names(new_string(file.operations));
  const Owned payload(new_string(file.payload));
  if (is_exception(names.get()) || is_exception(payload.get())) return explain_lack();
  const Owned checked(call_step(kSnapshotLoad, names.get(), payload.get()));
  tell_rejections();
  const Text why = text_of(checked.get());
  if (why.address == 0) return explain_lack();
  const bool has_operations = why.text != "no-operations";
  const bool is_whole = why.text.empty();
  free_text(why);
  if (!has_operations) {
    log_line("service: shoalService.default is no object of operations");
    return "no-operations";
  }
  if (!is_whole) {
    log_line("service: an operation that the file names is no function");
    return "no-such-operation";
  }
  return take_operations(file) ? nullptr : explain_lack();
}

void load_body(void* argument) {
  auto& loading = *static_cast<Loading*>(argument);
  const ServiceFile& file = loading.file;
  const Value value = evaluate(file.source);
  const Value exception = is_exception(value) ? take_exception_of(value) : run_jobs();
  if (exception != 0) {
    loading.why = explain_exception(exception);
    return;
  }
  free_value(value);
  tell_rejections();
  loading.why = take_exports(file);
  Z_engineZ_qjs_run_gc(&instance);
}

void instantiate(void*) {
  Z_engine_init_module();
  Z_engine_instantiate(&instance, nullptr, nullptr);
  const uint32_t more = kSnapshotPages - instance.w2c_memory.pages;
  if (wasm_rt_grow_memory(&instance.w2c_memory, more) == UINT32_MAX) shoal_wasm_leave(SHOAL_WASM_NO_MEMORY);
  __builtin_memcpy(shoal_wasm_at(kSnapshotStackEnd, kSnapshotSize), engine_snapshot, kSnapshotSize);
  instance.w2c___stack_pointer = kSnapshotStackEnd;
}

// --- Requests.

struct Calling {
  std::string_view operation;
  std::string_view input;
  std::string_view content_type;
  Outcome outcome;
};

/// One of those that load() has found: the server knows no others.
const Operation& operation_named(std::string_view name) {
  const Operation* operation = operations;
  while (operation->name != name) operation++;
  return *operation;
}

/// A whole number below 2^53.
Value random_number() { return Z_engineZ_qjs_new_number(&instance, static_cast<double>(static_cast<uint64_t>(wasm::random_fraction() * 0x1p53))); }

void free_held() {
  if (held.text != 0) Z_engineZ_qjs_free_cstring(&instance, held.text);
  if (held.value != 0) free_value(held.value);
  held = {};
}

/// The engine gives up by itself for two reasons, which no script can catch: it was told to, and it has no memory.
bool has_given_up() { return shoal_cancelled() || shoal_wasm_lacked_memory(); }

Outcome outcome_of(Value exception) {
  free_held();
  const Text shown = text_of(exception);
  held = {exception, shown.address};
  // Reactions that are left would run with the next request.
  is_broken = !shoal_cancelled() || shoal_wasm_lacked_memory() || Z_engineZ_qjs_is_job_pending(&instance) != 0;
  if (shoal_cancelled()) return {Outcome::Kind::cancelled, 0, {}, {}};
  if (shoal_wasm_lacked_memory() || shown.text.starts_with(kOutOfMemory)) return {Outcome::Kind::error, 413, kTooMuchMemory, {}};
  return {Outcome::Kind::error, 400, utf8_prefix(shown.text, 160), {}};
}

/// The content type that the operation named for its reply. False: an exception came.
bool read_content_type(Value known, Outcome& outcome) {
  static constinit char type[kContentTypeMax] = {};
  const Owned value(call_step(kSnapshotContentType, known));
  const Text text = text_of(value.get());
  if (text.address == 0) return false;
  const size_t size = text.text.size() < sizeof type ? text.text.size() : sizeof type;
  __builtin_memcpy(type, text.text.data(), size);
  free_text(text);
  outcome.content_type = {type, size};
  return true;
}

/// The outcome that is this text. False: an exception came, as of too little memory.
bool read_text(Value value, Outcome& outcome) {
  held = {value, 0};
  const Text text = text_of(value);
  if (text.address == 0) return false;
  held.text = text.address;
  outcome = {Outcome::Kind::text, 0, text.text, {}};
  return true;
}

/// What came of a request whose jobs are done, as the prelude has it. False: an exception came, and this is no outcome.
bool read_outcome(Value known, Outcome& outcome) {
  const Owned finished(call_step(kSnapshotFinish, known));
  if (is_exception(finished.get())) return false;
  Owned result(call_step(kSnapshotResult, known));
  if (is_exception(result.get())) return false;
  const auto code = static_cast<unsigned>(number_of(finished.get()));
  if (code == 1) {
    held = {result.release(), 0};
    outcome = {Outcome::Kind::bytes, 0, {}, {}};
    return read_content_type(known, outcome) && find_bytes(held.value, outcome.text);
  }
  if (!read_text(result.release(), outcome)) return false;
  if (code != 0) outcome.kind = Outcome::Kind::error;
  outcome.code = code;
  if (takes_bytes && code == 0 && !read_content_type(known, outcome)) return false;
  // Where there is no memory for an exception either, the engine throws null, and that can be caught.
  if (code == 400 && outcome.text == "null" && shoal_wasm_lacked_memory()) {
    is_broken = true;
    outcome = {Outcome::Kind::error, 413, kTooMuchMemory, {}};
  }
  return true;
}

/// What the function returns: a value or an exception.
Value run_operation(const Operation& operation, std::string_view input, std::string_view content_type) {
  Owned value(takes_bytes ? new_bytes(input) : new_string(input));
  if (is_exception(value.get())) return value.release();
  if (content_type.empty() && operation.context != 0) return call_function(operation.function, owner, value.get(), operation.context);
  Owned type(content_type.empty() ? kSnapshotUndefined : new_string(content_type));
  if (is_exception(type.get())) return type.release();
  Owned context(call_step(kSnapshotContextOf, operation.text, type.get()));
  if (is_exception(context.get())) return context.release();
  return call_function(operation.function, owner, value.get(), context.get());
}

/// Puts an exception into the prelude's outcome, which is undefined before the first. False: another exception came.
bool note_failure(Owned& outcome, const Operation& operation, Value exception) {
  outcome.reset(call_step(kSnapshotFailed, outcome.get(), operation.text, exception));
  free_value(exception);
  return !is_exception(outcome.get());
}

/// Makes the prelude's outcome of what the operation has returned, other than a text. False: an exception came.
bool follow(Owned& outcome, const Operation& operation, Value returned) {
  outcome.reset(call_step(kSnapshotFollow, operation.text, returned));
  free_value(returned);
  return !is_exception(outcome.get());
}

/// Runs an operation and all of its jobs. 0, or the exception that has ended that.
Value answer(const Operation& operation, const Calling& calling, Outcome& outcome) {
  Owned returned(run_operation(operation, calling.input, calling.content_type));
  Value exception = is_exception(returned.get()) ? take_exception() : 0;
  const bool is_text = exception == 0 && is_string(returned.get());
  Owned known(kSnapshotUndefined);  // the prelude's outcome, if it takes more than this text
  if (exception == 0 && !is_text && !follow(known, operation, returned.release())) return take_exception();
  if (exception == 0) exception = run_jobs();
  while (exception != 0) {
    if (has_given_up()) return exception;
    if (!note_failure(known, operation, exception)) return take_exception();
    exception = run_jobs();
  }
  tell_rejections();
  const bool is_read = is_text && known.get() == kSnapshotUndefined ? read_text(returned.release(), outcome) : read_outcome(known.get(), outcome);
  return is_read ? 0 : take_exception();
}

void call_body(void* argument) {
  auto& calling = *static_cast<Calling*>(argument);
  free_held();
  while (rejected_count > 0) free_rejected(rejected[--rejected_count]);
  running = &operation_named(calling.operation);
  const Value exception = answer(*running, calling, calling.outcome);
  if (exception != 0) calling.outcome = outcome_of(exception);
}

Outcome outcome_of_trap(int why) {
  is_broken = true;
  switch (why) {
    case SHOAL_WASM_CANCELLED: return {Outcome::Kind::cancelled, 0, {}, {}};
    case SHOAL_WASM_NO_MEMORY: return {Outcome::Kind::error, 413, kTooMuchMemory, {}};
    case WASM_RT_TRAP_EXHAUSTION: return {Outcome::Kind::error, 400, "Maximum call stack size exceeded", {}};
    default: break;
  }
  if (shoal_wasm_lacked_memory()) return {Outcome::Kind::error, 413, kTooMuchMemory, {}};
  TextWriter<128> line;
  log_line(line.add("the engine trapped: ").add(shoal_wasm_name(why)).text());
  return {Outcome::Kind::error, 500, "the engine failed", {}};
}

}  // namespace

void log_line(std::string_view line) {
  wasm::print(line);
  wasm::print("\n");
}

bool open(char* memory, size_t bytes) {
  shoal_wasm_open(memory, bytes, &instance, sizeof instance);
  return shoal_wasm_try(instantiate, nullptr) == SHOAL_WASM_RETURNED;
}

const char* load(const ServiceFile& file) {
  Loading loading = {file, nullptr};
  const int why = shoal_wasm_try(load_body, &loading);
  if (why == SHOAL_WASM_NO_MEMORY || (why != SHOAL_WASM_RETURNED && shoal_wasm_lacked_memory())) return "out-of-memory";
  if (why != SHOAL_WASM_RETURNED) {
    TextWriter<128> line;
    log_line(line.add("service: the engine trapped: ").add(shoal_wasm_name(why)).text());
    return "trap-at-start";
  }
  if (loading.why != nullptr) return loading.why;
  takes_bytes = file.payload == "bytes";
  keeps_state = file.keeps_state;
  shoal_wasm_ignore_below(kSnapshotStackEnd);
  shoal_wasm_keeps_tables();  // build.sh looks whether that is so
  shoal_wasm_note_writes(keeps_state ? SHOAL_WASM_NOTES_NOTHING : SHOAL_WASM_NOTES_BY_FAULTS);
  if (keeps_state) shoal_wasm_grace(kGraceMs);
  return shoal_wasm_snapshot() ? nullptr : "out-of-memory";
}

Outcome call(std::string_view operation, std::string_view text, std::string_view content_type) {
  if (!keeps_state || is_broken) renew();
  is_used = true;
  Calling calling = {operation, text, content_type, {Outcome::Kind::cancelled, 0, {}, {}}};
  shoal_wasm_forget_lack();
  shoal_wasm_yields(true);
  const int why = shoal_wasm_try(call_body, &calling);
  shoal_wasm_yields(false);
  return why == SHOAL_WASM_RETURNED ? calling.outcome : outcome_of_trap(why);
}

void renew() {
  if (!is_used) return;
  if (keeps_state && !is_broken) return;
  if (keeps_state) log_line("the engine starts anew: the service's state is what it was at its start");
  shoal_wasm_restore();
  held = {};
  rejected_count = 0;
  is_used = false;
  is_broken = false;
}

}  // namespace shoal::engine

// What the engine imports beside WASI (wasm/wasi.cpp).
extern "C" {

/// The one host function: ('log', text), or ('seed') for a number.
uint32_t Z_envZ_host_call(Z_env_instance_t*, uint32_t, uint32_t, uint32_t, uint32_t count, uint32_t values) {
  using namespace shoal::engine;
  if (count == 1) return random_number();
  if (count >= 2) {
    const Text text = text_of(listed_value(values, 1));
    const std::string_view lines = shoal::utf8_prefix(text.text, kLogTextMax);
    shoal_wasm_spend(lines.size());
    log_line(lines);
    free_text(text);
  }
  return Z_engineZ_qjs_get_undefined(&instance);
}

uint32_t Z_envZ_host_interrupt(Z_env_instance_t*) { return shoal_cancelled() ? 1 : 0; }
uint32_t Z_envZ_host_get_timezone_offset(Z_env_instance_t*, uint32_t, uint32_t) { return 0; }
void Z_envZ_host_promise_rejection(Z_env_instance_t*, uint32_t promise, uint32_t reason, uint32_t is_handled) {
  shoal::engine::note_rejection(promise, reason, is_handled != 0);
}
uint32_t Z_envZ_host_module_load(Z_env_instance_t*, uint32_t, uint32_t) { return 0; }
uint32_t Z_envZ_host_module_normalize(Z_env_instance_t*, uint32_t, uint32_t) { return 0; }

}  // extern "C"
