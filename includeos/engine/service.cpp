// A service file as a service: the operations that it names, each a function of its script.
#include "shoal/service.h"

#include "engine.h"
#include "resident.h"
#include "runtime.h"
#include "service_file.h"
#include "shoal/text_writer.h"

namespace shoal {

// The table of an image whose operations are known when it is built. Here it is made at the start.
const Service service = {};

namespace {

// The engine's own memory, with a small service in it, and its copy.
constexpr size_t kMemoryLeast = 3 << 20;

constexpr std::string_view kText = "text/plain; charset=utf-8";

constinit Operation operations[engine::kOperationsMax] = {};
constinit Service scripted = {};

bool run(const Request& request, Reply& reply) {
  const engine::Outcome outcome = engine::call(request.operation, request.text, request.content_type);
  switch (outcome.kind) {
    case engine::Outcome::Kind::text: reply.content_type(outcome.content_type.empty() ? kText : outcome.content_type); return reply.write(outcome.text);
    case engine::Outcome::Kind::bytes: reply.content_type(outcome.content_type); return reply.write(outcome.text);
    case engine::Outcome::Kind::error: return reply.fail(outcome.code, outcome.text);
    default: return false;
  }
}

const char* open(char* memory, size_t bytes, const builtin::Machine& machine) {
  if (machine.module.empty()) {
    engine::log_line("service: there is no service file (an initial ramdisk)");
    return "no-service-file";
  }
  engine::ServiceFile file{};
  if (const char* const what = engine::read_service_file(machine.module, file); what != nullptr) {
    TextWriter<200> line;
    engine::log_line(line.add("service: the file cannot be used: ").add(what).text());
    return "bad-service-file";
  }
  if (!engine::open(memory, bytes)) return "too-little-memory";
  if (const char* const why = engine::load(file); why != nullptr) return why;

  size_t count = 0;
  for (std::string_view names = file.operations; !names.empty();) operations[count++] = {engine::take_operation(names), run};
  scripted = {{operations, count}, file.idempotent, file.payload == "bytes" ? Payload::bytes : Payload::text};
  return nullptr;
}

constexpr builtin::Resident kResident = {&scripted, kMemoryLeast, SIZE_MAX, open, engine::renew, shoal_wasm_used_bytes};

}  // namespace

const builtin::Resident& builtin::resident() { return kResident; }

}  // namespace shoal
