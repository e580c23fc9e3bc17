// What the image for tests does and no service may: a connection out of the guest, and the machine's end without a word.
#ifdef SHOAL_TEST_IMAGE

#include <cstdint>
#include <net/interfaces>

#include "operations.h"

namespace shoal::on_includeos {
namespace {

net::tcp::Connection_ptr dialled;
DialState state = DialState::failed;

}  // namespace
}  // namespace shoal::on_includeos

void shoal_reset_machine() {
  const struct [[gnu::packed]] {
    uint16_t limit;
    uint64_t base;
  } no_handlers = {0, 0};
  asm volatile("lidt %0; int3" : : "m"(no_handlers));
  __builtin_unreachable();
}

void shoal_dial(uint32_t address, uint16_t port) {
  using namespace shoal::on_includeos;
  state = shoal::DialState::pending;
  dialled = net::Interfaces::get(0).tcp().connect({net::ip4::Addr(address), port});
  dialled->on_connect([](net::tcp::Connection_ptr socket) {
    state = socket != nullptr ? shoal::DialState::connected : shoal::DialState::refused;
  });
}

shoal::DialState shoal_dial_state() { return shoal::on_includeos::state; }

void shoal_hang_up() {
  using namespace shoal::on_includeos;
  if (dialled == nullptr) return;
  dialled->reset_callbacks();
  dialled->abort();
  dialled = nullptr;
}

#endif
