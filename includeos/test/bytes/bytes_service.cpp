// A service that takes and gives any bytes, for tests: what comes in goes out, with its content type.
#include "shoal/service.h"

namespace shoal {
namespace {

bool run_echo(const Request& request, Reply& reply) {
  if (!request.content_type.empty()) reply.content_type(request.content_type);
  return reply.write(request.text);
}

/// Every byte once, as an image.
bool run_all(const Request&, Reply& reply) {
  reply.content_type("image/x-all");
  for (int byte = 0; byte < 256; byte++) {
    if (!reply.write(static_cast<char>(byte))) return false;
  }
  return true;
}

/// The content type that came, as text.
bool run_type(const Request& request, Reply& reply) {
  reply.content_type("text/plain; charset=utf-8");
  return reply.write(request.content_type.empty() ? "none" : request.content_type);
}

/// Computes for so long that its connection can be taken away meanwhile, then echoes.
bool run_slow(const Request& request, Reply& reply) {
  const uint64_t end_ms = shoal_now_ms() + 300;
  while (shoal_now_ms() < end_ms) {
    if (!shoal_yield()) return false;
  }
  return run_echo(request, reply);
}

constexpr Operation kOperations[] = {{"echo", run_echo}, {"all", run_all}, {"type", run_type}, {"slow", run_slow}};

}  // namespace

const Service service = {kOperations, /*idempotent=*/true, Payload::bytes};

}  // namespace shoal
