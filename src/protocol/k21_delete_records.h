// DeleteRecords: moves the start of partitions forward. Kafka Streams tidies its topics with it.
#pragma once

#include "protocol/field.h"

namespace adbrook::protocol {

inline constexpr Api kDeleteRecords{
    .key = 21, .name = "DeleteRecords", .first = 0, .last = 2, .flexible = 2};

struct DeleteRecordsRequest {
  static constexpr const Api& kApi = kDeleteRecords;

  struct Partition {
    std::int32_t partition_index = 0;
    // The first one kept; -1 is the high watermark.
    std::int64_t offset = 0;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition_index>(), field<&Partition::offset>()};
    }
  };

  struct Topic {
    std::string_view name;
    std::vector<Partition> partitions;

    static constexpr auto fields() {
      return std::array{field<&Topic::name>(), field<&Topic::partitions>()};
    }
  };

  std::vector<Topic> topics;
  std::int32_t timeout_ms = 0;

  static constexpr auto fields() {
    using M = DeleteRecordsRequest;
    return std::array{field<&M::topics>(), field<&M::timeout_ms>()};
  }
};

struct DeleteRecordsResponse {
  static constexpr const Api& kApi = kDeleteRecords;

  struct Partition {
    std::int32_t partition_index = 0;
    // -1 beside an error.
    std::int64_t low_watermark = -1;
    ErrorCode error_code = ErrorCode::none;

    static constexpr auto fields() {
      return std::array{field<&Partition::partition_index>(), field<&Partition::low_watermark>(),
                        field<&Partition::error_code>()};
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
    using M = DeleteRecordsResponse;
    return std::array{field<&M::throttle_time_ms>(), field<&M::topics>()};
  }
};

}  // namespace adbrook::protocol
