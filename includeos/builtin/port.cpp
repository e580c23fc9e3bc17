#include "port.h"

#include "layout.h"
#include "shim.h"

namespace shoal::builtin {
namespace {

VirtioSerial* device = nullptr;
PortLink* link = nullptr;

}  // namespace

void port_open(VirtioSerial& opened_device, PortLink& opened_link) {
  device = &opened_device;
  link = &opened_link;
}

bool port_receive() { return link->receive(); }

void port_transmit() {
  link->flush();
  device->publish();
}

bool port_may_sleep() {
  if (take_interrupt(VECTOR_LINK)) device->acknowledge_interrupt();
  return device->ask_interrupt(link->waits());
}

bool port_is_empty() { return !device->has_unsent(); }

bool port_has_console() { return device->has_console(); }
size_t port_print(const char* bytes, size_t size) { return device->print(bytes, size); }
bool port_has_unprinted() { return device->has_unprinted(); }

}  // namespace shoal::builtin
