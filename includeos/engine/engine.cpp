#include "engine.h"

#include "content_type.h"
#include "module.h"
#include "runtime.h"
#include "shoal/service.h"
#include "shoal/text_writer.h"
#include "shoal/utf8.h"
#include "snapshot.inc"
#include "wasi.h"

extern "C" const char engine_snapshot[];

namespace shoal::engine {
namespace {

// How long a script of a service that keeps its state has to end by itself once its request is cancelled.
constexpr uint32_t kGraceMs = 20;

constexpr size_t kLogTextMax = 4096;  // of one console.log()

constexpr std::string_view kOutOfMemory = "InternalError: out of memory";
constexpr std::string_view kTooMuchMemory = "the operation takes more memory than this service has";

// In the snapshot's scratch block: values for a call, and where the engine puts sizes, also while that call is made.
constexpr uint32_t kValuesMax = 8;
constexpr uint32_t kValuesAt = kSnapshotScratch;
constexpr uint32_t kSizesAt = kSnapshotScratch + 4 * kValuesMax;
static_assert(4 * kValuesMax + 16 <= kSnapshotScratchBytes);

/// A value of the engine: the address of a box in its memory.
using Value = uint32_t;

alignas(16) constinit Z_engine_instance_t instance = {};
constinit bool takes_bytes = false;
constinit bool keeps_state = false;
constinit bool is_used = false;    // since the snapshot
constinit bool is_broken = false;  // what was thrown away may have left anything half done

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

template <typename Number>
Number read(uint32_t address) {
  Number number;
  __builtin_memcpy(&number, shoal_wasm_at(address, sizeof number), sizeof number);
  return number;
}

void write(uint32_t address, uint32_t word) { __builtin_memcpy(shoal_wasm_at(address, sizeof word), &word, sizeof word); }

/// A block of the engine's memory with these bytes and a zero at the end.
class Block {
 public:
  explicit Block(std::string_view bytes) : size_(static_cast<uint32_t>(bytes.size())) {
    address_ = Z_engineZ_wasm_malloc(&instance, size_ + 1);
    if (address_ == 0) shoal_wasm_leave(SHOAL_WASM_NO_MEMORY);
    char* const room = static_cast<char*>(shoal_wasm_at(address_, size_ + 1));
    __builtin_memcpy(room, bytes.data(), size_);
    room[size_] = '\0';
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { Z_engineZ_wasm_free(&instance, address_); }

  uint32_t address() const { return address_; }
  uint32_t size() const { return size_; }

 private:
  uint32_t address_;
  uint32_t size_;
};

Value new_string(std::string_view text) {
  const Block block(text);
  return Z_engineZ_qjs_new_string(&instance, block.address(), block.size());
}

Value new_bytes(std::string_view bytes) {
  const Block block(bytes);
  return Z_engineZ_qjs_new_uint8_array(&instance, block.address(), block.size());
}

bool is_exception(Value value) { return Z_engineZ_qjs_is_exception(&instance, value) != 0; }

/// The text of a string; at 0 if there was no memory for it, or if the value throws instead of becoming one. Its memory is not given back:
/// the caller does that, or has the whole state put back.
struct Text {
  uint32_t address;
  std::string_view text;
};

Text text_of(Value value) {
  const uint32_t address = Z_engineZ_qjs_get_string_len(&instance, value, kSizesAt);
  if (address == 0) return {0, "a value that cannot be shown"};
  const auto size = read<uint32_t>(kSizesAt);
  return {address, {static_cast<const char*>(shoal_wasm_at(address, size)), size}};
}

void free_text(const Text& text) {
  if (text.address != 0) Z_engineZ_qjs_free_cstring(&instance, text.address);
}

/// Frees the arguments too, other than those of the snapshot.
template <size_t count>
Value shoal_call(const Value (&values)[count]) {
  static_assert(count <= kValuesMax);
  for (uint32_t i = 0; i < count; i++) write(kValuesAt + 4 * i, values[i]);
  const Value result = Z_engineZ_qjs_call(&instance, kSnapshotShoal, kSnapshotUndefined, count, kValuesAt);
  for (size_t i = 1; i < count; i++) {
    if (values[i] != kSnapshotUndefined) Z_engineZ_qjs_free_value(&instance, values[i]);
  }
  return result;
}

/// Runs what waits, such as the reactions to promises, until an exception comes out of it: that, or 0 if nothing is left.
Value run_jobs() {
  while (Z_engineZ_qjs_is_job_pending(&instance) != 0) {
    if (static_cast<int32_t>(Z_engineZ_qjs_execute_pending_job(&instance)) < 0) return Z_engineZ_qjs_get_exception(&instance);
  }
  return 0;
}

void free_rejected(const Rejected& one) {
  Z_engineZ_qjs_free_value(&instance, one.promise);
  Z_engineZ_qjs_free_value(&instance, one.reason);
}

void note_rejection(Value promise, Value reason, bool is_handled) {
  const uint32_t its_address = Z_engineZ_qjs_get_value_ptr(&instance, promise);
  if (!is_handled && rejected_count < kRejectedMax) {
    rejected[rejected_count++] = {promise, reason};
    return;
  }
  for (size_t i = 0; is_handled && i < rejected_count; i++) {
    if (Z_engineZ_qjs_get_value_ptr(&instance, rejected[i].promise) != its_address) continue;
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
    Z_engineZ_qjs_free_value(&instance, shoal_call<2>({kSnapshotRejected, told[i].reason}));
    Z_engineZ_qjs_free_value(&instance, told[i].promise);
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

/// An exception out of the script, or out of its promises.
const char* explain_exception(Value exception) {
  if (shoal_wasm_lacked_memory() || starts_with(exception, kOutOfMemory)) {
    log_line("service: there is too little memory to evaluate it");
    return "out-of-memory";
  }
  const bool is_syntax = starts_with(exception, "SyntaxError");
  const Value described = shoal_call<2>({kSnapshotDescribe, exception});
  TextWriter<1200> line;
  log_line(line.add("service: ").add(text_of(described).text).text());
  return is_syntax ? "syntax-error" : "threw";
}

void load_body(void* argument) {
  auto& loading = *static_cast<Loading*>(argument);
  Value value;
  {
    const Block source(loading.file.source);
    value = Z_engineZ_qjs_eval(&instance, source.address(), source.size(), kSnapshotServiceName, 0);
  }
  const Value exception = is_exception(value) ? Z_engineZ_qjs_get_exception(&instance) : run_jobs();
  if (exception != 0) {
    loading.why = explain_exception(exception);
    return;
  }
  Z_engineZ_qjs_free_value(&instance, value);
  tell_rejections();
  const Value checked = shoal_call<3>({kSnapshotLoad, new_string(loading.file.operations), new_string(loading.file.payload)});
  const Text why = text_of(checked);
  if (why.text == "no-operations") {
    log_line("service: shoalService.default is no object of operations");
    loading.why = "no-operations";
  } else if (!why.text.empty()) {
    log_line("service: an operation that the file names is no function");
    loading.why = "no-such-operation";
  }
  free_text(why);
  Z_engineZ_qjs_free_value(&instance, checked);
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

/// A whole number below 2^53.
Value random_number() { return Z_engineZ_qjs_new_number(&instance, static_cast<double>(static_cast<uint64_t>(wasm::random_fraction() * 0x1p53))); }

void free_held() {
  if (held.text != 0) Z_engineZ_qjs_free_cstring(&instance, held.text);
  if (held.value != 0) Z_engineZ_qjs_free_value(&instance, held.value);
  held = {};
}

/// The engine gives up by itself for two reasons, which no script can catch: it was told to, and it has no memory.
bool has_given_up() { return shoal_cancelled() || shoal_wasm_lacked_memory(); }

Outcome outcome_of(Value exception) {
  free_held();
  const Text shown = text_of(exception);
  held = {exception, shown.address};
  // Reactions that are left would run with the next request.
  is_broken = !shoal_cancelled() || Z_engineZ_qjs_is_job_pending(&instance) != 0;
  if (shoal_cancelled()) return {Outcome::Kind::cancelled, 0, {}, {}};
  if (shoal_wasm_lacked_memory() || shown.text.starts_with(kOutOfMemory)) return {Outcome::Kind::error, 413, kTooMuchMemory, {}};
  return {Outcome::Kind::error, 400, utf8_prefix(shown.text, 160), {}};
}

/// Where the bytes of a Uint8Array lie. False: an exception came.
bool find_bytes(Value array, std::string_view& bytes) {
  const Value buffer = Z_engineZ_qjs_get_typed_array_buffer(&instance, array, kSizesAt, kSizesAt + 4, kSizesAt + 8);
  if (is_exception(buffer)) return false;
  const auto offset = read<uint32_t>(kSizesAt);
  const auto size = read<uint32_t>(kSizesAt + 4);
  const uint32_t address = Z_engineZ_qjs_get_array_buffer(&instance, buffer, kSizesAt);
  Z_engineZ_qjs_free_value(&instance, buffer);
  bytes = {static_cast<const char*>(shoal_wasm_at(address + offset, size)), size};
  return true;
}

/// The content type that the operation named for its reply.
std::string_view named_type() {
  static constinit char type[kContentTypeMax] = {};
  const Value value = shoal_call<1>({kSnapshotResultType});
  if (is_exception(value)) return {};
  const Text text = text_of(value);
  const size_t size = text.text.size() < sizeof type ? text.text.size() : sizeof type;
  __builtin_memcpy(type, text.text.data(), size);
  free_text(text);
  Z_engineZ_qjs_free_value(&instance, value);
  return {type, size};
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

/// What came of a request whose jobs are done. False: an exception came, and this is no outcome.
bool read_outcome(Outcome& outcome) {
  const Value finished = shoal_call<1>({kSnapshotFinish});
  const Value result = shoal_call<1>({kSnapshotResult});
  if (is_exception(finished) || is_exception(result)) return false;
  const auto code = static_cast<unsigned>(Z_engineZ_qjs_get_float64(&instance, finished));
  Z_engineZ_qjs_free_value(&instance, finished);
  if (code == 1) {
    held = {result, 0};
    outcome = {Outcome::Kind::bytes, 0, {}, named_type()};
    return find_bytes(result, outcome.text);
  }
  if (!read_text(result, outcome)) return false;
  if (code != 0) outcome.kind = Outcome::Kind::error;
  outcome.code = code;
  if (takes_bytes) outcome.content_type = named_type();
  // Where there is no memory for an exception either, the engine throws null, and that can be caught.
  if (code == 400 && outcome.text == "null" && shoal_wasm_lacked_memory()) {
    is_broken = true;
    outcome = {Outcome::Kind::error, 413, kTooMuchMemory, {}};
  }
  return true;
}

void call_body(void* argument) {
  auto& calling = *static_cast<Calling*>(argument);
  free_held();
  while (rejected_count > 0) free_rejected(rejected[--rejected_count]);
  const Value input = takes_bytes ? new_bytes(calling.input) : new_string(calling.input);
  const Value content_type = calling.content_type.empty() ? kSnapshotUndefined : new_string(calling.content_type);
  const Value started = shoal_call<5>({kSnapshotStart, new_string(calling.operation), input, content_type, random_number()});
  if (is_exception(started)) {
    calling.outcome = outcome_of(Z_engineZ_qjs_get_exception(&instance));
    return;
  }
  Value exception = run_jobs();
  const bool is_reply = exception == 0 && Z_engineZ_qjs_is_string(&instance, started) != 0;
  if (!is_reply) Z_engineZ_qjs_free_value(&instance, started);
  while (exception != 0 && !has_given_up()) {
    Z_engineZ_qjs_free_value(&instance, shoal_call<2>({kSnapshotUncaught, exception}));
    exception = run_jobs();
  }
  if (exception == 0) tell_rejections();
  if (exception == 0 && !(is_reply ? read_text(started, calling.outcome) : read_outcome(calling.outcome))) {
    exception = Z_engineZ_qjs_get_exception(&instance);
  }
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
  shoal_wasm_ignore(0, kSnapshotStackEnd);
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

/// The one host function: ('log', text).
uint32_t Z_envZ_host_call(Z_env_instance_t*, uint32_t, uint32_t, uint32_t, uint32_t count, uint32_t values) {
  using namespace shoal::engine;
  if (count >= 2) {
    const Text text = text_of(read<uint32_t>(values + 4));
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
