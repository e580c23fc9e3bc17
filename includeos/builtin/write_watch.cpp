#include "write_watch.h"

#include "layout.h"
#include "shim.h"

namespace shoal::builtin {
namespace {

constexpr uintptr_t kPage = 1 << 12;
constexpr uintptr_t kLargePage = 1 << 21;
constexpr size_t kEntries = 512;

// For up to 14 MiB, wherever they begin. A table that is not used costs the host no memory.
constexpr size_t kTables = 8;

extern "C" {

// What tables.S says: from here on memory has large pages.
extern char image_tables_end[];

// The shim allows the first write to a page and notes it (shim.S).
extern uintptr_t watched_base;
extern size_t watched_bytes;
extern uint8_t* watched_written;
extern uint64_t* watched_entries;
}

alignas(kPage) constinit uint64_t tables[kTables * kEntries] = {};

uintptr_t address_of(const void* at) { return reinterpret_cast<uintptr_t>(at); }

}  // namespace

// Ring 3 fills the tables, since it runs at full speed everywhere (layout.h), and ring 0 puts them in the place of the large pages.
bool watch_writes(const char* start, size_t bytes, uint8_t* written) {
  const uintptr_t from = address_of(start);
  const uintptr_t to = from + bytes;
  const uintptr_t base = from & ~(kLargePage - 1);
  if (from % kPage != 0 || to > base + kTables * kLargePage || base < address_of(image_tables_end)) return false;
  const size_t count = (to - base + kLargePage - 1) / kLargePage;
  for (size_t i = 0; i < count * kEntries; i++) {
    const uintptr_t address = base + i * kPage;
    const bool is_watched = address >= from && address < to;
    tables[i] = address | PAGE_PRESENT | PAGE_USER | PAGE_USED | PAGE_NO_EXECUTE | (is_watched ? 0 : PAGE_WRITE);
  }
  watched_written = reinterpret_cast<uint8_t*>(address_of(written) - (from - base) / kPage);
  watched_entries = tables;
  watched_base = base;
  watched_bytes = count * kLargePage;
  shim_split_pages(base / kLargePage, tables, count);
  return true;
}

}  // namespace shoal::builtin
