#include "virtio_device.h"

#include "interrupts.h"
#include "shim.h"

namespace shoal::builtin {
namespace {

// Registers of virtio-mmio, version 2.
constexpr uintptr_t kMagic = 0x000;
constexpr uintptr_t kVersion = 0x004;
constexpr uintptr_t kDeviceId = 0x008;
constexpr uintptr_t kDeviceFeatures = 0x010;
constexpr uintptr_t kDeviceFeaturesSelect = 0x014;
constexpr uintptr_t kDriverFeatures = 0x020;
constexpr uintptr_t kDriverFeaturesSelect = 0x024;
constexpr uintptr_t kQueueSelect = 0x030;
constexpr uintptr_t kQueueSizeMax = 0x034;
constexpr uintptr_t kQueueSize = 0x038;
constexpr uintptr_t kQueueReady = 0x044;
constexpr uintptr_t kQueueNotify = 0x050;
constexpr uintptr_t kInterruptAcknowledge = 0x064;
constexpr uintptr_t kStatus = 0x070;
constexpr uintptr_t kQueueDescriptors = 0x080;
constexpr uintptr_t kQueueAvailable = 0x090;
constexpr uintptr_t kQueueUsed = 0x0a0;
constexpr uintptr_t kConfig = 0x100;

constexpr uint32_t kMagicValue = 0x74726976;
constexpr uint32_t kVersionModern = 2;
constexpr uint32_t kAllInterrupts = 3;

constexpr uint32_t kStatusAcknowledge = 1;
constexpr uint32_t kStatusDriver = 2;
constexpr uint32_t kStatusDriverOk = 4;
constexpr uint32_t kStatusFeaturesOk = 8;

constexpr uint32_t kFeatureEventIndex = 1u << 29;
constexpr uint32_t kFeatureVersion1 = 1u << 0;  // of the second 32

}  // namespace

bool VirtioDevice::open(const DeviceSlot& slot, uint32_t kind, uint32_t features) {
  base_ = slot.address;
  if (read_device(base_ + kMagic) != kMagicValue || read_device(base_ + kVersion) != kVersionModern ||
      read_device(base_ + kDeviceId) != kind) {
    return false;
  }
  write_device(base_ + kStatus, kStatusAcknowledge | kStatusDriver);

  write_device(base_ + kDeviceFeaturesSelect, 0);
  const uint32_t wanted = features | kFeatureEventIndex;
  if ((read_device(base_ + kDeviceFeatures) & wanted) != wanted) return false;
  write_device(base_ + kDriverFeaturesSelect, 0);
  write_device(base_ + kDriverFeatures, wanted);
  write_device(base_ + kDriverFeaturesSelect, 1);
  write_device(base_ + kDriverFeatures, kFeatureVersion1);
  write_device(base_ + kStatus, kStatusAcknowledge | kStatusDriver | kStatusFeaturesOk);
  return true;
}

bool VirtioDevice::open_queue(uint32_t index, uint16_t size, uintptr_t descriptors, uintptr_t available, uintptr_t used) const {
  write_device(base_ + kQueueSelect, index);
  if (read_device(base_ + kQueueSizeMax) < size) return false;
  write_device(base_ + kQueueSize, size);
  // The high halves stay 0 from the reset: the image lies below 4 GiB.
  write_device(base_ + kQueueDescriptors, static_cast<uint32_t>(descriptors));
  write_device(base_ + kQueueAvailable, static_cast<uint32_t>(available));
  write_device(base_ + kQueueUsed, static_cast<uint32_t>(used));
  write_device(base_ + kQueueReady, 1);
  return true;
}

void VirtioDevice::start(const DeviceSlot& slot, uint32_t vector) {
  interrupt_route(slot.interrupt_line, vector);
  start();
}

void VirtioDevice::start() {
  write_device(base_ + kStatus, kStatusAcknowledge | kStatusDriver | kStatusFeaturesOk | kStatusDriverOk);
}

uint8_t VirtioDevice::config_byte(size_t offset) const { return *reinterpret_cast<volatile uint8_t*>(base_ + kConfig + offset); }

void VirtioDevice::notify(uint32_t queue) const { write_device(base_ + kQueueNotify, queue); }

void VirtioDevice::acknowledge_interrupt() const { write_device(base_ + kInterruptAcknowledge, kAllInterrupts); }

}  // namespace shoal::builtin
