// AddPartitionsToTxn: says which partitions a transaction is about to write.
// From 4 on for many transactional ids at once, and also only to ask: the form that brokers use
// among themselves, which some clients choose as well.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kAddPartitionsToTxn{
    .key = 24, .name = "AddPartitionsToTxn", .first = 0, .last = 5, .flexible = 3};

struct AddPartitionsToTxnRequest {
  static constexpr const Api& kApi = kAddPartitionsToTxn;

  struct Topic {
    std::string_view name;
    std::vector<std::int32_t> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::partitions>()};
    }
  };

  struct Transaction {
    std::string_view transactional_id;
    std::int64_t producer_id = 0;
    std::int16_t producer_epoch = 0;
    bool verify_only = false;
    std::vector<Topic> topics;

    static constexpr auto fields() {
      using M = Transaction;
      return std::array{field<&M::transactional_id>(), field<&M::producer_id>(),
                        field<&M::producer_epoch>(), field<&M::verify_only>(), field<&M::topics>()};
    }
  };

  std::vector<Transaction> transactions;
  std::string_view v3_and_below_transactional_id;
  std::int64_t v3_and_below_producer_id = 0;
  std::int16_t v3_and_below_producer_epoch = 0;
  std::vector<Topic> v3_and_below_topics;

  static constexpr auto fields() {
    using M = AddPartitionsToTxnRequest;
    return std::array{field<&M::transactions>({.since = 4}),
                      field<&M::v3_and_below_transactional_id>({.until = 3}),
                      field<&M::v3_and_below_producer_id>({.until = 3}),
                      field<&M::v3_and_below_producer_epoch>({.until = 3}),
                      field<&M::v3_and_below_topics>({.until = 3})};
  }
};

struct AddPartitionsToTxnResponse {
  static constexpr const Api& kApi = kAddPartitionsToTxn;

  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode partition_error_code = ErrorCode::none;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition_index>(),
                        field<&Partition::partition_error_code>()};
    }
  };

  struct Topic {
    std::string_view name;
    std::vector<Partition> results_by_partition;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::results_by_partition>()};
    }
  };

  struct Transaction {
    std::string_view transactional_id;
    std::vector<Topic> topic_results;

    static constexpr auto fields() {
      return std::array{field<&Transaction::transactional_id>(),
                        field<&Transaction::topic_results>()};
    }
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Transaction> results_by_transaction;
  std::vector<Topic> results_by_topic_v3_and_below;

  static constexpr auto fields() {
    using M = AddPartitionsToTxnResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::error_code>({.since = 4}),
                      field<&M::results_by_transaction>({.since = 4}),
                      field<&M::results_by_topic_v3_and_below>({.until = 3})};
  }
};

}  // namespace adbrook::protocol
