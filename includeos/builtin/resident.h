// What an image asks of main() that is more than a table of C++ operations: a WebAssembly module, an engine for scripts. It keeps memory
// for itself as long as the machine runs, and is made in it before the guest is ready.
#pragma once

#include <cstddef>

#include "machine.h"
#include "shoal/service.h"

namespace shoal::builtin {

struct Resident {
  const Service* service;  // complete once open() has returned

  /// How much memory it needs beside the server's heap, and how much it can use.
  size_t least_bytes;
  size_t most_bytes;

  /// Makes the service within this memory, which is its own from now on; shoal_log() works already, shoal_yield() does nothing yet. Null, or
  /// a word for `bye reason=bad-service why=`. All of them may be null: then the service needs no more than its code.
  const char* (*open)(char* memory, size_t bytes, const Machine& machine);

  /// Called between requests, once the replies that are ready have gone out.
  void (*settle)();

  /// How much of its memory is in use, for the status line.
  size_t (*used_bytes)();
};

/// Has what was logged printed now. Otherwise that waits until open() has returned, and for an open() that never does it would be lost.
void print_logged();

/// plain_service.cpp has the one for services in C++; another definition takes its place.
const Resident& resident();

}  // namespace shoal::builtin
