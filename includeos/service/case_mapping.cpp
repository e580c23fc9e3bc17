#include "case_mapping.h"

namespace shoal {
namespace {

/// Code points from first to last, every `step`-th, move by `distance`.
struct CaseRun {
  uint32_t first;
  uint32_t last;
  uint16_t step;
  int32_t distance;
};

struct SpecialCase {
  uint16_t from;
  uint16_t to[3];  // 0: no more
};

struct CodePointRange {
  uint32_t first;
  uint32_t last;
};

#include "case_tables.inc"

/// The last entry that starts at `code_point` or before it; null: there is none.
template <typename Entry, typename Start>
const Entry* find_entry(std::span<const Entry> entries, uint32_t code_point, Start start) {
  size_t low = 0;
  size_t high = entries.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (start(entries[middle]) <= code_point) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low > 0 ? &entries[low - 1] : nullptr;
}

Mapped map(std::span<const CaseRun> runs, std::span<const SpecialCase> special, uint32_t code_point) {
  const CaseRun* const run = find_entry(runs, code_point, [](const CaseRun& entry) { return entry.first; });
  if (run != nullptr && code_point <= run->last && (code_point - run->first) % run->step == 0) {
    return {{code_point + static_cast<uint32_t>(run->distance), 0, 0}, 1};
  }
  const SpecialCase* const found = find_entry(special, code_point, [](const SpecialCase& entry) { return uint32_t{entry.from}; });
  if (found == nullptr || found->from != code_point) return {{code_point, 0, 0}, 1};
  return {{found->to[0], found->to[1], found->to[2]}, found->to[2] != 0 ? size_t{3} : size_t{2}};
}

bool contains(std::span<const CodePointRange> ranges, uint32_t code_point) {
  const CodePointRange* const range = find_entry(ranges, code_point, [](const CodePointRange& entry) { return entry.first; });
  return range != nullptr && code_point <= range->last;
}

}  // namespace

Mapped to_upper(uint32_t code_point) { return map(kUpperRuns, kUpperSpecial, code_point); }
Mapped to_lower(uint32_t code_point) { return map(kLowerRuns, kLowerSpecial, code_point); }
bool is_cased(uint32_t code_point) { return contains(kCased, code_point); }
bool is_case_ignorable(uint32_t code_point) { return contains(kCaseIgnorable, code_point); }

}  // namespace shoal
