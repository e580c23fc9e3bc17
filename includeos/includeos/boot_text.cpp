#include "boot_text.h"

#include <boot/multiboot.h>

#include <cstdint>
#include <string>

namespace kernel {
multiboot_info_t* bootinfo();  // src/include/kernel.hpp, which is not installed
}

namespace shoal::on_includeos {

std::string_view boot_text() {
  // A copy, since the original lies in memory that belongs to nobody.
  static const std::string text = [] {
    const multiboot_info_t* const info = kernel::bootinfo();
    if (info == nullptr || (info->flags & MULTIBOOT_INFO_CMDLINE) == 0) return std::string();
    return std::string(reinterpret_cast<const char*>(static_cast<uintptr_t>(info->cmdline)));
  }();
  return text;
}

}  // namespace shoal::on_includeos
