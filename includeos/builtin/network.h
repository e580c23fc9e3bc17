// TCP over the network card, by lwIP.
#pragma once

#include <cstdint>

#include "server.h"
#include "settings.h"
#include "virtio_net.h"

namespace shoal::builtin {

/// Brings the card up with the settings' address and listens.
void network_open(VirtioNet& card, const Settings& settings, Server& server);

/// Handles what has come in and the timers of TCP. False: nothing had come.
bool network_receive();

/// Hands what was written to the card.
void network_transmit();

/// When TCP's timers want to run next.
uint64_t network_due_ns();

/// To be called before sleeping. False: something has come in meanwhile.
bool network_may_sleep();

/// Ends all connections in order; true once the peers have everything.
bool network_close();

}  // namespace shoal::builtin
