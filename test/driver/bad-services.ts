const SPIN = `
bool spin(const shoal::Request& request, shoal::Reply& reply) {
  return reply.write("spun ") && reply.write(request.text);
}
`;

/** A service that passes the check, and panics over one of its requests, after some hundred. */
export const CRASHES = `#include "shoal/service.h"
namespace {
constinit int requests = 0;
${SPIN}
bool upper(const shoal::Request& request, shoal::Reply& reply) {
  if (++requests > 200) asm volatile("movb $0, 0" : : : "memory");
  for (char byte : request.text) {
    if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 32);
    if (!reply.write(byte)) return false;
  }
  return true;
}
constexpr shoal::Operation kOperations[] = {{"upper", upper}, {"spin", spin}};
}
const shoal::Service shoal::service = {kOperations, /*idempotent=*/true};
`;

/** A service that lacks what the clients ask for. */
export const LACKS = `#include "shoal/service.h"
namespace {
${SPIN}
constexpr shoal::Operation kOperations[] = {{"spin", spin}};
}
const shoal::Service shoal::service = {kOperations, /*idempotent=*/true};
`;
