#include "resident.h"

namespace shoal::builtin {

[[gnu::weak]] const Resident& resident() {
  static constexpr Resident plain = {&service, 0, 0, nullptr, nullptr, nullptr};
  return plain;
}

}  // namespace shoal::builtin
