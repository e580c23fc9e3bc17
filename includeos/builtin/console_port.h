// A console of a virtio-serial device (port 0): its output. Nothing is read from it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "machine.h"
#include "virtio_device.h"
#include "virtqueue.h"

namespace shoal::builtin {

class ConsolePort {
 public:
  /// A device of its own, without other ports. False: there is none in that slot.
  bool open(const DeviceSlot& slot);

  /// Port 0 of a device that has others as well, before it is started.
  bool open(const VirtioDevice& device);

  /// Hands over as many bytes as there is room for.
  size_t print(const char* bytes, size_t size);

  /// Whether the device has yet to take something that was printed.
  bool has_unprinted() { return free_count() < kBuffers; }

 private:
  static constexpr uint16_t kBuffers = 4;
  static constexpr uint32_t kBufferSize = 1024;
  using Queue = Virtqueue<kBuffers>;

  size_t free_count();

  VirtioDevice device_ = {};
  Queue queue_ = {};
  uint16_t offered_ = 0;  // buffers so far, each given back in its turn
  uint16_t taken_ = 0;
  alignas(64) char buffers_[kBuffers][kBufferSize] = {};
};

}  // namespace shoal::builtin
