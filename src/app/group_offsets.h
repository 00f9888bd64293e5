// What is known about a group's offsets, and where a reset would move them: plain values, so that
// the rules can be tested without a cluster.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/offset_spec.h"
#include "base/result.h"
#include "bus/kafka_admin.h"

namespace adbrook::app {

// One partition that a group reads or has committed.
struct GroupOffset {
  bus::Partition partition;
  std::optional<Offset> committed;
  std::optional<bus::Ends> ends;  // absent when nobody leads the partition
  std::string member;             // who has it now; empty: nobody

  // Records that the group has still to read: from its committed offset, or the first kept one, to
  // the end.
  std::optional<std::int64_t> lag() const;
};

// Every partition that is committed or assigned, in order.
std::vector<GroupOffset> group_offsets(std::span<const bus::Commit::Position> committed,
                                       std::span<const bus::KafkaMember> members);

// "orders" or "orders:0,2".
struct TopicChoice {
  std::string topic;
  std::vector<std::int32_t> partitions;  // empty: all
};
Result<TopicChoice> parse_topic_choice(std::string_view text);

struct OffsetMove {
  bus::Partition partition;
  std::optional<Offset> from;
  Offset to;
};

// `at_time[i]` belongs to offsets[i] and is used for a time only. io_failed when the ends of a
// partition are unknown: half a reset helps nobody.
Result<std::vector<OffsetMove>> plan_reset(const OffsetSpec& spec,
                                           std::span<const GroupOffset> offsets,
                                           std::span<const std::optional<Offset>> at_time);

}  // namespace adbrook::app
