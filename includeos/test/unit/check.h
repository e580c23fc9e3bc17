// The smallest test kit that will do: TEST(name) { CHECK(...); CHECK_EQUAL(got, wanted); }
#pragma once

#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

struct UnitTest {
  std::string name;
  std::function<void()> run;
};

inline std::vector<UnitTest>& unit_tests() {
  static std::vector<UnitTest> tests;
  return tests;
}

inline int& failed_checks() {
  static int count = 0;
  return count;
}

struct UnitTestEntry {
  UnitTestEntry(const char* name, std::function<void()> run) { unit_tests().push_back({name, std::move(run)}); }
};

inline void check_failed(const char* file, int line, const std::string& what) {
  failed_checks()++;
  std::cerr << file << ":" << line << ": " << what << "\n";
}

template <typename Value>
std::string shown(const Value& value) {
  if constexpr (std::is_enum_v<Value>) {
    return std::to_string(static_cast<long long>(value));
  } else {
    std::ostringstream text;
    text << value;
    return text.str();
  }
}

#define TEST_JOIN2(a, b) a##b
#define TEST_JOIN(a, b) TEST_JOIN2(a, b)
#define TEST(name)                                                                                    \
  static void TEST_JOIN(test_, __LINE__)();                                                           \
  static const UnitTestEntry TEST_JOIN(entry_, __LINE__){name, TEST_JOIN(test_, __LINE__)};           \
  static void TEST_JOIN(test_, __LINE__)()

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) check_failed(__FILE__, __LINE__, "not so: " #condition); \
  } while (false)

#define CHECK_EQUAL(got, wanted)                                                                                     \
  do {                                                                                                               \
    const auto got_value = (got);                                                                                    \
    const auto wanted_value = (wanted);                                                                              \
    if (!(got_value == wanted_value)) {                                                                              \
      check_failed(__FILE__, __LINE__, #got " is \"" + shown(got_value) + "\", not \"" + shown(wanted_value) + "\""); \
    }                                                                                                                \
  } while (false)
