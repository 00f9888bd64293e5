// TxnOffsetCommit: offsets that count when the transaction is committed.
// 3 adds the member, so that a consumer that was thrown out cannot commit; 5 belongs to KIP-890.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kTxnOffsetCommit{
    .key = 28, .name = "TxnOffsetCommit", .first = 0, .last = 5, .flexible = 3};

struct TxnOffsetCommitRequest {
  static constexpr const Api& kApi = kTxnOffsetCommit;

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = 0;
    std::int32_t committed_leader_epoch = -1;
    std::optional<std::string_view> committed_metadata;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition_index>(), field<&Partition::committed_offset>(),
                        field<&Partition::committed_leader_epoch>({.since = 2}),
                        field<&Partition::committed_metadata>()};
    }
  };

  struct Topic {
    std::string_view name;
    std::vector<Partition> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::partitions>()};
    }
  };

  std::string_view transactional_id;
  std::string_view group_id;
  std::int64_t producer_id = 0;
  std::int16_t producer_epoch = 0;
  std::int32_t generation_id = -1;
  std::string_view member_id;
  std::optional<std::string_view> group_instance_id;
  std::vector<Topic> topics;

  static constexpr auto fields() {
    using M = TxnOffsetCommitRequest;
    return std::array{field<&M::transactional_id>(),
                      field<&M::group_id>(),
                      field<&M::producer_id>(),
                      field<&M::producer_epoch>(),
                      field<&M::generation_id>({.since = 3}),
                      field<&M::member_id>({.since = 3}),
                      field<&M::group_instance_id>({.since = 3}),
                      field<&M::topics>()};
  }
};

struct TxnOffsetCommitResponse {
  static constexpr const Api& kApi = kTxnOffsetCommit;

  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition_index>(), field<&Partition::error_code>()};
    }
  };

  struct Topic {
    std::string_view name;
    std::vector<Partition> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::partitions>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  static constexpr auto fields() {
    using M = TxnOffsetCommitResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::topics>()};
  }
};

}  // namespace adbrook::protocol
