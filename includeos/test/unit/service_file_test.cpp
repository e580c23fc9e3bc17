#include "../../engine/service_file.h"

#include <cstring>
#include <memory>
#include <string>

#include "check.h"

namespace shoal::engine {
namespace {

const std::string kSource = "var shoalService = 'größe';";

std::string good() {
  const std::string head = "shoal-service 1\noperations upper,a.b-c_9\nidempotent 0\nstate kept\npayload bytes\nsource ";
  return head + std::to_string(kSource.size()) + "\n\n" + kSource;
}

/// In memory of just this size, so that the sanitizer sees a look beyond its end.
bool takes(const std::string& bytes, ServiceFile& file) {
  const std::unique_ptr<char[]> copy(new char[bytes.size() + 1]);
  std::memcpy(copy.get() + 1, bytes.data(), bytes.size());
  return read_service_file({copy.get() + 1, bytes.size()}, file) == nullptr;
}

bool takes(const std::string& bytes) {
  ServiceFile file{};
  return takes(bytes, file);
}

}  // namespace

TEST("service file: a complete one") {
  const std::string bytes = good();
  ServiceFile file{};
  CHECK(read_service_file(bytes, file) == nullptr);
  CHECK_EQUAL(file.operations, std::string_view("upper,a.b-c_9"));
  CHECK_EQUAL(file.idempotent, false);
  CHECK_EQUAL(file.keeps_state, true);
  CHECK_EQUAL(file.payload, std::string_view("bytes"));
  CHECK_EQUAL(file.source, std::string_view(kSource));
  std::string_view names = file.operations;
  CHECK_EQUAL(take_operation(names), std::string_view("upper"));
  CHECK_EQUAL(take_operation(names), std::string_view("a.b-c_9"));
  CHECK(names.empty());
}

TEST("service file: no part of one is taken for one, nor one with more behind it") {
  const std::string bytes = good();
  for (size_t size = 0; size < bytes.size(); size++) CHECK(!takes(bytes.substr(0, size)));
  CHECK(!takes(bytes + "\n"));
}

TEST("service file: what is damaged is refused, or says what it should") {
  const std::string bytes = good();
  const size_t head_size = bytes.size() - kSource.size();
  unsigned state = 1;
  for (size_t at = 0; at < head_size; at++) {
    for (int i = 0; i < 16; i++) {
      state = state * 1664525 + 1013904223;
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(state >> 24);
      ServiceFile file{};
      if (!takes(damaged, file)) continue;
      // Only names, and choices, can be others.
      const size_t names_at = bytes.find("upper");
      CHECK(damaged == bytes || (at >= names_at && at < names_at + 13) || damaged[at] == '0' || damaged[at] == '1');
    }
  }
}

}  // namespace shoal::engine
