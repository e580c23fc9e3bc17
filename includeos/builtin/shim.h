// The calls into ring 0, and what its interrupt handlers leave behind (shim.S).
#pragma once

#include <cstddef>
#include <cstdint>

#include "layout.h"

namespace shoal::builtin {

/// Sleeps until an interrupt. Interrupts are on only in here: one that came before is not lost, it ends the sleep at once.
inline void shim_sleep() { asm volatile("hlt" : : "a"(CALL_SLEEP) : "memory"); }

inline void shim_console_open() { asm volatile("hlt" : : "a"(CALL_CONSOLE_OPEN) : "rdx", "memory"); }

/// Gives the UART what it takes without waiting; returns how many bytes are left.
inline uint32_t shim_console_write(const char* bytes, uint32_t count) {
  uint32_t left = CALL_CONSOLE_WRITE;
  asm volatile("hlt" : "+a"(left), "+S"(bytes), "+D"(count) : : "rcx", "rdx", "memory");
  return left;
}

/// Reads what the UART has; returns how many bytes.
inline uint32_t shim_console_read(char* room, uint32_t size) {
  uint32_t count = CALL_CONSOLE_READ;
  asm volatile("hlt" : "+a"(count) : "D"(room), "S"(size) : "rcx", "rdx", "memory");
  return count;
}

/// Gives so many large pages, from the one at `number` * 2 MiB on, tables of small ones.
inline void shim_split_pages(uintptr_t number, const uint64_t* tables, size_t count) {
  uint32_t call = CALL_SPLIT_PAGES;
  asm volatile("hlt" : "+a"(call), "+S"(tables), "+D"(number), "+d"(count) : : "memory");
}

[[noreturn]] inline void shim_power_off(uint32_t code) {
  asm volatile("hlt" : : "a"(CALL_POWER_OFF), "D"(code) : "memory");
  __builtin_unreachable();
}

extern "C" volatile uint8_t interrupt_seen[VECTOR_COUNT - VECTOR_TIMER];

/// Whether that interrupt has come since the last time somebody asked.
inline bool take_interrupt(unsigned vector) {
  volatile uint8_t& seen = interrupt_seen[vector - VECTOR_TIMER];
  const bool was_seen = seen != 0;
  seen = 0;
  return was_seen;
}

inline uint64_t read_tsc() {
  uint32_t low = 0;
  uint32_t high = 0;
  asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return (static_cast<uint64_t>(high) << 32) | low;
}

inline uint32_t read_device(uintptr_t address) { return *reinterpret_cast<volatile uint32_t*>(address); }
inline void write_device(uintptr_t address, uint32_t value) { *reinterpret_cast<volatile uint32_t*>(address) = value; }

}  // namespace shoal::builtin
