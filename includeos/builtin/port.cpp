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

}  // namespace shoal::builtin
