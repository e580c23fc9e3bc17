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
  static constexpr unsigned kBucketBits = 9;
  static constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;

  /// Eight bytes at a time, since every request pays for it. Peers are not hostile to each other, and the queue bounds the lists.
  static uint16_t bucket_of(std::string_view token) {
    uint64_t hash = token.size();
    const auto mix = [&](uint64_t word) {
      hash = (hash ^ word) * kMultiplier;
      hash ^= hash >> 29;
    };
    const char* bytes = token.data();
    size_t left = token.size();
    uint64_t word = 0;
    for (; left >= sizeof word; bytes += sizeof word, left -= sizeof word) {
      std::memcpy(&word, bytes, sizeof word);
      mix(word);
    }
    word = 0;
    std::memcpy(&word, bytes, left);
    mix(word);
    return static_cast<uint16_t>(hash * kMultiplier >> (64 - kBucketBits));  // the upper bits depend on all of the token's
  }

  Job* buckets_[size_t{1} << kBucketBits] = {};
};

}  // namespace shoal
