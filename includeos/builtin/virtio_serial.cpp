#include "virtio_serial.h"

#include <cstring>

#include "clock.h"
#include "layout.h"

namespace shoal::builtin {
namespace {

constexpr uint32_t kFeatureMultiport = 1u << 1;

// Port 0 is for a console. QEMU gives the next one to the first port of another kind.
constexpr uint32_t kConsolePort = 0;
constexpr uint32_t kPort = 1;
constexpr uint32_t kControlReceiveQueue = 2;
constexpr uint32_t kControlSendQueue = 3;
constexpr uint32_t kReceiveQueue = 4;
constexpr uint32_t kSendQueue = 5;

enum Event : uint16_t { kDeviceReady = 0, kPortAdd = 1, kPortReady = 3, kPortOpen = 6, kPortName = 7 };
constexpr uint32_t kAllPorts = 0xffffffff;

constexpr uint64_t kNameWaitNs = 1'000'000'000;

}  // namespace

bool VirtioSerial::open(const DeviceSlot& slot, std::string_view name) {
  if (!device_.open(slot, kDeviceConsole, kFeatureMultiport)) return false;
  if (!device_.open_queue(kControlReceiveQueue, control_receive_queue_) || !device_.open_queue(kControlSendQueue, control_send_queue_) ||
      !device_.open_queue(kReceiveQueue, receive_queue_) || !device_.open_queue(kSendQueue, send_queue_) ||
      !console_.open(device_)) {
    return false;
  }
  for (uint16_t i = 0; i < kEventBuffers; i++) {
    control_receive_queue_.offer(i, event_buffers_[i], kEventSize, Queue::Direction::from_device);
  }
  for (uint16_t i = 0; i < kReceiveBuffers; i++) {
    receive_queue_.offer(i, receive_buffers_[i], kBufferSize, Queue::Direction::from_device);
  }
  for (uint16_t i = 0; i < kSendBuffers; i++) free_send_[free_send_count_++] = i;
  device_.start(slot, VECTOR_LINK);
  publish();
  command(kDeviceReady, 1);

  const uint64_t end_ns = clock_ns() + kNameWaitNs;
  while (clock_ns() < end_ns) {
    Control control{};
    std::string_view told;
    if (!take_control(control, told)) continue;
    const bool is_named = control.event == kPortName && told == name;
    recycle_control();
    // All ports are told of before any of them is named.
    if (control.port == kConsolePort && control.event == kPortAdd) has_console_ = true;
    if (control.port != kPort) continue;
    if (control.event == kPortAdd) command(kPortReady, 1);
    if (!is_named) continue;
    command(kPortOpen, 1);
    return true;
  }
  return false;
}

bool VirtioSerial::take_control(Control& control, std::string_view& name) {
  Queue::Used used{};
  while (control_receive_queue_.take(used)) {
    control_taken_ = used.descriptor;
    const char* const bytes = event_buffers_[control_taken_];
    if (used.size >= sizeof control && used.size <= kEventSize) {
      std::memcpy(&control, bytes, sizeof control);
      name = {bytes + sizeof control, used.size - sizeof control};
      // QEMU counts the zero at its end, other hosts do not.
      if (!name.empty() && name.back() == '\0') name.remove_suffix(1);
      return true;
    }
    recycle_control();
  }
  return false;
}

void VirtioSerial::recycle_control() {
  control_receive_queue_.offer(control_taken_, event_buffers_[control_taken_], kEventSize, Queue::Direction::from_device);
}

/// There are three in all, each with a buffer of its own.
void VirtioSerial::command(uint16_t event, uint16_t value) {
  if (commands_ == kCommandBuffers) return;
  Control& control = command_buffers_[commands_];
  control = {event == kDeviceReady ? kAllPorts : kPort, event, value};
  control_send_queue_.offer(commands_++, &control, sizeof control, Queue::Direction::to_device);
  publish();
}

Port::Event VirtioSerial::take_event() {
  Control control{};
  std::string_view name;
  while (take_control(control, name)) {
    recycle_control();
    if (control.port == kPort && control.event == kPortOpen) return control.value != 0 ? Event::opened : Event::closed;
  }
  return Event::none;
}

std::string_view VirtioSerial::next_input() {
  Queue::Used used{};
  while (!has_input_ && receive_queue_.take(used)) {
    input_buffer_ = static_cast<uint16_t>(used.descriptor % kReceiveBuffers);
    has_input_ = true;
    if (used.size > 0 && used.size <= kBufferSize) return {receive_buffers_[input_buffer_], used.size};
    release_input();
  }
  return {};
}

void VirtioSerial::release_input() {
  has_input_ = false;
  receive_queue_.offer(input_buffer_, receive_buffers_[input_buffer_], kBufferSize, Queue::Direction::from_device);
}

/// How many buffers the device has not, the one that is being filled included.
size_t VirtioSerial::free_count() {
  Queue::Used used{};
  while (send_queue_.take(used)) {
    const auto buffer = static_cast<uint16_t>(used.descriptor % kSendBuffers);
    // Below the one that is being filled.
    if (filled_ > 0) {
      free_send_[free_send_count_] = free_send_[free_send_count_ - 1];
      free_send_[free_send_count_ - 1] = buffer;
      free_send_count_++;
    } else {
      free_send_[free_send_count_++] = buffer;
    }
  }
  return free_send_count_;
}

size_t VirtioSerial::write(const char* bytes, size_t size) {
  size_t written = 0;
  while (written < size) {
    if (filled_ == 0 && free_count() == 0) {
      refused_ = true;
      break;
    }
    const size_t room = kBufferSize - filled_;
    const size_t part = size - written < room ? size - written : room;
    std::memcpy(send_buffers_[free_send_[free_send_count_ - 1]] + filled_, bytes + written, part);
    filled_ += part;
    written += part;
    if (filled_ == kBufferSize) flush();
  }
  return written;
}

void VirtioSerial::flush() {
  if (filled_ == 0) return;
  const uint16_t buffer = free_send_[--free_send_count_];
  send_queue_.offer(buffer, send_buffers_[buffer], static_cast<uint32_t>(filled_), Queue::Direction::to_device);
  filled_ = 0;
}

void VirtioSerial::discard_output() { filled_ = 0; }

/// A notification leaves the VM, so whoever waits for what is sent comes first.
void VirtioSerial::publish() {
  if (send_queue_.publish()) device_.notify(kSendQueue);
  if (control_send_queue_.publish()) device_.notify(kControlSendQueue);
  if (receive_queue_.publish()) device_.notify(kReceiveQueue);
  if (control_receive_queue_.publish()) device_.notify(kControlReceiveQueue);
}

bool VirtioSerial::ask_interrupt(bool waits) {
  bool may_sleep = control_receive_queue_.ask_interrupt();
  // Its wish stays where it was, so that the device interrupts no more for what cannot be read anyhow.
  if (!waits && !receive_queue_.ask_interrupt()) may_sleep = false;
  if (refused_) {
    refused_ = false;
    if (!send_queue_.ask_interrupt()) may_sleep = false;
  }
  return may_sleep;
}

}  // namespace shoal::builtin
