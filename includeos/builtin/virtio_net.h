// The network card: virtio-net on virtio-mmio, modern (version 2) only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "machine.h"
#include "virtio_device.h"
#include "virtqueue.h"

namespace shoal::builtin {

class VirtioNet {
 public:
  static constexpr size_t kHeaderSize = 12;  // stands before each packet, both ways
  static constexpr size_t kReceiveBuffers = 128;
  static constexpr size_t kReceiveBufferSize = 2048;

  struct Packet {
    uint16_t buffer;  // to give back with recycle()
    char* data;
    size_t size;
  };

  /// False: there is no usable network card in that slot.
  bool open(const DeviceSlot& slot);

  const uint8_t* hardware_address() const { return hardware_address_; }

  bool receive(Packet& packet);
  void recycle(uint16_t buffer);

  /// Sends `size` bytes at `packet`, the first kHeaderSize of which are overwritten. `token` comes back from take_sent() once the
  /// bytes may be reused. False: the ring is full.
  bool send(char* packet, size_t size, void* token);
  void* take_sent();

  /// Tells the device what was sent and recycled.
  void publish();

  /// To be called before sleeping. False: something has come in meanwhile.
  bool ask_interrupt();
  void acknowledge_interrupt();

 private:
  using Queue = Virtqueue<256>;

  VirtioDevice device_ = {};
  uint8_t hardware_address_[6] = {};
  Queue receive_queue_ = {};
  Queue send_queue_ = {};
  void* sent_tokens_[Queue::kSize] = {};
  uint16_t free_send_[Queue::kSize] = {};
  uint16_t free_send_count_ = 0;
  alignas(64) char buffers_[kReceiveBuffers][kReceiveBufferSize] = {};
};

}  // namespace shoal::builtin
