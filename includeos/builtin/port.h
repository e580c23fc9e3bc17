// The link over a port, without any network: what network.h is for TCP.
#pragma once

#include "port_link.h"
#include "server.h"
#include "virtio_serial.h"

namespace shoal::builtin {

constexpr std::string_view kPortName = "shoal.link";

void port_open(VirtioSerial& device, PortLink& link);

/// Handles what has come in. False: nothing had come.
bool port_receive();

/// Hands what was written to the device.
void port_transmit();

/// To be called before sleeping. False: something has come in meanwhile.
bool port_may_sleep();

/// True once the host has taken all that was written.
bool port_is_empty();

}  // namespace shoal::builtin
