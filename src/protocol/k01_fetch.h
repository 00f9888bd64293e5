// Fetch: record batches out of partitions, with a wait for enough of them.
// 4 brings the isolation level, 7 sessions, 9 leader epochs, 13 names topics by id and 15 moves a
// follower's fields into a tag. Ordinary clients leave the followers' fields alone.
#pragma once

#include <limits>

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kFetch{.key = 1, .name = "Fetch", .first = 4, .last = 18, .flexible = 12};

struct FetchRequest {
  static constexpr const Api& kApi = kFetch;

  struct ReplicaState {
    std::int32_t replica_id = -1;
    std::int64_t replica_epoch = -1;

    static constexpr auto fields() {
      return std::array{field<&ReplicaState::replica_id>(), field<&ReplicaState::replica_epoch>()};
    }
  };

  struct Partition {
    std::int32_t partition = 0;
    std::int32_t current_leader_epoch = -1;
    std::int64_t fetch_offset = 0;
    std::int32_t last_fetched_epoch = -1;
    std::int64_t log_start_offset = -1;
    std::int32_t partition_max_bytes = 0;
    Uuid replica_directory_id;
    std::int64_t high_watermark = std::numeric_limits<std::int64_t>::max();

    static constexpr auto fields() {
      return std::array{field<&Partition::partition>(),
                        field<&Partition::current_leader_epoch>({.since = 9}),
                        field<&Partition::fetch_offset>(),
                        field<&Partition::last_fetched_epoch>({.since = 12}),
                        field<&Partition::log_start_offset>({.since = 5}),
                        field<&Partition::partition_max_bytes>(),
                        field<&Partition::replica_directory_id>({.since = 17, .tag = 0}),
                        field<&Partition::high_watermark>({.since = 18, .tag = 1})};
    }
  };

  struct Topic {
    std::string_view topic;
    Uuid topic_id;
    std::vector<Partition> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::topic>({.until = 12}), field<&Topic::topic_id>({.since = 13}),
                        field<&Topic::partitions>()};
    }
  };

  struct ForgottenTopic {
    std::string_view topic;
    Uuid topic_id;
    std::vector<std::int32_t> partitions;

    static constexpr auto fields() {
      return std::array{field<&ForgottenTopic::topic>({.until = 12}),
                        field<&ForgottenTopic::topic_id>({.since = 13}),
                        field<&ForgottenTopic::partitions>()};
    }
  };

  std::optional<std::string_view> cluster_id;
  std::int32_t replica_id = -1;
  ReplicaState replica_state;
  std::int32_t max_wait_ms = 0;
  std::int32_t min_bytes = 0;
  std::int32_t max_bytes = std::numeric_limits<std::int32_t>::max();
  // 0 everything, 1 what is committed.
  std::int8_t isolation_level = 0;
  // Answering 0 refuses a session; the client then sends all its partitions every time.
  std::int32_t session_id = 0;
  std::int32_t session_epoch = -1;
  // Served in this order, from version 3 on.
  std::vector<Topic> topics;
  std::vector<ForgottenTopic> forgotten_topics_data;
  std::string_view rack_id;

  static constexpr auto fields() {
    using M = FetchRequest;
    return std::array{field<&M::replica_id>({.until = 14}),
                      field<&M::max_wait_ms>(),
                      field<&M::min_bytes>(),
                      field<&M::max_bytes>(),
                      field<&M::isolation_level>(),
                      field<&M::session_id>({.since = 7}),
                      field<&M::session_epoch>({.since = 7}),
                      field<&M::topics>(),
                      field<&M::forgotten_topics_data>({.since = 7}),
                      field<&M::rack_id>({.since = 11}),
                      field<&M::cluster_id>({.since = 12, .tag = 0}),
                      field<&M::replica_state>({.since = 15, .tag = 1})};
  }
};

struct FetchResponse {
  static constexpr const Api& kApi = kFetch;

  struct EpochEndOffset {
    std::int32_t epoch = -1;
    std::int64_t end_offset = -1;

    static constexpr auto fields() {
      return std::array{field<&EpochEndOffset::epoch>(), field<&EpochEndOffset::end_offset>()};
    }
  };

  struct CurrentLeader {
    std::int32_t leader_id = -1;
    std::int32_t leader_epoch = -1;

    static constexpr auto fields() {
      return std::array{field<&CurrentLeader::leader_id>(), field<&CurrentLeader::leader_epoch>()};
    }
  };

  struct SnapshotId {
    std::int64_t end_offset = -1;
    std::int32_t epoch = -1;

    static constexpr auto fields() {
      return std::array{field<&SnapshotId::end_offset>(), field<&SnapshotId::epoch>()};
    }
  };

  struct AbortedTransaction {
    std::int64_t producer_id = 0;
    std::int64_t first_offset = 0;

    static constexpr auto fields() {
      return std::array{field<&AbortedTransaction::producer_id>(),
                        field<&AbortedTransaction::first_offset>()};
    }
  };

  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    // -1 beside an error, as the two after it.
    std::int64_t high_watermark = -1;
    std::int64_t last_stable_offset = -1;
    std::int64_t log_start_offset = -1;
    EpochEndOffset diverging_epoch;
    CurrentLeader current_leader;
    SnapshotId snapshot_id;
    // Ascending by first offset; some clients stop early in a list that is not.
    std::optional<std::vector<AbortedTransaction>> aborted_transactions{std::in_place};
    std::int32_t preferred_read_replica = -1;
    // Whole batches; the first may begin before the asked offset. Empty, never null.
    Records records;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition_index>(),
                        field<&Partition::error_code>(),
                        field<&Partition::high_watermark>(),
                        field<&Partition::last_stable_offset>(),
                        field<&Partition::log_start_offset>({.since = 5}),
                        field<&Partition::aborted_transactions>(),
                        field<&Partition::preferred_read_replica>({.since = 11}),
                        field<&Partition::records>(),
                        field<&Partition::diverging_epoch>({.since = 12, .tag = 0}),
                        field<&Partition::current_leader>({.since = 12, .tag = 1}),
                        field<&Partition::snapshot_id>({.since = 12, .tag = 2})};
    }
  };

  struct Topic {
    std::string_view topic;
    Uuid topic_id;
    std::vector<Partition> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::topic>({.until = 12}), field<&Topic::topic_id>({.since = 13}),
                        field<&Topic::partitions>()};
    }
  };

  struct NodeEndpoint {
    std::int32_t node_id = 0;
    std::string_view host;
    std::int32_t port = 0;
    std::optional<std::string_view> rack;

    static constexpr auto fields() {
      return std::array{field<&NodeEndpoint::node_id>(), field<&NodeEndpoint::host>(),
                        field<&NodeEndpoint::port>(), field<&NodeEndpoint::rack>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int32_t session_id = 0;
  std::vector<Topic> responses;
  std::vector<NodeEndpoint> node_endpoints;

  static constexpr auto fields() {
    using M = FetchResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::error_code>({.since = 7}),
                      field<&M::session_id>({.since = 7}), field<&M::responses>(),
                      field<&M::node_endpoints>({.since = 16, .tag = 0})};
  }
};

}  // namespace adbrook::protocol
