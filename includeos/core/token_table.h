// The requests in work by their token, so that one that comes a second time is found at once however many wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "job.h"

namespace shoal {

class TokenTable {
 public:
  void add(Job* job) {
    job->token_bucket = bucket_of(job->token());
    job->same_bucket = buckets_[job->token_bucket];
    buckets_[job->token_bucket] = job;
  }

  void remove(Job* job) {
    for (Job** link = &buckets_[job->token_bucket]; *link != nullptr; link = &(*link)->same_bucket) {
      if (*link != job) continue;
      *link = job->same_bucket;
      return;
    }
  }

  /// The youngest request with that token; null: none.
  Job* find(std::string_view token) const {
    for (Job* job = buckets_[bucket_of(token)]; job != nullptr; job = job->same_bucket) {
      if (job->token() == token) return job;
    }
    return nullptr;
  }

 private:
  static constexpr size_t kBuckets = 512;

  /// Eight bytes at a time, since every request pays for it. Peers are not hostile to each other, and the queue bounds the lists.
  static uint16_t bucket_of(std::string_view token) {
    uint64_t hash = token.size();
    while (!token.empty()) {
      uint64_t word = 0;
      const size_t part = token.size() < sizeof word ? token.size() : sizeof word;
      std::memcpy(&word, token.data(), part);
      hash = (hash ^ word) * 0x9e3779b97f4a7c15;
      hash ^= hash >> 29;
      token.remove_prefix(part);
    }
    return static_cast<uint16_t>(hash % kBuckets);
  }

  Job* buckets_[kBuckets] = {};
};

}  // namespace shoal
