// A WebAssembly module as a service: docs/wasm-services.md says what it exports and imports. build.sh writes module.h (by wasm2c) and
// module.inc (by describe.awk) of the module itself.
#include <array>

#include "module.h"
#include "resident.h"
#include "runtime.h"
#include "shoal/copy.h"
#include "shoal/service.h"
#include "shoal/text_writer.h"
#include "shoal/utf8.h"
#include "wasi.h"

#include "module.inc"

struct Z_shoal_instance_t;

namespace shoal {
namespace {

constexpr size_t kMessageMax = 400;
constexpr size_t kWasmPage = 65536;

using Instance = SHOAL_WASM_INSTANCE;
using Function = uint64_t(Instance*, uint32_t, uint32_t);

alignas(16) constinit Instance instance = {};
constinit bool failed = false;  // by shoal.fail
constinit bool used = false;    // since the snapshot

// For imports: what is being worked on.
constinit const Request* request_in_work = nullptr;
constinit Reply* reply_in_work = nullptr;

struct Call {
  Function* function;
  std::string_view text;
  std::string_view result;  // in the module's memory
};

void call(void* argument) {
  auto& call = *static_cast<Call*>(argument);
  const auto size = static_cast<uint32_t>(call.text.size());
  const uint32_t at = SHOAL_WASM_ALLOC(&instance, size);
  if (at == 0) shoal_wasm_leave(SHOAL_WASM_NO_MEMORY);
  __builtin_memcpy(shoal_wasm_at(at, size), call.text.data(), size);
  const uint64_t result = call.function(&instance, at, size);
  if (failed) return;
  const auto result_size = static_cast<uint32_t>(result);
  call.result = {static_cast<const char*>(shoal_wasm_at(static_cast<uint32_t>(result >> 32), result_size)), result_size};
}

bool answer_end(Reply& reply, int why) {
  if (why == SHOAL_WASM_CANCELLED || failed) return false;
  if (why == SHOAL_WASM_NO_MEMORY || shoal_wasm_lacked_memory()) {
    return reply.fail(413, "the module has no more memory for this text");
  }
  TextWriter<kMessageMax> message;
  if (why == SHOAL_WASM_ABORTED) {
    message.add("the module aborted");
    if (!wasm::abort_message().empty()) message.add(": ").add(wasm::abort_message());
  } else {
    message.add("the module trapped: ").add(shoal_wasm_name(why));
  }
  return reply.fail(500, message.text());
}

void renew() {
  if (!used) return;
  shoal_wasm_restore();
  used = false;
}

bool run(Function* function, const Request& request, Reply& reply) {
  if (!SHOAL_WASM_KEEPS_STATE) renew();
  Call its = {function, request.text, {}};
  request_in_work = &request;
  reply_in_work = &reply;
  failed = false;
  used = true;
  shoal_wasm_forget_lack();
  wasm::forget_abort();
  shoal_wasm_yields(true);
  const int why = shoal_wasm_try(call, &its);
  shoal_wasm_yields(false);
  request_in_work = nullptr;
  reply_in_work = nullptr;
  wasm::flush_output();
  const bool done = why == SHOAL_WASM_RETURNED ? !failed && reply.write(its.result) : answer_end(reply, why);
  // What was thrown away may have left anything half done.
  if (why != SHOAL_WASM_RETURNED && SHOAL_WASM_KEEPS_STATE) renew();
  return done;
}

template <Function* function>
bool run_operation(const Request& request, Reply& reply) {
  return run(function, request, reply);
}

constexpr Operation kOperations[] = {SHOAL_WASM_OPERATIONS(run_operation)};

void instantiate(void*) {
  SHOAL_WASM_INIT_MODULE();
  SHOAL_WASM_INSTANTIATE(&instance);
  SHOAL_WASM_INITIALIZE(&instance);
}

/// A state that is kept is put back after a trap only, which is too seldom for faults to pay.
constexpr shoal_wasm_notes notes() {
  if (SHOAL_WASM_TRACKS) return SHOAL_WASM_NOTES_IN_CODE;
  return SHOAL_WASM_KEEPS_STATE ? SHOAL_WASM_NOTES_NOTHING : SHOAL_WASM_NOTES_BY_FAULTS;
}

const char* open(char* memory, size_t bytes, const builtin::Machine&) {
  shoal_wasm_open(memory, bytes, &instance, sizeof instance);
  shoal_wasm_note_writes(notes());
  const int why = shoal_wasm_try(instantiate, nullptr);
  wasm::flush_output();
  if (why == SHOAL_WASM_NO_MEMORY) return "too-little-memory";
  if (why != SHOAL_WASM_RETURNED) {
    TextWriter<128> line;
    shoal_log(line.add("the module trapped at its start: ").add(shoal_wasm_name(why)).add("\n").text());
    return "trap-at-start";
  }
  return shoal_wasm_snapshot() ? nullptr : "too-little-memory";
}

void settle() {
  if (!SHOAL_WASM_KEEPS_STATE) renew();
}

constexpr builtin::Resident kResident = {&service, kWasmPage, SIZE_MAX, open, settle, shoal_wasm_used_bytes};

}  // namespace

const Service service = {kOperations, SHOAL_WASM_IDEMPOTENT, SHOAL_WASM_BYTES ? Payload::bytes : Payload::text};

const builtin::Resident& builtin::resident() { return kResident; }

}  // namespace shoal

// Imports. Outside of a request, at the module's start, they have nothing to be about.
extern "C" {

/// The first error counts, and the operation's result does not any more.
void Z_shoalZ_fail(Z_shoal_instance_t*, uint32_t code, uint32_t message, uint32_t size) {
  using namespace shoal;
  if (reply_in_work == nullptr) shoal_wasm_leave(SHOAL_WASM_ABORTED);
  std::string_view text(static_cast<const char*>(shoal_wasm_at(message, size)), size);
  text = utf8_prefix(text, kMessageMax);
  failed = true;
  reply_in_work->fail(code, is_utf8(text) ? text : "the operation failed");
}

/// Says what the reply is; 0: that is no content type.
uint32_t Z_shoalZ_content_type(Z_shoal_instance_t*, uint32_t type, uint32_t size) {
  if (shoal::reply_in_work == nullptr) shoal_wasm_leave(SHOAL_WASM_ABORTED);
  return shoal::reply_in_work->content_type({static_cast<const char*>(shoal_wasm_at(type, size)), size}) ? 1 : 0;
}

/// Copies what the request is, as far as there is room; returns its length, 0 if the client has not said it.
uint32_t Z_shoalZ_request_content_type(Z_shoal_instance_t*, uint32_t to, uint32_t room) {
  if (shoal::request_in_work == nullptr) return 0;
  const std::string_view type = shoal::request_in_work->content_type;
  const auto size = static_cast<uint32_t>(type.size());
  const uint32_t part = size < room ? size : room;
  shoal::copy_bytes(static_cast<char*>(shoal_wasm_at(to, part)), type.data(), part);
  return size;
}

}  // extern "C"
