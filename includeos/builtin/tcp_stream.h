// The core's streams on lwIP's connections.
#pragma once

#include <cstdint>

#include "server.h"

namespace shoal::builtin {

void tcp_streams_listen(uint16_t port, Server& server);

/// Takes no new connections and ends those that there are, after what was written.
void tcp_streams_close();

}  // namespace shoal::builtin
