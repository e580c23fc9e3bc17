// What the loader tells about the machine (PVH start info).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shoal::builtin {

struct Machine {
  std::string_view command_line;
  std::string_view module;  // the initial ramdisk, or empty
  uintptr_t memory_end;     // the end of the RAM that holds the image; the ramdisk lies behind it
};

/// `start_info` is what the loader left in ebx. False if that is not PVH's structure.
bool machine_read(uintptr_t start_info, Machine& machine);

/// The image's first free byte.
uintptr_t image_end_address();

/// The next virtio-mmio slot that the command line names: "virtio_mmio.device=512@0xfeb00e00:12". `text` moves past it.
struct DeviceSlot {
  uintptr_t address;
  uint32_t interrupt_line;
};
bool next_device_slot(std::string_view& text, DeviceSlot& slot);

}  // namespace shoal::builtin
