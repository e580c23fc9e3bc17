// A virtio-serial device (virtio-console with several ports): its one port that has our name, and the console, if it has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "console_port.h"
#include "machine.h"
#include "port_link.h"
#include "virtio_device.h"
#include "virtqueue.h"

namespace shoal::builtin {

class VirtioSerial final : public Port {
 public:
  /// False: there is no such device in that slot, or it has no port of that name.
  bool open(const DeviceSlot& slot, std::string_view name);

  Event take_event() override;
  std::string_view next_input() override;
  void release_input() override;
  size_t write(const char* bytes, size_t size) override;
  void flush() override;
  void discard_output() override;

  /// Shows the device what was read and flushed. flush() alone does not, since it is called for each connection.
  void publish();

  /// To be called before sleeping. `waits`: nothing will be read until something else has happened. False: something has come in
  /// meanwhile, or there is room again for what was refused.
  bool ask_interrupt(bool waits);
  void acknowledge_interrupt() { device_.acknowledge_interrupt(); }

  /// Whether the device has yet to take something that was flushed.
  bool has_unsent() { return free_count() < kSendBuffers; }

  /// Null if it has none.
  ConsolePort* console() { return has_console_ ? &console_ : nullptr; }

 private:
  static constexpr uint16_t kReceiveBuffers = 16;
  static constexpr uint16_t kSendBuffers = 32;
  static constexpr uint16_t kEventBuffers = 32;  // QEMU drops what finds none
  static constexpr uint16_t kCommandBuffers = 4;
  static constexpr uint32_t kBufferSize = 4096;  // QEMU reads so much at a time
  static constexpr uint32_t kEventSize = 64;

  using Queue = Virtqueue<32>;

  struct Control {
    uint32_t port;
    uint16_t event;
    uint16_t value;
  };

  bool take_control(Control& control, std::string_view& name);
  void recycle_control();
  void command(uint16_t event, uint16_t value);
  size_t free_count();

  VirtioDevice device_ = {};
  Queue receive_queue_ = {};
  Queue send_queue_ = {};
  Queue control_receive_queue_ = {};
  Queue control_send_queue_ = {};
  uint16_t control_taken_ = 0;
  uint16_t commands_ = 0;

  ConsolePort console_ = {};
  bool has_console_ = false;

  bool has_input_ = false;
  uint16_t input_buffer_ = 0;

  uint16_t free_send_[kSendBuffers] = {};
  size_t free_send_count_ = 0;
  size_t filled_ = 0;     // of the buffer that is being filled: the one on top of the free ones
  bool refused_ = false;  // somebody waits for room

  Control command_buffers_[kCommandBuffers] = {};
  alignas(8) char event_buffers_[kEventBuffers][kEventSize] = {};
  alignas(64) char receive_buffers_[kReceiveBuffers][kBufferSize] = {};
  alignas(64) char send_buffers_[kSendBuffers][kBufferSize] = {};
};

}  // namespace shoal::builtin
