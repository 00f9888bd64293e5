// Topics as clients name them: rules for names, and finding one by name or id.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/log.h"
#include "protocol/error_code.h"

namespace adbrook::broker {

inline constexpr std::size_t kTopicNameSizeMax = 249;
// More would make a directory, segments and memory for each.
inline constexpr std::int32_t kPartitionsMax = 10'000;

// Empty when the name is fine, else what is wrong with it.
std::string topic_name_complaint(std::string_view name);

// A name that an existing topic resembles too much: '.' and '_' are the same in metric names.
bool collides(std::string_view name, const std::vector<log::TopicDescription>& existing);

// The topic that a request means, by id from the version on that has ids, else by name.
Result<log::TopicDescription> find_topic(const log::Log& log, std::string_view name, Uuid id,
                                         bool by_id);
// What to answer when find_topic found none.
constexpr protocol::ErrorCode unknown_topic_code(bool by_id) {
  return by_id ? protocol::ErrorCode::unknown_topic_id
               : protocol::ErrorCode::unknown_topic_or_partition;
}

// This broker never changes leaders, so every partition is in its first epoch.
inline constexpr std::int32_t kLeaderEpoch = 0;
// What a request's idea of the current epoch (-1: none) is answered with.
constexpr protocol::ErrorCode check_leader_epoch(std::int32_t epoch) {
  if (epoch < 0 || epoch == kLeaderEpoch) return protocol::ErrorCode::none;
  return epoch < kLeaderEpoch ? protocol::ErrorCode::fenced_leader_epoch
                              : protocol::ErrorCode::unknown_leader_epoch;
}

}  // namespace adbrook::broker
