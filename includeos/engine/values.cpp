#include "values.h"

#include "runtime.h"
#include "shoal/utf8.h"

namespace shoal::engine {

alignas(16) constinit Z_engine_instance_t instance = {};

namespace {

// In the snapshot's scratch block: values for a call, and where the engine puts sizes, also while that call is made.
constexpr uint32_t kValuesMax = 8;
constexpr uint32_t kValuesAt = kSnapshotScratch;
constexpr uint32_t kSizesAt = kSnapshotScratch + 4 * kValuesMax;
static_assert(4 * kValuesMax + 16 <= kSnapshotScratchBytes);

template <typename Number>
Number read(uint32_t address) {
  Number number;
  __builtin_memcpy(&number, shoal_wasm_at(address, sizeof number), sizeof number);
  return number;
}

void write(uint32_t address, uint32_t word) { __builtin_memcpy(shoal_wasm_at(address, sizeof word), &word, sizeof word); }

/// A block of the engine's memory with these bytes and a zero at the end.
class Block {
 public:
  explicit Block(std::string_view bytes) : size_(static_cast<uint32_t>(bytes.size())) {
    address_ = Z_engineZ_wasm_malloc(&instance, size_ + 1);
    if (address_ == 0) shoal_wasm_leave(SHOAL_WASM_NO_MEMORY);
    char* const room = static_cast<char*>(shoal_wasm_at(address_, size_ + 1));
    __builtin_memcpy(room, bytes.data(), size_);
    room[size_] = '\0';
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { Z_engineZ_wasm_free(&instance, address_); }

  uint32_t address() const { return address_; }
  uint32_t size() const { return size_; }

 private:
  uint32_t address_;
  uint32_t size_;
};

/// Half of a surrogate pair, which a script's string may have alone, has no form in UTF-8: what the engine writes for one becomes U+FFFD.
void make_well_formed(char* text, size_t size) {
  if (is_utf8({text, size})) return;
  for (size_t at = 0; at + 2 < size; at++) {
    if (text[at] == '\xed' && static_cast<unsigned char>(text[at + 1]) >= 0xa0) __builtin_memcpy(text + at, "\xef\xbf\xbd", 3);
  }
}

}  // namespace

void free_value(Value value) {
  if (value != kSnapshotUndefined) Z_engineZ_qjs_free_value(&instance, value);
}

Value new_string(std::string_view text) {
  const Block block(text);
  return Z_engineZ_qjs_new_string(&instance, block.address(), block.size());
}

Value new_bytes(std::string_view bytes) {
  const Block block(bytes);
  return Z_engineZ_qjs_new_uint8_array(&instance, block.address(), block.size());
}

bool is_string(Value value) { return Z_engineZ_qjs_is_string(&instance, value) != 0; }
bool is_exception(Value value) { return Z_engineZ_qjs_is_exception(&instance, value) != 0; }
double number_of(Value value) { return Z_engineZ_qjs_get_float64(&instance, value); }

Text text_of(Value value) {
  const uint32_t address = Z_engineZ_qjs_get_string_len(&instance, value, kSizesAt);
  if (address == 0) return {0, "a value that cannot be shown"};
  const auto size = read<uint32_t>(kSizesAt);
  char* const text = static_cast<char*>(shoal_wasm_at(address, size));
  make_well_formed(text, size);
  return {address, {text, size}};
}

void free_text(const Text& text) {
  if (text.address != 0) Z_engineZ_qjs_free_cstring(&instance, text.address);
}

bool find_bytes(Value array, std::string_view& bytes) {
  const Owned buffer(Z_engineZ_qjs_get_typed_array_buffer(&instance, array, kSizesAt, kSizesAt + 4, kSizesAt + 8));
  if (is_exception(buffer.get())) return false;
  const auto offset = read<uint32_t>(kSizesAt);
  const auto size = read<uint32_t>(kSizesAt + 4);
  const uint32_t address = Z_engineZ_qjs_get_array_buffer(&instance, buffer.get(), kSizesAt);
  bytes = {static_cast<const char*>(shoal_wasm_at(address + offset, size)), size};
  return true;
}

bool is_same(Value left, Value right) { return Z_engineZ_qjs_get_value_ptr(&instance, left) == Z_engineZ_qjs_get_value_ptr(&instance, right); }

Value listed_value(uint32_t list, uint32_t index) { return read<Value>(list + index * sizeof(Value)); }

Value call_listed(Value function, Value self, std::initializer_list<Value> values) {
  if (values.size() > kValuesMax) shoal_wasm_leave(SHOAL_WASM_ABORTED);
  uint32_t at = kValuesAt;
  for (const Value value : values) {
    write(at, value);
    at += sizeof value;
  }
  return Z_engineZ_qjs_call(&instance, function, self, static_cast<uint32_t>(values.size()), kValuesAt);
}

Value take_exception() { return Z_engineZ_qjs_get_exception(&instance); }

Value take_exception_of(Value result) {
  free_value(result);
  return take_exception();
}

Value evaluate(std::string_view source) {
  const Block block(source);
  return Z_engineZ_qjs_eval(&instance, block.address(), block.size(), kSnapshotServiceName, 0);
}

Value run_jobs() {
  while (Z_engineZ_qjs_is_job_pending(&instance) != 0) {
    if (static_cast<int32_t>(Z_engineZ_qjs_execute_pending_job(&instance)) < 0) return take_exception();
  }
  return 0;
}

}  // namespace shoal::engine
