// A connection out of the guest, which no service has: for the tests that hold that the guest's network lets none through.
#ifdef SHOAL_TEST_IMAGE

#include "operations.h"

extern "C" {
#include "lwip/tcp.h"
}

namespace shoal::builtin {
namespace {

tcp_pcb* dialled = nullptr;
DialState state = DialState::failed;

err_t on_connected(void*, tcp_pcb*, err_t) {
  state = DialState::connected;
  return ERR_OK;
}

/// lwIP has freed the connection already.
void on_error(void*, err_t error) {
  dialled = nullptr;
  state = error == ERR_RST ? DialState::refused : DialState::failed;
}

}  // namespace
}  // namespace shoal::builtin

void shoal_dial(uint32_t address, uint16_t port) {
  using namespace shoal::builtin;
  state = shoal::DialState::failed;
  dialled = tcp_new();
  if (dialled == nullptr) return;
  tcp_err(dialled, on_error);
  ip4_addr_t remote;
  remote.addr = address;
  state = shoal::DialState::pending;
  if (tcp_connect(dialled, &remote, port, on_connected) == ERR_OK) return;
  shoal_hang_up();
  state = shoal::DialState::failed;
}

shoal::DialState shoal_dial_state() { return shoal::builtin::state; }

void shoal_hang_up() {
  using namespace shoal::builtin;
  if (dialled == nullptr) return;
  tcp_err(dialled, nullptr);
  tcp_abort(dialled);
  dialled = nullptr;
}

#endif
